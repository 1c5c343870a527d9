"""Makes a Prefect deployment of a scheduled study: served from this process, or sent to a work pool."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from pegbox.flows.retune import retune
from pegbox.flows.run_form import form_of
from pegbox.flows.run_tags import tags_of
from pegbox.flows.tune import DEFAULT_STORE
from pegbox.schemas.errors import NotFoundError, PegboxError, StudyError, suggest
from pegbox.schemas.study import StudySpec
from pegbox.storage.sharing.address import address_of

Collision = Literal["cancel", "enqueue"]
_STRATEGIES = {"cancel": ConcurrencyLimitStrategy.CANCEL_NEW, "enqueue": ConcurrencyLimitStrategy.ENQUEUE}


class Placing(NamedTuple):
    """How a deployment stands in Prefect, beside the study's own clock."""

    pool: str | None = None
    """Work pool whose workers run it; served from this process where it is left out."""
    work_queue: str | None = None
    """Of the pool."""
    job_variables: Mapping[str, str] = MappingProxyType({})
    """Of the pool's base job template, such as `image`, over what pegbox sets."""
    paused: bool = False
    """True where the clock waits until somebody resumes it."""
    tags: tuple[str, ...] = ()
    """Beside `pegbox` and the study's own."""
    collision: Collision | None = None
    """What becomes of a run that comes while another one goes on; None for `cancel` in a pool, `enqueue` from here."""


HERE = Placing()


def serve_study(spec: StudySpec, store: Path, placing: Placing = HERE) -> None:
    """Run the study on its schedule from this process, until it is stopped.

    Raises:
        StudyError: The study says no time to run at.
        PegboxError: The server holds a deployment of this name for another store.
    """
    check_ours(spec.name, store)
    retune.serve(
        name=spec.name,
        schedules=[schedule_of(spec)],
        parameters=parameters_of(spec, store),
        description=_describe(spec),
        tags=["pegbox", *tags_of(spec), *placing.tags],
        paused=placing.paused,
        # By module: a path of this checkout means nothing where a work pool's worker runs the flow.
        entrypoint_type=EntrypointType.MODULE_PATH,
        print_starting_message=False,
        # A second run of the same study would only find its lock taken. The server can cancel what is begun alone.
        limit=2 if placing.collision == "cancel" else 1,
        global_limit=_one_at_a_time("cancel") if placing.collision == "cancel" else None,
    )


def deploy_study(spec: StudySpec, store: Path, placing: Placing) -> str:
    """Send the study to a work pool, whose workers run it on its schedule.

    Returns:
        The name of the deployment, as `prefect deployment run` takes it.

    Raises:
        StudyError: The study says no time to run at.
        PegboxError: There is no such work pool, or the server holds a deployment of this name for another store.
    """
    check_ours(spec.name, store)
    deployment = RunnerDeployment.from_flow(
        retune,
        name=spec.name,
        schedules=[schedule_of(spec)],
        parameters=parameters_of(spec, store),
        description=_describe(spec),
        tags=["pegbox", *tags_of(spec), *placing.tags],
        paused=placing.paused,
        entrypoint_type=EntrypointType.MODULE_PATH,
        work_pool_name=placing.pool,
        work_queue_name=placing.work_queue,
        job_variables={**_job_variables(placing.pool or ""), **placing.job_variables},
        concurrency_limit=_one_at_a_time(placing.collision or "cancel"),
    )
    deployment.apply()
    return f"{retune.name}/{spec.name}"


def _one_at_a_time(collision: Collision) -> ConcurrencyLimitConfig:
    """The study has one lock, and a second run would find it taken."""
    return ConcurrencyLimitConfig(limit=1, collision_strategy=_STRATEGIES[collision])


def check_ours(study: str, store: Path) -> None:
    """Refuse to replace the deployment of another store's study, which Prefect would do without a word.

    Raises:
        PegboxError: The server holds one, and it runs for another store.
    """
    found = next((one for one in scheduled_studies() if one.study == study), None)
    if found is not None and found.store != address_of(store):
        raise PegboxError(
            f"Prefect holds the deployment {found.name!r} already, for the store {found.store!r}, and this one would "
            f"take its place. Give this study another name, or end that one with `pegbox schedule --remove {study}`."
        )


class ScheduledStudy(NamedTuple):
    """A deployment of pegbox's that a Prefect server holds."""

    name: str
    study: str
    store: str
    clock: str
    is_paused: bool


def scheduled_studies() -> tuple[ScheduledStudy, ...]:
    """Every study that the server runs by its clock, whoever deployed it."""
    with get_client(sync_client=True) as client:
        found = client.read_deployments(flow_filter=FlowFilter(name=FlowFilterName(any_=[retune.name])))
    return tuple(
        ScheduledStudy(
            f"{retune.name}/{one.name}",
            one.name,
            str(one.parameters.get("store", DEFAULT_STORE)),
            ", ".join(_in_words(each.schedule) for each in one.schedules if each.active) or "never",
            one.paused,
        )
        for one in sorted(found, key=lambda one: one.name)
    )


def remove_scheduled(study: str) -> str:
    """Take a study off the server's clock; its history stays.

    Returns:
        The name of the deployment that was deleted.

    Raises:
        NotFoundError: The server holds none for it.
    """
    name = f"{retune.name}/{study}"
    with get_client(sync_client=True) as client:
        try:
            client.delete_deployment(client.read_deployment_by_name(name).id)
        except ObjectNotFound as error:
            known = [one.study for one in scheduled_studies()]
            raise NotFoundError(f"Prefect holds no deployment {name!r}. {suggest(study, known)}") from error
    return name


def _in_words(clock: Any) -> str:
    """Of Prefect's schedule: `0 3 * * 1 Europe/London`, `every 6:00:00`."""
    if isinstance(clock, CronSchedule):
        return f"{clock.cron} {clock.timezone or 'UTC'}"
    return f"every {clock.interval}" if isinstance(clock, IntervalSchedule) else type(clock).__name__


def schedule_of(spec: StudySpec) -> Schedule:
    """The clock of a study.

    Raises:
        StudyError: The study says no time to run at.
    """
    if spec.schedule is None or (spec.schedule.cron is None and spec.schedule.interval is None):
        raise StudyError(
            "a scheduled study says when it runs. Add `schedule: {cron: ...}` to it, or give --cron or --interval.",
            spec.name,
        )
    clock = spec.schedule
    if clock.cron is not None:
        return Cron(clock.cron, timezone=clock.timezone)
    return Interval(timedelta(seconds=clock.interval or 0), timezone=clock.timezone)


def parameters_of(spec: StudySpec, store: Path) -> dict[str, Any]:
    """What the flow is called with, as Prefect's form shows and edits it."""
    return {"spec": form_of(spec), "store": address_of(store)}


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
