"""Gives futures back in the order in which they end, so that no worker waits for the slowest of a batch."""

from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar
from uuid import UUID

from prefect.futures import PrefectFuture

from pegbox.execution.lost_workers import loss_of
from pegbox.schemas.errors import TrialError

About = TypeVar("About")


@dataclass(frozen=True)
class Completion(Generic[About]):
    """One future that ended.

    Attributes:
        about: What it was submitted for.
        task_run: Prefect's id of what ended.
        outcome: The result, or the exception that the task raised; a `TrialError` where its worker was lost.
        is_cached: True if the result was found instead of computed.
    """

    about: About
    task_run: UUID
    outcome: Any
    is_cached: bool = False


class Completions(Generic[About]):
    """Futures that were submitted and have not been taken back."""

    def __init__(self) -> None:
        # A SimpleQueue, as its `put` is reentrant and never blocks: callbacks run in whichever thread ends a task.
        self._ended: SimpleQueue[tuple[About, PrefectFuture[Any]] | None] = SimpleQueue()
        self._open = 0

    def __len__(self) -> int:
        return self._open

    def add(self, about: About, future: PrefectFuture[Any]) -> None:
        """Watch a future."""
        self._open += 1
        future.add_done_callback(lambda ended: self._ended.put((about, ended)))

    def wake(self) -> None:
        """End the waiting of `next`; any thread may call it."""
        self._ended.put(None)

    def next(self, timeout_seconds: float | None = None) -> Completion[About] | None:
        """Wait for the next future to end; None where the time is over before, or somebody has waked the waiting."""
        try:
            ended = self._ended.get(timeout=timeout_seconds)
        except Empty:
            return None
        if ended is None:
            return None
        about, future = ended
        self._open -= 1
        future.wait()  # the state in a done-callback may still say Running
        try:
            outcome = future.result(raise_on_failure=False)
        except Exception as error:  # noqa: BLE001 - Dask has no state for a task whose worker it lost
            outcome = error
        if not isinstance(outcome, BaseException):
            return Completion(about, future.task_run_id, outcome, is_cached=future.state.name == "Cached")
        loss = loss_of(outcome)
        return Completion(about, future.task_run_id, TrialError(loss) if loss else outcome)
