"""The process that SQL from a user runs in: one read-only snapshot, no files, no network, little memory, then its end.

A program of its own that imports DuckDB and nothing of pegbox, so that it starts as fast as DuckDB does. It is told
the snapshot and the limits as JSON on its command line, reads one JSON request a line, and answers in frames: a
letter, the length of what follows in four bytes, and the content. `H` holds names and types of the columns, `R` rows as
JSON, `A` a piece of an Arrow stream, `E` the end, and `X` an error. `S` comes once, before all others: it is ready.
"""

import contextlib
import datetime
import decimal
import json
import os
import resource
import select
import signal
import struct
import sys
import threading
from collections.abc import Iterator
from typing import Any

import duckdb

CPU_MARGIN_SECONDS = 30
"""Beside what a query may take on all its threads, for rows that are printed."""
# Picked by hand: 64 rows fill a screen, so that the first of many show at once; 2048 is a vector of DuckDB, which is
# what it computes at a time.
FIRST_ROWS, ROWS = 64, 2048
# Picked by hand: who asks holds a frame several times over, as bytes, text and values.
MOST_CHARACTERS = 1 << 25
READS = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}


def main() -> None:
    """Answer requests until there are no more."""
    told = json.loads(sys.argv[1])
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not become an answer
    # Before DuckDB opens anything: limits hold for what comes after them.
    confine(told["memory_bytes"])
    threading.Thread(target=end_with_reader, daemon=True).start()
    try:
        connection = connect(told["snapshot"], told["memory_bytes"], told["threads"])
    except duckdb.Error as error:
        send(answers, b"X", {"kind": "damaged", "message": str(error)})
        return
    send(answers, b"S", {})
    for request in sys.stdin:
        limit_cpu(told["seconds"] * told["threads"])
        answer(connection, json.loads(request), answers)


def confine(memory_bytes: int) -> None:
    """Take from this process the right to write files, to grow, and to outlive its parent."""
    # Ignored, so that a write over the limit is an error that DuckDB tells, and no death that looks like want of
    # memory.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # No core dump: it would hold the history, and lie where the reader stands.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Some functions allocate beside DuckDB's own accounting; threads and libraries reserve addresses they never use.
    most = 2 * memory_bytes + (2 << 30)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def end_with_reader() -> None:
    """Wait until nobody can ask any more, as who reads was killed, and end; a query would run on for nobody.

    Not the kernel's death signal, which comes when the *thread* that started this process ends.
    """
    hung_up = select.poll()
    hung_up.register(0, select.POLLHUP)
    hung_up.poll()
    # Not sys.exit, which ends a thread alone, and would wait for the query.
    os._exit(1)


def limit_cpu(seconds: float) -> None:
    """Have the kernel end this process where a query takes more; who reads has given up long before."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    most = int(usage.ru_utime + usage.ru_stime + seconds) + CPU_MARGIN_SECONDS
    # Only the soft limit moves from query to query: a hard one that was lowered could not be raised for the next.
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def connect(snapshot: str, memory_bytes: int, threads: int) -> duckdb.DuckDBPyConnection:
    """A connection that can read the snapshot and can be given no further rights."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            # A name in FROM would else be looked up among the variables of this program.
            "python_enable_replacements": "false",
            "memory_limit": f"{memory_bytes // 1024} KiB",
            # Spilling to disk would be a write outside of the limit on memory; the query ends instead.
            "temp_directory": "",
            "threads": str(threads),
        },
    )
    escaped = snapshot.replace("'", "''")
    connection.execute(f"ATTACH '{escaped}' AS store (READ_ONLY)")
    connection.execute("USE store")
    # After ATTACH, which needs it; then the lock, after which no SET of the query can bring anything back.
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def answer(connection: duckdb.DuckDBPyConnection, request: dict[str, Any], answers: int) -> None:
    """Run one query and send what it gives."""
    try:
        statement = the_one_read(connection, request["sql"])
        connection.execute("BEGIN TRANSACTION READ ONLY")  # or EXPLAIN ANALYZE would write to the memory beside it
        result = connection.execute(statement)
        send(answers, b"H", {"columns": [[column[0], str(column[1])] for column in result.description or []]})
        n_rows = send_arrow(result, answers) if request["form"] == "arrow" else send_rows(result, answers)
        send(answers, b"E", {"n_rows": n_rows})
    except Refused as error:
        send(answers, b"X", {"kind": "refused", "message": str(error)})
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        send(answers, b"X", {"kind": "memory", "message": str(error) or "no memory is left for the rows"})
    except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
        send(answers, b"X", {"kind": "damaged", "message": str(error)})
    except (duckdb.Error, ValueError) as error:
        send(answers, b"X", explained(str(error)))
    finally:
        with contextlib.suppress(duckdb.Error):  # there is none where the query was refused
            connection.execute("ROLLBACK")


