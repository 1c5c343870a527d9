"""A flow run and those that it is a part of, innermost first."""

from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun


def with_parents(client: SyncPrefectClient, run: FlowRun | None) -> list[UUID]:
    """The ids of a flow run, of the one that called it, and so on; none where there is no run."""
    ids = []
    while run is not None:
        ids.append(run.id)
        caller = client.read_task_run(run.parent_task_run_id).flow_run_id if run.parent_task_run_id else None
        run = client.read_flow_run(caller) if caller else None
    return ids
