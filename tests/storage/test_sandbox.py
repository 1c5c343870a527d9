import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pegbox.schemas.errors import NotFoundError, QueryError, StoreCorruptError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.sandbox import Limits, Sandbox, open_sandbox, run_query

SECRET = Path(__file__)


@pytest.fixture(scope="module")
def sandbox(recorded: StoreLayout) -> Iterator[Sandbox]:
    with open_sandbox(recorded.root, Limits(seconds=20)) as sandbox:
        yield sandbox


def test_a_query_answers_with_columns_types_and_rows(sandbox: Sandbox) -> None:
    result = sandbox.query("SELECT number, value FROM trials WHERE study = 'digits' ORDER BY value LIMIT 2")
    assert result.columns == ("number", "value")
    assert result.types == ("INTEGER", "DOUBLE")
    assert list(result) == [[7, 1.0], [6, 1.01]]


@pytest.mark.parametrize(
    "query",
    [
        "FROM studies",
        "DESCRIBE trials",
        "SHOW TABLES",
        "SUMMARIZE trials",
        "EXPLAIN FROM trials",
        "VALUES (1)",
        "PIVOT (SELECT study, state FROM trials) ON state USING count(*)",
        "WITH t AS (FROM trials) SELECT count(*) FROM t",
        "-- a comment\nSELECT 1;",
    ],
)
def test_every_form_of_reading_is_allowed(sandbox: Sandbox, query: str) -> None:
    assert list(sandbox.query(query))


@pytest.mark.parametrize(
    "query",
    [
        f"FROM read_text('{SECRET}')",
        f"FROM read_csv('{SECRET}')",
        f"FROM read_blob('{SECRET}')",
        f"FROM '{SECRET}'",
        f"FROM sniff_csv('{SECRET}')",
        f"FROM parquet_metadata('{SECRET}')",
        "FROM glob('/*')",
        "FROM read_csv('http://127.0.0.1:9/x.csv')",
        "SELECT getenv('HOME')",
    ],
)
def test_files_network_and_environment_cannot_be_read(sandbox: Sandbox, query: str) -> None:
    with pytest.raises(QueryError, match=r"Cannot access file|does not exist|require"):
        list(sandbox.query(query))


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("COPY trials TO '{path}'", "COPY"),
        ("COPY (SELECT 1) TO '{path}'", "COPY"),
        ("ATTACH '{path}'", "ATTACH"),
        ("DETACH store", "DETACH"),
        ("INSTALL httpfs", "LOAD"),
        ("LOAD httpfs", "LOAD"),
        ("SET threads = 64", "SET"),
        ("RESET memory_limit", "SET"),
        ("PRAGMA memory_limit = '64GB'", "SET"),
        ("EXPORT DATABASE '{path}'", "EXPORT"),
        ("IMPORT DATABASE '{path}'", "PRAGMA"),
        ("DELETE FROM trials", "DELETE"),
        ("UPDATE trials SET value = 0", "UPDATE"),
        ("INSERT INTO trials SELECT * FROM trials", "INSERT"),
        ("TRUNCATE trials", "DELETE"),
        ("DROP TABLE trials", "DROP"),
        ("CREATE TABLE memory.main.t (a INTEGER)", "CREATE"),
        ("CREATE MACRO m() AS 1", "CREATE"),
        ("ALTER TABLE trials ADD COLUMN x INTEGER", "ALTER"),
        ("CALL force_checkpoint()", "CALL"),
        ("CHECKPOINT", "CALL"),
        ("PREPARE p AS SELECT 1", "PREPARE"),
        ("BEGIN", "TRANSACTION"),
        ("VACUUM", "VACUUM"),
        ("USE memory", "SET"),
    ],
)
def test_other_statements_are_refused_by_name(sandbox: Sandbox, tmp_path: Path, query: str, kind: str) -> None:
    target = tmp_path / "stolen"
    with pytest.raises(QueryError, match=f"refused.*got {kind}"):
        sandbox.query(query.format(path=target))
    assert not target.exists()


@pytest.mark.parametrize(
    "query",
    [
        "WITH gone AS (DELETE FROM trials RETURNING *) SELECT count(*) FROM gone",
        "WITH new AS (INSERT INTO trials SELECT * FROM trials RETURNING 1) FROM new",
        "WITH set AS (UPDATE trials SET value = 0 RETURNING 1) FROM set",
        "EXPLAIN ANALYZE DELETE FROM trials",
        "EXPLAIN ANALYZE INSERT INTO trials SELECT * FROM trials",
        "EXPLAIN ANALYZE CREATE TABLE memory.main.t AS SELECT 1",
    ],
)
def test_writing_inside_a_read_is_refused(sandbox: Sandbox, recorded: StoreLayout, query: str) -> None:
    before = recorded.snapshot.read_bytes()
    with pytest.raises(QueryError, match="it would write"):
        list(sandbox.query(query))
    assert recorded.snapshot.read_bytes() == before
    assert list(sandbox.query("SELECT count(*) FROM trials")) == [[23]]


def test_explain_analyze_of_a_copy_writes_no_file(sandbox: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "stolen"
    with pytest.raises(QueryError):
        list(sandbox.query(f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{target}'"))
    assert not target.exists()


@pytest.mark.parametrize(
    ("query", "count"), [("SELECT 1; SELECT 2", 2), ("SELECT 1; DROP TABLE trials", 2), ("", 0), (";", 0)]
)
def test_anything_but_one_statement_is_refused(sandbox: Sandbox, query: str, count: int) -> None:
    with pytest.raises(QueryError, match=f"exactly one statement is run, got {count}"):
        sandbox.query(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM range(1000000000000)",
        "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t",
        "SELECT levenshtein(repeat('a', 900000), repeat('b', 900000))",
    ],
)
def test_an_endless_query_is_stopped_in_time(recorded: StoreLayout, query: str) -> None:
    with (
        open_sandbox(recorded.root, Limits(seconds=1)) as sandbox,
        pytest.raises(QueryError, match="must answer within 1 s"),
    ):
        list(sandbox.query(query))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT repeat('x', 4000000000)",
        "SELECT list(range) FROM range(10000000000)",
        "SELECT range(0, 2000000000)",
        "SELECT string_agg(range::VARCHAR) FROM range(3000000000)",
        "FROM range(100000000) AS a, range(1000000) AS b ORDER BY random()",
    ],
)
def test_a_memory_bomb_is_stopped_by_its_limit(recorded: StoreLayout, query: str) -> None:
    with (
        open_sandbox(recorded.root, Limits(seconds=20, memory_bytes=64 << 20)) as sandbox,
        pytest.raises(QueryError, match="must fit in 64 MiB"),
    ):
        list(sandbox.query(query))


def test_the_start_of_the_process_counts_against_no_query(
    recorded: StoreLayout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Python starts late, as it does on a busy machine."""
    slow = tmp_path / "python"
    slow.write_text(f'#!/bin/sh\nsleep 2.5\nexec {sys.executable} "$@"\n')
    slow.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(slow))

    with open_sandbox(recorded.root, Limits(seconds=2)) as sandbox:
        assert list(sandbox.query("SELECT 1")) == [[1]]


def test_the_sandbox_goes_on_after_a_query_was_stopped(recorded: StoreLayout) -> None:
    with open_sandbox(recorded.root, Limits(seconds=2)) as sandbox:
        with pytest.raises(QueryError):
            list(sandbox.query("SELECT count(*) FROM range(1000000000000)"))
        assert list(sandbox.query("SELECT 1")) == [[1]]


def test_a_result_that_is_not_read_to_its_end_is_dropped(recorded: StoreLayout) -> None:
    with open_sandbox(recorded.root) as sandbox:
        assert next(iter(sandbox.query("FROM range(10000000)"))) == [0]
        assert list(sandbox.query("SELECT 1")) == [[1]]


def test_a_failing_query_says_where(sandbox: Sandbox) -> None:
    with pytest.raises(QueryError, match='Did you mean "trials"'):
        sandbox.query("FROM trialz")


def test_a_late_failure_is_raised_while_reading(sandbox: Sandbox) -> None:
    with pytest.raises(QueryError, match="Could not convert"):
        list(sandbox.query("SELECT if(range > 200000, 'x', '1')::INTEGER FROM range(300000)"))


def test_a_store_without_history_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no history"), run_query(tmp_path, "SELECT 1"):
        pass


def test_a_damaged_snapshot_is_named(tmp_path: Path) -> None:
    (tmp_path / "history.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreCorruptError, match="pegbox store rebuild"), run_query(tmp_path, "SELECT 1"):
        pass


READER = """
import sys
from pathlib import Path
from pegbox.storage.sandbox import open_sandbox
with open_sandbox(Path(sys.argv[1])) as sandbox:
    list(sandbox.query("SELECT 1"))
    print(sandbox._process.pid, flush=True)
    list(sandbox.query("SELECT count(*) FROM range(1000000000000) a WHERE hash(a.range) = 7"))
"""


def test_a_query_ends_with_its_reader(recorded: StoreLayout) -> None:
    reader = subprocess.Popen([sys.executable, "-c", READER, recorded.root], stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    process = Path("/proc") / reader.stdout.readline().strip()
    time.sleep(0.2)  # so that it is within the query

    reader.kill()
    reader.communicate()

    deadline = time.monotonic() + 60
    while process.exists() and "Z" not in (process / "stat").read_text().rpartition(")")[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
