import io
import json
from pathlib import Path

import pyarrow.parquet
import pytest

from pegbox.schemas.errors import QueryError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.query_output import write_csv, write_json, write_parquet
from pegbox.storage.sandbox import run_query

ODD = """
SELECT 1 AS a, 'x,"y"' AS b, NULL AS c, 'nan'::DOUBLE AS d, [1, 2] AS e, MAP {'k': 1.5} AS f, DATE '2026-01-02' AS g
"""


def test_csv_has_a_header_and_quotes_what_needs_it(recorded: StoreLayout) -> None:
    stream = io.StringIO()
    with run_query(recorded.root, ODD) as result:
        write_csv(result, stream)
    assert stream.getvalue() == 'a,b,c,d,e,f,g\n1,"x,""y""",,nan,"[1, 2]","{""k"": 1.5}",2026-01-02\n'


def test_json_is_valid_and_writes_nan_as_null(recorded: StoreLayout) -> None:
    stream = io.StringIO()
    with run_query(recorded.root, ODD) as result:
        write_json(result, stream)
    assert json.loads(stream.getvalue()) == [
        {"a": 1, "b": 'x,"y"', "c": None, "d": None, "e": [1, 2], "f": {"k": 1.5}, "g": "2026-01-02"}
    ]


def test_json_of_no_rows_is_an_empty_array(recorded: StoreLayout) -> None:
    stream = io.StringIO()
    with run_query(recorded.root, "FROM trials WHERE false") as result:
        write_json(result, stream)
    assert json.loads(stream.getvalue()) == []


def test_columns_of_one_name_stay_apart_in_json(recorded: StoreLayout) -> None:
    stream = io.StringIO()
    with run_query(recorded.root, "SELECT 1 AS a, 2 AS a") as result:
        write_json(result, stream)
    assert json.loads(stream.getvalue()) == [{"a": 1, "a_2": 2}]


def test_parquet_keeps_types_and_every_row(recorded: StoreLayout, tmp_path: Path) -> None:
    with run_query(recorded.root, "SELECT range AS n, range / 2 AS h FROM range(300000)", form="arrow") as result:
        assert write_parquet(result, tmp_path / "out.parquet") == 300000
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 300000
    assert table.column("h")[3].as_py() == 1.5


def test_parquet_holds_parameters(recorded: StoreLayout, tmp_path: Path) -> None:
    query = "SELECT params, metrics FROM trials WHERE study = 'digits' AND number = 7"
    with run_query(recorded.root, query, form="arrow") as result:
        write_parquet(result, tmp_path / "out.parquet")
    row = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()[0]
    assert dict(row["metrics"])["val_loss"] == 1.0
    assert "sgd" in str(row["params"])


def test_a_failed_query_leaves_no_parquet_file(recorded: StoreLayout, tmp_path: Path) -> None:
    query = "SELECT if(range > 200000, 'x', '1')::INTEGER AS n FROM range(300000)"
    with run_query(recorded.root, query, form="arrow") as result, pytest.raises(QueryError):
        write_parquet(result, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []
