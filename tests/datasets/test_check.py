import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pegbox.datasets.check import check_data
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import Problem

Write = Callable[..., str]
SOURCE = ("data", "source")


def check(source: str, **entries: Any) -> tuple[Problem, ...]:
    return check_data(DataSpec.model_validate({"source": source, **entries}))


def test_data_in_order_gives_no_problem(csv: Write, parquet: Write) -> None:
    assert check(csv("a,y\n1,0\n"), target="y") == ()
    assert check(parquet({"a": [1], "y": [0]}), target="y") == ()
    assert check("SELECT a, y FROM 'data.csv'", target="y") == ()
    assert check("sklearn:iris") == ()


def test_missing_column_is_told_at_its_place(csv: Write) -> None:
    (problem,) = check(csv("age,bought\n1,0\n"), target="bougth")

    assert problem.path == ("data", "target")
    assert problem.message == "there is no column 'bougth'. Did you mean 'bought'? Known: age, bought."


def test_column_of_a_query_is_checked(csv: Write) -> None:
    csv("a,y\n1,0\n")

    (problem,) = check("SELECT a FROM 'data.csv'", target="y")

    assert problem.path == ("data", "target")


def test_column_of_a_bundled_set_is_checked() -> None:
    (problem,) = check("sklearn:iris", drop=["petal width"])

    assert problem.path == ("data", "drop", 0)
    assert "Did you mean 'petal width (cm)'?" in problem.message


def test_header_is_enough_to_check_a_file(csv: Write) -> None:
    assert check(csv("a,y\nthis,is,not,read\n"), target="y") == ()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("sklearn:digit", "Did you mean 'digits'?"),
        ("nothing.csv", "no file 'nothing.csv'"),
        (
            "rows.xlsx",
            "expected sklearn:<name>, a path that ends in .csv, .csv.gz, .tsv, .tsv.gz, .txt, .parquet, .npy, .npz",
        ),
        ("SELECT * FROM 'none.parquet'", "the query cannot be run"),
        ("nowhere.data:load", "no module 'nowhere' for 'nowhere.data:load'"),
    ],
)
def test_source_that_is_not_there_is_told(here: Path, source: str, message: str) -> None:
    (problem,) = check(source, target="y")

    assert problem.path == SOURCE
    assert message in problem.message
    assert not problem.message.startswith("data")


def test_function_is_imported_and_not_called(here: Path) -> None:
    Path("would_fail.py").write_text("def load():\n    raise RuntimeError\n")

    assert check("would_fail:load", target="y") == ()


def test_plain_check_of_a_bundled_set_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pegbox.datasets.check import check_data; from pegbox.schemas.data import DataSpec; "
        "check_data(DataSpec(source='sklearn:digits', target='target')); "
        "print(sorted({'sklearn', 'duckdb', 'torch', 'prefect', 'pandas'} & set(sys.modules)))"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"
