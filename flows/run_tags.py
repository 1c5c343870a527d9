"""The study's tags as tags of its flow run in Prefect, whoever called the flow."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import tags
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext

from pegbox.schemas.study import StudySpec


def tags_of(spec: StudySpec) -> tuple[str, ...]:
    """As Prefect writes tags, to filter runs and deployments by: `team=vision`."""
    return tuple(f"{name}={value}" for name, value in spec.tags.items())


@contextmanager
def tagged(spec: StudySpec) -> Iterator[None]:
    """Tag this flow run, and within the block every run below it."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    missing = set(tags_of(spec)) - set(run.tags) if run else set()
    if run and missing:
        # A flow learns its study only once it runs, when Prefect has recorded the run already.
        with get_client(sync_client=True) as client:
            client.update_flow_run(run.id, tags=[*run.tags, *sorted(missing)])
    with tags(*tags_of(spec)):
        yield