def explained(said: str) -> dict[str, str]:
    """What a failure means that has no class of its own in DuckDB."""
    if "Corrupt database file" in said:
        return {"kind": "damaged", "message": said}
    if "read-only" in said:
        return {"kind": "refused", "message": "it would write"}
    return {"kind": "failed", "message": said}


class Refused(Exception):  # noqa: N818 - an answer, not an error of this program
    """The query is not of a kind that is run here."""


def the_one_read(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The single statement of a query, if it reads.

    Raises:
        Refused: There are none or several, or it is of another kind.
    """
    # DuckDB's own parser, which will run it: a check by another one can be led to see another statement.
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise Refused(f"exactly one statement is run, got {len(statements)}")
    kind = statements[0].type
    # PIVOT is rewritten to several statements, the first of which makes a type. Whatever else passes under its name
    # meets the read-only transaction below.
    is_pivot = kind == duckdb.StatementType.MULTI and sql.lstrip(" (\n\t").lower().startswith(("pivot", "with", "from"))
    if kind not in READS and not is_pivot:
        raise Refused(f"only SELECT, FROM, EXPLAIN, DESCRIBE, SHOW, SUMMARIZE and PIVOT are run, got {kind.name}")
    return statements[0]


def send_rows(result: duckdb.DuckDBPyConnection, answers: int) -> int:
    """Send rows as JSON, the first few at once."""
    n_rows, size = 0, FIRST_ROWS
    while rows := result.fetchmany(size):
        for piece in pieces([[plain(value) for value in row] for row in rows]):
            send_bytes(answers, b"R", piece.encode(errors="replace"))
        n_rows, size = n_rows + len(rows), ROWS
    return n_rows


def pieces(rows: list[list[Any]]) -> Iterator[str]:
    """The rows as JSON: at once, or one by one where they are long, because who asked must hold a piece in memory.

    Raises:
        MemoryError: One row alone is too long.
    """
    content = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
    if len(content) <= MOST_CHARACTERS:
        yield content
    elif len(rows) > 1:
        for row in rows:
            yield from pieces([row])
    else:
        raise MemoryError(f"one row holds more than {MOST_CHARACTERS >> 20} million characters")


def send_arrow(result: duckdb.DuckDBPyConnection, answers: int) -> int:
    """Send an Arrow stream."""
    import pyarrow as pa

    n_rows = 0
    # Picked by hand: 131,072 rows a batch, near the row group of DuckDB's own storage (122,880), are few frames and
    # some megabytes each.
    reader = result.to_arrow_reader(64 * ROWS)
    assert reader is not None
    with pa.ipc.new_stream(_Frames(answers), reader.schema) as stream:
        for batch in reader:
            stream.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows


class _Frames:
    """Looks like a file to Arrow and sends what is written to it."""

    closed = False

    def __init__(self, answers: int) -> None:
        self._answers = answers

    def write(self, content: bytes) -> int:
        send_bytes(self._answers, b"A", bytes(content))
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The frames go on."""


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case decimal.Decimal():
            return float(value)
        case datetime.datetime():
            return value.isoformat(sep=" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case dict():
            return {str(name): plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return str(value)


def send(answers: int, tag: bytes, content: Any) -> None:
    """Send a frame of JSON."""
    send_bytes(answers, tag, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))


def send_bytes(answers: int, tag: bytes, content: bytes) -> None:
    """Send a frame."""
    rest = memoryview(tag + struct.pack("!I", len(content)) + content)
    while rest:
        rest = rest[os.write(answers, rest) :]


if __name__ == "__main__":
    main()
