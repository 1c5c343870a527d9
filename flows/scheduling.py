"""Makes a Prefect deployment of a scheduled study: served from this process, or sent to a work pool."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from pegbox.flows.retune import retune
from pegbox.flows.run_facts import tags_of
from pegbox.schemas.errors import PegboxError, StudyError
from pegbox.schemas.study import StudySpec


def serve_study(spec: StudySpec, store: Path) -> None:
    """Run the study on its schedule from this process, until it is stopped.

    Raises:
        StudyError: The study says no time to run at.
    """
    retune.serve(
        name=spec.name,
        schedules=[schedule_of(spec)],
        parameters=parameters_of(spec, store),
        description=_describe(spec),
        tags=["pegbox", *tags_of(spec)],
        # By module: a path of this checkout means nothing where a work pool's worker runs the flow.
        entrypoint_type=EntrypointType.MODULE_PATH,
        print_starting_message=False,
        # A second run of the same study would only find its lock taken.
        limit=1,
    )


def deploy_study(spec: StudySpec, store: Path, pool: str) -> str:
    """Send the study to a work pool, whose workers run it on its schedule.

    Returns:
        The name of the deployment, as `prefect deployment run` takes it.

    Raises:
        StudyError: The study says no time to run at.
        PegboxError: There is no such work pool.
    """
    deployment = RunnerDeployment.from_flow(
        retune,
        name=spec.name,
        schedules=[schedule_of(spec)],
        parameters=parameters_of(spec, store),
        description=_describe(spec),
        tags=["pegbox", *tags_of(spec)],
        entrypoint_type=EntrypointType.MODULE_PATH,
        work_pool_name=pool,
        job_variables=_job_variables(pool),
        concurrency_limit=1,
    )
    deployment.apply()
    return f"{retune.name}/{spec.name}"


def schedule_of(spec: StudySpec) -> Schedule:
    """The clock of a study.

    Raises:
        StudyError: The study says no time to run at.
    """
    if spec.schedule is None:
        raise StudyError(
            "a scheduled study says when it runs. Add `schedule: {cron: ...}` to it, or give --cron or --interval.",
            spec.name,
        )
    clock = spec.schedule
    if clock.cron is not None:
        return Cron(clock.cron, timezone=clock.timezone)
    assert clock.interval is not None
    return Interval(timedelta(seconds=clock.interval), timezone=clock.timezone)


def parameters_of(spec: StudySpec, store: Path) -> dict[str, Any]:
    """What the flow is called with, as Prefect's form shows and edits it."""
    return {"spec": form_of(spec), "store": str(store.absolute())}


def form_of(spec: StudySpec) -> dict[str, Any]:
    """The study as JSON that follows the flow's parameter schema; what stands at its default is left out."""
    raw = spec.model_dump(mode="json", exclude_defaults=True)
    space = spec.model_dump(mode="json")["space"]
    reserved = {name: space.pop(name) for name in ("forbid", "preset") if name in space}
    return {**raw, "space": {"parameters": space, **reserved}}


def _job_variables(pool: str) -> dict[str, Any]:
    """A worker process starts in a folder of its own; the study's paths are meant from here."""
    try:
        with get_client(sync_client=True) as client:
            kind = client.read_work_pool(pool).type
    except ObjectNotFound as error:
        raise PegboxError(
            f"Prefect knows no work pool {pool!r}. Make it with `prefect work-pool create {pool} --type process`, or "
            "leave --pool out to serve the study from this process."
        ) from error
    return {"working_dir": str(Path.cwd())} if kind == "process" else {}


def _describe(spec: StudySpec) -> str:
    return f"Keeps the answer of the study {spec.name} true: scores the incumbent on new data, and tunes where needed."
