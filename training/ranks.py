"""One trial in several processes, as torchrun starts them: ranks, their environment, and the end of all with the first
that fails.

Source: the variables are those of `torch.distributed.run`, on one machine.
"""

import os
import pickle
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, Literal, NamedTuple

from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure
from pegbox.training.failures import failure_of, failure_of_exit

PROCESSES = "PEGBOX_PROCESSES"
"""Variable of a worker's environment: how many processes train each of its trials."""
# Picked by hand: a rank whose peer has gone raises within a moment, and what it says is not the cause.
GRACE_SECONDS = 1.0
"""How long the other ranks may take to end by themselves once one has ended badly."""

Send = Callable[[Any], None]
"""From rank 0 to the trial's own process."""


def n_processes() -> int:
    """How many processes train a trial of this worker."""
    return int(os.environ.get(PROCESSES, "1"))


def rank_environment(rank: int, n: int, port: int) -> dict[str, str]:
    """What `torch.distributed.init_process_group` reads; all ranks are on one machine.

    >>> rank_environment(1, 2, 29500)["RANK"]
    '1'
    """
    return {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(n), "LOCAL_WORLD_SIZE": str(n),
        "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip


def free_port() -> int:
    """A port of this machine that nobody listens on now, where rank 0 can."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_ranks(n: int, body: Callable[[int, Send], Any], take: Callable[[Any], None]) -> Any:
    """Run `body(rank, send)` in `n` processes forked from this one, and give what rank 0 returns.

    This process itself trains nothing: it makes no context of a GPU, and is free to see to the others.

    Args:
        n: How many.
        body: What each does; what the others than rank 0 send and return is dropped.
        take: Called here with what rank 0 sends, in order.

    Raises:
        TrialError: A rank failed, in its own words; or `take` did. All ranks have ended then.
    """
    port = free_port()
    ranks = [_Rank(rank, n, port, body) for rank in range(n)]
    try:
        return _wait(ranks, take)
    finally:
        for rank in ranks:
            rank.end()


def _wait(ranks: list["_Rank"], take: Callable[[Any], None]) -> Any:
    running, result = {rank.connection: rank for rank in ranks}, None
    while running:
        for connection in wait(list(running)):
            rank = running[connection]  # type: ignore[index]
            said = rank.hear()
            if said.kind == "sent":
                take(said.content)
                continue
            if said.kind == "failed":
                raise TrialError(_cause(said, [one for one in running.values() if one is not rank]))
            result = said.content if rank.number == 0 else result
            del running[rank.connection]
    return result


def _cause(said: "_Said", others: list["_Rank"]) -> Failure:
    """The first failure: the others mostly say that their peer has gone."""
    known = [said]
    for rank in others:
        while rank.connection.poll():
            known.append(rank.hear())
            if known[-1].kind != "sent":
                break
    failure: Failure = min((one for one in known if one.kind == "failed"), key=lambda one: one.at).content
    return failure


class _Said(NamedTuple):
    """A word of a rank."""

    kind: Literal["sent", "returned", "failed"]
    content: Any
    at: float
    """By the machine's monotonic clock, which all its processes share."""


class _Rank:
    """One process of a trial, seen from the trial's own."""

    def __init__(self, number: int, n: int, port: int, body: Callable[[int, Send], Any]) -> None:
        self.number = number
        self.connection, theirs = Pipe(duplex=False)
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            self.connection.close()
            os.environ.update(rank_environment(number, n, port))
            _be_rank(number, body, theirs)
        theirs.close()
        self._has_ended = False

    def hear(self) -> _Said:
        """What it says: something sent, its result or its failure; how it ended where it says nothing more."""
        try:
            said = _Said(*pickle.loads(self.connection.recv_bytes()))  # noqa: S301 - written by its process
        except (EOFError, OSError):
            code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            self._has_ended = True
            said = _Said("failed", failure_of_exit(code), time.monotonic())
        if said.kind != "failed":
            return said
        message = f"rank {self.number}: {said.content.message}"
        return said._replace(content=said.content.model_copy(update={"message": message}))

    def end(self) -> None:
        """End it, and wait for its end."""
        deadline = time.monotonic() + GRACE_SECONDS
        while not self._has_ended:
            # Its pid is its own until it has been waited for.
            self._has_ended = os.waitpid(self._pid, os.WNOHANG)[0] != 0
            if not self._has_ended and time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                self._has_ended = True
            elif not self._has_ended:
                time.sleep(0.01)
        self.connection.close()


def _be_rank(number: int, body: Callable[[int, Send], Any], connection: Connection) -> None:
    """In the fork: never comes back."""

    def say(kind: str, content: Any) -> None:
        connection.send_bytes(pickle.dumps((kind, content, time.monotonic())))

    code = 1
    try:
        # Results and reports of the others count for nothing, and may be what cannot be pickled.
        result = body(number, (lambda content: say("sent", content)) if number == 0 else _drop)
        say("returned", result if number == 0 else None)
        code = 0
    except BaseException as error:  # noqa: BLE001 - SystemExit too is an end of the trial
        say("failed", failure_of(error))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _drop(_: Any) -> None:
    """What a rank other than 0 reports."""
