"""The published history in the command line of DuckDB 1.5, which most other tools still bring."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pegbox.storage.layout import StoreLayout
from pegbox.storage.reading import connect_snapshot

DUCKDB = Path(sys.executable).with_name("duckdb")

pytestmark = pytest.mark.skipif(not DUCKDB.exists(), reason="duckdb-cli is not installed")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _ask(store: StoreLayout, *queries: str) -> str:
    done = subprocess.run(
        [str(DUCKDB), "-readonly", "-csv", str(store.snapshot)],
        input=";\n".join(queries) + ";\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.stdout


def test_the_command_line_is_an_older_one() -> None:
    said = subprocess.run([str(DUCKDB), "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert said.startswith("v1.5.")
    assert not duckdb.__version__.startswith("1.")


def test_every_table_and_view_is_read(recorded: StoreLayout) -> None:
    with connect_snapshot(recorded) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'store' UNION ALL "
                "SELECT view_name FROM duckdb_views() WHERE database_name = 'store' AND NOT internal"
            ).fetchall()
        ]
        n_trials = connection.execute("SELECT count(*) FROM trials").fetchone()

    said = _ask(
        recorded, *(f"FROM (FROM {quoted(name)} LIMIT 1)" for name in names), "SELECT count(*) AS n FROM trials"
    )

    assert len(names) > 30
    assert n_trials is not None
    assert said.splitlines()[-2:] == ["n", str(n_trials[0])]


@pytest.mark.parametrize(
    "macro",
    [
        "top('digits', k := 3)",
        "marginal('digits', 'lr')",
        "best_so_far('digits')",
        "pareto('digits')",
        "curve_bands('digits', 'val_loss')",
        "failure_kinds('digits')",
        "rank_correlations('digits')",
        "finalists('digits')",
        "interaction('digits', 'lr', 'layers')",
    ],
)
def test_macros_answer_as_in_pegbox(recorded: StoreLayout, macro: str) -> None:
    query = f"SELECT count(*) AS n FROM {macro}"
    with connect_snapshot(recorded) as connection:
        expected = connection.execute(query).fetchone()

    assert expected is not None
    assert _ask(recorded, query).splitlines()[-1] == str(expected[0])
