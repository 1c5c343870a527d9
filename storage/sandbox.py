"""The SQL sandbox: runs what a user typed in a process that can only read the snapshot, with limits (time, memory).

"Only SELECT" is no sandbox: `WITH x AS (DELETE ... RETURNING *) SELECT ...` and `EXPLAIN ANALYZE DELETE` would
execute. Here the snapshot is attached read-only, file and network access are off and cannot be switched on again, and
the system itself (resource limits, a deadline that kills) stops what DuckDB does not. This module loads no database.
"""

import json
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, NoReturn, Self

from pegbox.storage.freshness import is_fresh
from pegbox.storage.layout import StoreLayout, no_history

Form = Literal["rows", "arrow"]


# Picked by hand: a heat map of a million trials takes a fraction of a second, so that a query of 30 s has gone wrong;
# 2 GiB leave a laptop usable; two threads, because training may run beside.
class Limits(NamedTuple):
    """What a query may take."""

    seconds: float = 30.0
    """Of waiting for the next rows, all together; the time in which they are printed does not count."""
    memory_bytes: int = 2 << 30
    threads: int = 2


DEFAULT_LIMITS = Limits()
# Picked by hand: half a second where nothing else runs, ten at a load of 30.
START_SECONDS = 60.0
"""What the process may take until it is ready, which no query is to blame for."""


class QueryResult:
    """The answer to one query, read once from its beginning to its end.

    Attributes:
        columns: Names, in order.
        types: SQL types, in order.
    """

    def __init__(self, sandbox: "Sandbox", columns: list[list[str]]) -> None:
        self._sandbox = sandbox
        self.columns = tuple(name for name, _ in columns)
        self.types = tuple(kind for _, kind in columns)
        self.n_rows: int | None = None
        """Known at the end."""

    def __iter__(self) -> Iterator[list[Any]]:
        """Rows of plain values: numbers, text, booleans, None, lists and dictionaries; times are ISO 8601 text.

        Raises:
            QueryError: The query failed while it ran, or met a limit.
        """
        for tag, content in self._frames():
            if tag == b"R":
                yield from json.loads(content)

    def arrow_pieces(self) -> Iterator[bytes]:
        """An Arrow IPC stream, piece by piece; for a query that was asked for as `arrow`.

        Raises:
            QueryError: The query failed while it ran, or met a limit.
        """
        for tag, content in self._frames():
            if tag == b"A":
                yield content

    def _frames(self) -> Iterator[tuple[bytes, bytes]]:
        while self.n_rows is None:
            tag, content = self._sandbox.receive()
            if tag == b"E":
                self.n_rows = json.loads(content)["n_rows"]
                return
            yield tag, content


