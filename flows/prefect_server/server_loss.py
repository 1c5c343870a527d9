"""What a run says and does where Prefect's server went away; training needs none, so a study goes on without it."""

import contextlib
import logging
import os
import queue
import socket
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from pegbox.flows.prefect_server.refusals import is_about_server, unreachable
from pegbox.flows.prefect_server.shared_server import is_healthy
from pegbox.schemas.errors import NotFoundError, PegboxError, StudyInterruptedError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.lost_runs import EndedRun, last_run, untold_runs

# Picked by hand: a server that was killed is started again in about that time; nobody wants to wait longer for a
# command whose work is done.
PATIENCE_SECONDS = 10.0
"""How long a run that has ended waits for the server, to tell it so; where it stays away, the next run tells it."""

_logger = logging.getLogger(__name__)


class Told(NamedTuple):
    """What there is to say after a run; empty where nothing went wrong."""

    notices: list[str]


@contextlib.contextmanager
def server_loss_told(store: StoreLayout, study: str) -> Iterator[Told]:
    """Let a study's run end as its history says, although Prefect's server went away.

    Yields what to say where the run was completed all the same.

    Raises:
        StudyInterruptedError: A signal ended the run, and the server does not know.
        PegboxError: The server does not answer, or refuses this user.
    """
    told = Told([])
    try:
        yield told
    except Exception as error:
        if not is_about_server(error):
            raise
        told.notices.extend(_what_remains(error, store, study))
    finally:
        url = os.environ.get("PREFECT_API_URL")
        if url and not is_healthy(url):
            _forget_unsent_events()


def _what_remains(error: Exception, store: StoreLayout, study: str) -> Iterator[str]:
    """What the history says of the run that the error came out of."""
    run = _own_run(store, study)
    match run.status if run else None:
        case "completed":
            assert run is not None
            if not _tell_patiently(run):
                yield (
                    f"The study is done, but Prefect's server could not be told ({_said(error)}). The next run of the "
                    "study tells it."
                )
        case "interrupted":
            raise StudyInterruptedError(
                f"Study {study!r} was interrupted. The same command goes on with it. Prefect's server could not be "
                f"told ({_said(error)})."
            ) from error
        case _:
            raise unreachable(error) from error


def _own_run(store: StoreLayout, study: str) -> EndedRun | None:
    try:
        run = last_run(store, study)
    except (NotFoundError, PegboxError):
        return None
    return run if run and (run.host, run.pid) == (socket.gethostname(), os.getpid()) else None


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _tell_patiently(run: EndedRun) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not tell_end(run):
        if time.monotonic() > deadline:
            return False
        time.sleep(1.0)
    return True


def tell_ends(store: StoreLayout, study: str, current: str, flow_run_id: str) -> None:
    """Tell Prefect of earlier runs whose end it may not know: its server was away when they ended.

    A run that was suspended and goes on is another run of the study, and the same flow run: it has not ended.
    """
    for run in untold_runs(store, study, current):
        if run.flow_run_id != flow_run_id:
            tell_end(run)


def tell_end(run: EndedRun) -> bool:
    """Set the flow run to the state in which the history says that it ended, unless Prefect knows of an end.

    Returns:
        False where the server could not be told; one that does not know the run need not be.
    """
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import State
    from prefect.exceptions import ObjectNotFound, PrefectException
    from prefect.states import Cancelled, Completed, Failed

    if run.flow_run_id is None:
        return True
    message = run.message or "Told late: the server was away when the run ended."
    ended = Completed if run.status == "completed" else Cancelled if run.status == "interrupted" else Failed
    state: State[Any] = ended(message=message)
    try:
        with get_client(sync_client=True) as client:
            known = client.read_flow_run(UUID(run.flow_run_id)).state
            if known is None or not known.is_final():
                # By force, past orchestration rules that see only that no engine asks: the history knows the end for
                # certain.
                client.set_flow_run_state(UUID(run.flow_run_id), state, force=True)
    except ObjectNotFound:
        return True
    except (PrefectException, httpx.HTTPError, RuntimeError) as error:
        _logger.info("Prefect was not told of the end of run %s: %s", run.run, error)
        return False
    return True


def _forget_unsent_events() -> None:
    """Empty the queue in which Prefect keeps events for a server that is gone.

    At the end of the process it would try to send each of them, eleven times and for ten seconds. There is no public
    way; where Prefect changes its inside, the process ends late instead.
    """
    from prefect.events.worker import EventsWorker

    for worker in list(getattr(EventsWorker, "_instances", {}).values()):
        with contextlib.suppress(AttributeError, queue.Empty):
            while True:
                worker._queue.get_nowait()
