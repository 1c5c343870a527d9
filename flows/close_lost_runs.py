"""Says of runs whose process died without a word that they are over: in the history, and in Prefect."""

import logging
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException
from prefect.runtime import flow_run
from prefect.states import Crashed

from pegbox.flows.prefect_server.server_loss import tell_ends
from pegbox.flows.run_family import with_parents
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
        if lost.flow_run_id is not None:
            _mark_crashed(lost, UUID(lost.flow_run_id), message)
        study.record(RunEnded(study=name, run=lost.run, status="lost", message=message))
    tell_ends(study.store, name, study.run, own)


def _mark_crashed(lost: LostRun, flow_run_id: UUID, message: str) -> None:
    """Mark the run and those that called it: flows that call each other live and die in one process.

    A server that does not know the run, or does not answer, is no reason not to go on.
    """
    context = FlowRunContext.get()
    try:
        with get_client(sync_client=True) as client:
            # Prefect runs one and the same flow run again on a retry, or once it is resumed: it has not crashed.
            alive = with_parents(client, context.flow_run if context else None)
            for run in with_parents(client, client.read_flow_run(flow_run_id)):
                state = client.read_flow_run(run).state
                if run not in alive and (state is None or not state.is_final()):
                    client.set_flow_run_state(run, Crashed(message=message), force=True)
    except (PrefectException, httpx.HTTPError) as error:
        _logger.info("The flow run %s of run %s was not marked as crashed: %s", flow_run_id, lost.run, error)