class Sandbox:
    """A process for queries, started at once; many queries may be run one after the other, each on the same snapshot.

    After a query that met a limit, or that was not read to its end, a new process takes its place.
    """

    def __init__(self, store: StoreLayout, limits: Limits = DEFAULT_LIMITS) -> None:
        self._store = store
        self._limits = limits
        self._waited = 0.0
        self._is_ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._running: QueryResult | None = None
        if not store.snapshot.exists():
            from pegbox.schemas.errors import NotFoundError

            raise NotFoundError(no_history(store))
        self._start()

    def query(self, sql: str, form: Form = "rows") -> QueryResult:
        """Run one query.

        Args:
            sql: Exactly one statement that reads.
            form: How the result is wanted; it decides which of its iterators holds something.

        Raises:
            QueryError: It was refused, failed, or met a limit.
            StoreCorruptError: The snapshot is damaged.
        """
        # What was not read of the answer before still stands in the pipe, and would be taken for this one.
        if self._process is None or (self._running is not None and self._running.n_rows is None):
            self.close()
            self._start()
        self._running = None
        if not self._is_ready:
            self._waited = self._limits.seconds - START_SECONDS
            self.receive()
            self._is_ready = True
        self._waited = 0.0
        self._send({"sql": sql, "form": form})
        _, content = self.receive()
        self._running = QueryResult(self, json.loads(content)["columns"])
        return self._running

    def receive(self) -> tuple[bytes, bytes]:
        """The next frame of the answer.

        Raises:
            QueryError: The query was refused, failed, or met a limit.
            StoreCorruptError: The snapshot is damaged.
        """
        tag, length = struct.unpack("!cI", self._read(5))
        content = self._read(length)
        if tag == b"X":
            self._running = None
            error = json.loads(content)
            self._fail(error["kind"], error["message"])
        return tag, content

    def kill(self) -> None:
        """End the running query from another thread; who waits for its answer gets a `QueryError`."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            # Waits for the end, so that no zombie is left, and closes both pipes.
            self._process.communicate()
            self._process = None
        self._running = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        told = {"snapshot": str(self._store.snapshot), **self._limits._asdict()}
        program = Path(__file__).with_name("sandbox_process.py")
        self._is_ready = False
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            # -P: a file named duckdb.py where the user stands would else be imported first. The program is run by its
            # path, not as a module, so that nothing of pegbox is loaded on the way.
            [sys.executable, "-P", str(program), json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Nobody reads it, and a pipe that nobody empties blocks its writer once it is full.
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the one who prints
        )

    def _send(self, request: dict[str, str]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended; what it said before is read next
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self, n_bytes: int) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        content = bytearray()
        while len(content) < n_bytes:
            before = time.monotonic()
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, self._limits.seconds - self._waited))
            self._waited += time.monotonic() - before
            if not ready:
                self.close()
                self._fail("time", "")
            # Raw: a buffered reader would hold bytes that select does not see, and wait for ever beside them.
            piece = self._process.stdout.raw.read(n_bytes - len(content))  # type: ignore[attr-defined]
            if not piece:
                self.close()
                # Nothing else ends it without a frame: the limit on addresses or the kernel, for want of memory.
                self._fail("memory", "the process was ended by the system")
            content += piece
        return bytes(content)

    def _fail(self, kind: str, message: str) -> NoReturn:
        from pegbox.schemas.errors import QueryError, StoreCorruptError

        limits = self._limits
        match kind:
            case "time":
                raise QueryError(
                    f"The query must answer within {limits.seconds:g} s, and was stopped. Narrow it with WHERE or "
                    "LIMIT, or raise the limit."
                )
            case "memory":
                raise QueryError(
                    f"The query must fit in {limits.memory_bytes / (1 << 20):g} MiB of memory, and was stopped: "
                    f"{message.splitlines()[0]}. Select fewer columns, aggregate first, or raise the limit."
                )
            case "refused":
                raise QueryError(
                    f"The query was refused: {message}. The history is only read here; it changes through its journals."
                )
            case "damaged":
                raise StoreCorruptError(
                    f"The snapshot {self._store.snapshot} could not be read: {message.splitlines()[0]!r}. Run `pegbox "
                    "store verify`, and `pegbox store rebuild` to make it again from the journals."
                )
            case _:
                raise QueryError(f"The query failed: {message}")


def open_sandbox(root: Path, limits: Limits = DEFAULT_LIMITS, *, fresh: bool = True) -> Sandbox:
    """A sandbox on the newest snapshot of a store.

    Args:
        root: The store's directory.
        limits: For each query.
        fresh: Bring the snapshot up to date first, where the store can be written and something is missing.

    Raises:
        NotFoundError: There is no history in the directory.
    """
    store = StoreLayout(Path(root).absolute())
    if fresh and store.journal.is_dir() and not is_fresh(store):
        from pegbox.storage.history_file import refresh

        refresh(store)
    return Sandbox(store, limits)


@contextmanager
def run_query(
    root: Path, sql: str, form: Form = "rows", limits: Limits = DEFAULT_LIMITS, *, fresh: bool = True
) -> Iterator[QueryResult]:
    """Run one query in a sandbox of its own.

    Raises:
        NotFoundError: There is no history in the directory.
        QueryError: The query was refused, failed, or met a limit.
        StoreCorruptError: The snapshot is damaged.
    """
    with open_sandbox(root, limits, fresh=fresh) as sandbox:
        yield sandbox.query(sql, form)
