"""Tells Prefect which task run followed from which, so that its graph shows propose → train → evaluate → propose."""

from collections.abc import Callable
from typing import Any, TypeVar, cast
from uuid import UUID

from prefect import Task
from prefect.client.schemas.objects import State, StateType
from prefect.futures import PrefectFuture

Decided = TypeVar("Decided")


class TaskOrder:
    """What has ended in a study since its last decision, by the ids of task runs.

    Prefect draws what is handed from task to task as futures. The loop of a study waits for none and hands over
    histories, so it is told.
    """

    def __init__(self) -> None:
        self._ended: list[UUID] = []
        self.decision: UUID | None = None
        """The task run that decided last; None before the first decision."""

    def ended(self, run: UUID) -> None:
        """A training or an evaluation is over, whichever way; the next decision follows on it."""
        self._ended.append(run)

    def decide(self, task: Task[..., Decided], *arguments: Any) -> Decided:
        """Run a task that sees all that has ended so far; what is begun after it may follow on it.

        Raises:
            Exception: What the task raised.
        """
        # The decision before as well: the first ones are made while nothing has ended.
        earlier = [] if self.decision is None else [self.decision]
        run = cast("Callable[..., State[Decided]]", task)
        state = run(*arguments, wait_for=following(*earlier, *self._ended), return_state=True)
        self.decision, self._ended = state.state_details.task_run_id, []
        return state.result()


class _Over(State[None]):
    """Of a run whose result nobody needs; Prefect's own would start a coroutine to say so."""

    def result(self, *how: Any, **options: Any) -> None:
        """Nothing."""


_OVER = _Over(type=StateType.COMPLETED)


class RunOver(PrefectFuture[None]):
    """A task run that is over, whichever way, by its id alone.

    A future, because Prefect takes one as it is: into whatever else it is given it looks for results by the identity of
    all that is in them, small numbers among it, and draws arrows that nobody meant. What follows on a training that
    failed is run all the same.
    """

    def __init__(self, run: UUID) -> None:
        self._run = run

    @property
    def task_run_id(self) -> UUID:
        """Prefect's id."""
        return self._run

    @property
    def state(self) -> State[None]:
        """That it is over."""
        return _OVER

    def wait(self, timeout: float | None = None) -> None:
        """Not at all."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> None:
        """Nothing."""

    def add_done_callback(self, fn: Callable[[PrefectFuture[None]], None]) -> None:
        """Call it now."""
        fn(self)


def following(*runs: UUID | None) -> list[RunOver]:
    """Task runs that are over, as `wait_for` takes them."""
    return [RunOver(run) for run in runs if run]
