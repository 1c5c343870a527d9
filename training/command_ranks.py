"""A program in several processes, as torchrun starts it: rank 0 is read, and the first that fails ends all."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Self

from pegbox.training.command_process import CommandProcess
from pegbox.training.ranks import free_port, rank_environment


class RankedProcesses:
    """One process, or as many as a trial has; as a context, so that none outlives the segment."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], n: int, tell: Callable[[str], None]
    ) -> None:
        """Start them.

        Args:
            arguments: Of each.
            environment: Of each, beside its rank.
            n: How many.
            tell: Called with each line of the ranks that are not read, from threads of their own.

        Raises:
            OSError: The program was not found, or may not be executed.
        """
        self._failed: CommandProcess | None = None
        self._lock = threading.Lock()
        self._tell = tell
        self._ranks: list[CommandProcess] = []
        port = free_port() if n > 1 else 0
        with ExitStack() as started:
            for rank in range(n):
                ranked = rank_environment(rank, n, port) if n > 1 else {}
                self._ranks.append(started.enter_context(CommandProcess(arguments, {**environment, **ranked})))
            self._ends = started.pop_all()
        self._threads = [
            threading.Thread(target=self._watch, args=(rank, process), daemon=True)
            for rank, process in enumerate(self._ranks)
            if rank > 0
        ]

    def lines(self) -> Iterator[str]:
        """Lines of rank 0 as they come, until it ends."""
        yield from self._ranks[0].lines()
        self._note_end(self._ranks[0])

    def error_lines(self) -> Iterator[str]:
        """Lines of rank 0's stderr, once it has ended."""
        return self._ranks[0].error_lines()

    def wait(self) -> int:
        """Exit code of the first that failed; 0 where all have ended well."""
        for thread in self._threads:
            thread.join()
        return (self._failed or self._ranks[0]).wait()

    def tails(self) -> tuple[str, str]:
        """The ends of what it wrote to stdout and to stderr, of the rank that failed or of rank 0."""
        return (self._failed or self._ranks[0]).tails()

    def _watch(self, rank: int, process: CommandProcess) -> None:
        """Read a rank that does not report, so that its pipe never fills, and see how it ends."""
        for line in process.lines():
            self._tell(f"[rank {rank}] {line}")
        self._note_end(process)

    def _note_end(self, process: CommandProcess) -> None:
        if process.wait() == 0:
            return
        with self._lock:
            is_first, self._failed = self._failed is None, self._failed or process
        if is_first:  # the others wait for it in a collective call, some for half an hour
            for other in self._ranks:
                other.terminate()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()
        for thread in self._threads:
            thread.join()
