"""Cancels or suspends a study with Prefect: hears of it where no runner signals it, and ends the run `Cancelled`."""

import inspect
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import State, StateType
from prefect.context import FlowRunContext
from prefect.exceptions import Pause, TerminationSignal
from prefect.states import Cancelled
from prefect.utilities.asyncutils import run_coro_as_sync

from pegbox.flows.interruption import Interruption, is_word_of_prefect
from pegbox.flows.run_family import with_parents
from pegbox.schemas.errors import StudyInterruptedError

# Picked by hand: a look costs the server some 10 ms, and whoever presses Cancel waits for seconds, not for minutes.
LOOK_SECONDS = 2.0
"""How often Prefect is asked whether the flow run is cancelled: nobody signals a run that no runner started."""

_ENDING = FlowRunFilterState(
    type=FlowRunFilterStateType(any_=[StateType.CANCELLING, StateType.CANCELLED, StateType.PAUSED])
)
_logger = logging.getLogger(__name__)


class RunSuspended(KeyboardInterrupt):
    """Somebody suspended the flow run of a deployment: Prefect runs it again once it is resumed."""

    def __init__(self, state: State[Any]) -> None:
        self.state = state
        super().__init__("the run was suspended")


def is_interrupt(error: BaseException) -> bool:
    """True for what a signal, a cancellation or `pegbox stop` raises, wherever it found the run."""
    # DuckDB looks for signals while it works, and calls whatever their handlers raise a RuntimeError of this text.
    is_query = isinstance(error, RuntimeError) and str(error) == "Query interrupted"
    return is_query or isinstance(error, (StudyInterruptedError, KeyboardInterrupt, TerminationSignal))


def cancelled(error: BaseException, study: str) -> State[StudyInterruptedError]:
    """What a flow returns that was interrupted: its run ends `Cancelled`, its caller gets a `StudyInterruptedError`.

    A returned state is how Prefect takes one. An exception would be called `Failed`, and an interrupt `Crashed`: both
    call the flow's hooks of failure, for a study that somebody stopped.

    Args:
        error: What ended the flow.
        study: Its name.

    Raises:
        TerminationSignal: The runner that started this process ended the flow, and has told Prefect's engine why: it
            ends this flow run and those around it.
        Pause: The flow run was suspended, which is no end.
    """
    if isinstance(error, RunSuspended):
        raise Pause(state=error.state) from error
    if is_word_of_prefect():
        raise TerminationSignal(signal.SIGTERM) from error
    if not isinstance(error, StudyInterruptedError):
        error = StudyInterruptedError(f"Study {study!r} was stopped at once. The same command goes on with it.")
    state: State[StudyInterruptedError] = Cancelled(message=str(error), data=error)
    _call_hooks(state)
    return state


def _call_hooks(state: State[StudyInterruptedError]) -> None:
    """What the user has Prefect call when the flow is cancelled; the engine calls it for `Cancelling` alone."""
    context = FlowRunContext.get()
    if context is None or context.flow is None or context.flow_run is None:
        return
    for hook in context.flow.on_cancellation_hooks:
        done = hook(context.flow, context.flow_run, state)
        if inspect.iscoroutine(done):
            run_coro_as_sync(done)


@contextmanager
def cancel_heard(interruption: Interruption) -> Iterator[None]:
    """Have the interruption told once Prefect cancels or suspends this flow run, or one that it is a part of."""
    over = threading.Event()
    # With a copy of the context, in which the flow run and the server's address stand.
    watch = threading.Thread(target=copy_context().run, args=(_watch, interruption, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()  # not waited for: it may be asking a server that does not answer


def _watch(interruption: Interruption, over: threading.Event) -> None:
    ids: list[UUID] = []
    context = FlowRunContext.get()
    while not over.wait(LOOK_SECONDS):
        try:
            with get_client(sync_client=True) as client:
                ids = ids or with_parents(client, context.flow_run if context else None)
                found = client.read_flow_runs(
                    flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=ids), state=_ENDING)
                )
        except Exception as error:  # noqa: BLE001 - a server that is away, in whichever words, stops no study
            _logger.debug("Prefect was not asked whether the run is cancelled: %s", error)
            continue
        if found and not over.is_set():
            # The outermost that is: where it is cancelled, it matters no more that a part of it was suspended.
            state = max(found, key=lambda run: ids.index(run.id)).state
            is_pause = state is not None and state.is_paused()
            interruption.cancel(RunSuspended(state) if state and is_pause else KeyboardInterrupt())
            return
