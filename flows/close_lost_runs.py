"""Says of runs whose process died without a word that they are over: in the history, and in Prefect."""

import logging
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException
from prefect.runtime import flow_run
from prefect.states import Crashed

from pegbox.flows.prefect_server.server_loss import tell_ends
from pegbox.schemas.events import RunEnded
from pegbox.storage.lost_runs import LostRun, lost_runs
from pegbox.storage.study_log import StudyLog

_logger = logging.getLogger(__name__)


def close_lost_runs(study: StudyLog) -> None:
    """Record that earlier runs of the study are lost, mark their flow runs Crashed, and tell ends that Prefect missed.

    After kill -9 a flow run stays Running in Prefect and can be neither retried nor told from one that lives.
    """
    name, own = study.history.spec.name, str(flow_run.id)
    for lost in lost_runs(study.store, name, study.run):
        message = f"Process {lost.pid} on {lost.host} ended without a word; a later run went on."
        # Prefect runs one and the same flow run again on a retry, or once it is resumed: it has not crashed.
        if lost.flow_run_id is not None and lost.flow_run_id != own:
            _mark_crashed(lost, UUID(lost.flow_run_id), message)
        study.record(RunEnded(study=name, run=lost.run, status="lost", message=message))
    tell_ends(study.store, name, study.run, own)


def _mark_crashed(lost: LostRun, flow_run_id: UUID, message: str) -> None:
    """A server that does not know the run, or does not answer, is no reason not to go on."""
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(flow_run_id).state
            if state is None or not state.is_final():
                client.set_flow_run_state(flow_run_id, Crashed(message=message), force=True)
    except (PrefectException, httpx.HTTPError) as error:
        _logger.info("The flow run %s of run %s was not marked as crashed: %s", flow_run_id, lost.run, error)
