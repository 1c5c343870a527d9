"""`pegbox schedule`: has a study look after itself, by Prefect's clock."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from pegbox.cli.console import err, out, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, Verbosity
from pegbox.storage.layout import StoreLayout


@Parameter(name="*")
@dataclass(frozen=True)
class Clock:
    """When the study runs; what is left out is taken from the study file.

    Attributes:
        cron: Minute, hour, day, month, weekday.
        interval: Time from one run to the next, such as 6h.
        timezone: That the cron expression is meant in, such as Europe/London.
    """

    cron: Annotated[str | None, Parameter(help="Minute, hour, day, month, weekday; in place of the file's.")] = None
    interval: Annotated[str | None, Parameter(help="Time between runs, such as 6h; in place of the file's.")] = None
    timezone: Annotated[str | None, Parameter(help="That --cron is meant in, such as Europe/London.")] = None


BY_FILE = Clock()


@Parameter(name="*")
@dataclass(frozen=True)
class Place:
    """Who runs it, and how it stands in Prefect.

    Attributes:
        pool: Work pool.
        work_queue: Of the pool.
        job_variable: Each `NAME=VALUE`.
        paused: Have the clock wait.
        tag: Further tags.
        collision: What becomes of a run that comes while another one goes on.
    """

    pool: Annotated[
        str | None, Parameter(help="Send it to this Prefect work pool instead of serving it from here.")
    ] = None
    work_queue: Annotated[str | None, Parameter(help="Work queue of the pool.")] = None
    job_variable: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            show_default=False,
            help="NAME=VALUE for the pool's job template, such as image=...; repeatable.",
        ),
    ] = ()
    paused: Annotated[
        bool, Parameter(negative="", show_default=False, help="Have the clock wait until it is resumed in Prefect.")
    ] = False
    tag: Annotated[
        tuple[str, ...],
        Parameter(negative="", show_default=False, help="A further tag of the deployment; repeatable."),
    ] = ()
    collision: Annotated[
        Literal["cancel", "enqueue"] | None,
        Parameter(
            show_default=False,
            help="Cancel a run that comes while another one goes on (in a pool), or let it wait (from here).",
        ),
    ] = None


FROM_HERE = Place()


@Parameter(name="*")
@dataclass(frozen=True)
class ServerTasks:
    """What is asked of the server beside a study's schedule.

    Attributes:
        watchdog: Have Prefect mark runs whose process died.
        list: Print the studies that it runs by the clock.
        remove: Take this study off the clock.
    """

    watchdog: Annotated[
        bool, Parameter(negative="", show_default=False, help="Have Prefect mark runs whose process died as crashed.")
    ] = False
    list: Annotated[bool, Parameter(negative="", show_default=False, help="Print the studies on the clock.")] = False
    remove: Annotated[str | None, Parameter(help="Take this study off the clock; its history stays.")] = None


NO_TASKS = ServerTasks()


def schedule(
    study_file: Annotated[
        Path | None, Parameter(help="The study file; not needed for --watchdog, --list or --remove alone.")
    ] = None,
    *,
    clock: Clock = BY_FILE,
    place: Place = FROM_HERE,
    tasks: ServerTasks = NO_TASKS,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Tune a study again whenever its data has changed and its answer no longer holds.

    Each run looks at the data first: unchanged data ends in seconds, changed data has the incumbent trained again, and
    only where it does not hold a new study is tuned.
    """
    from pegbox.cli.scheduled_study import check_request, read_job_variables, read_scheduled_study
    from pegbox.flows.served_run import SETTINGS

    check_request(study_file, place.pool, asks_server=tasks != NO_TASKS)
    variables = read_job_variables(place.job_variable, place.pool, place.work_queue)
    spec = read_scheduled_study(study_file, asdict(clock)) if study_file else None
    # Before Prefect is imported, which reads them once.
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    with _server(store, verbose=verbosity.verbose) as layout:
        _ask_server(tasks)
        if spec is None:
            return
        from pegbox.flows.scheduling import Placing, deploy_study, serve_study

        placing = Placing(place.pool, place.work_queue, variables, place.paused, place.tag, place.collision)
        if place.pool:
            name = safe(deploy_study(spec, layout.root, placing))
            err().print(f"deployed: {name} to the work pool {safe(place.pool)}{', paused' if place.paused else ''}")
        else:
            err().print(f"serving: retune/{safe(spec.name)} from this process; Ctrl-C ends that.")
            serve_study(spec, layout.root, placing)


@contextmanager
def _server(store: Path, *, verbose: bool) -> Iterator[StoreLayout]:
    from pegbox.cli import terminal
    from pegbox.flows.prefect_server.shared_server import prefect_server, wait_until_healthy
    from pegbox.storage.store import open_store

    layout = open_store(store)
    if not verbose:
        terminal.hush(layout.logs / f"schedule-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log")
    with prefect_server(layout.root / "prefect", layout.logs / "prefect-server.log") as url:
        if url:
            wait_until_healthy(url)
        yield layout


def _ask_server(tasks: ServerTasks) -> None:
    # First: it is a matter of the server's and is set up even where no study is named.
    if tasks.watchdog:
        from pegbox.flows.prefect_server.watchdog import set_up_watchdog

        err().print(f"automation: {set_up_watchdog()}")
    from pegbox.cli.scheduled_study import draw_scheduled
    from pegbox.flows.scheduling import remove_scheduled, scheduled_studies

    if tasks.remove is not None:
        err().print(f"removed: {safe(remove_scheduled(tasks.remove))}")
    if tasks.list:
        found = scheduled_studies()
        show(out(), draw_scheduled((one.name, one.clock, one.is_paused, one.store) for one in found))
