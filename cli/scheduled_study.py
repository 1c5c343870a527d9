"""Reads what `pegbox schedule` is asked for: the study with its clock; talks to no server."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.table import Table

from pegbox.cli.console import safe
from pegbox.cli.validate import read_checked_study
from pegbox.schemas.errors import PegboxError, StudyError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.validation_messages import validation_problems


def check_request(study_file: Path | None, pool: str | None, *, asks_server: bool) -> None:
    """Refuse what makes no sense, before anything is started.

    Args:
        study_file: What is to be scheduled.
        pool: The work pool that it is sent to.
        asks_server: Whether something else is wanted of the server.

    Raises:
        StudyError: There is nothing to schedule.
        PegboxError: A lasting Prefect server is needed, and none is configured.
    """
    from pegbox.flows.prefect_server.shared_server import is_configured

    if study_file is None and not asks_server:
        raise StudyError("name the study file to schedule, or give --list, --remove or --watchdog.", "pegbox schedule")
    if (pool or study_file is None) and not is_configured():
        raise PegboxError(
            "Deployments, work pools and automations live in a Prefect server that stays, and none is configured. "
            "Start one with `prefect server start` and set PREFECT_API_URL, or serve the study from this process "
            "without --pool."
        )


def draw_scheduled(found: Iterable[tuple[str, str, bool, str]]) -> Table:
    """The studies that a server runs by the clock, a line for each.

    Args:
        found: The name of a deployment, its clock, whether it is paused, and its store.
    """
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for heading in ("deployment", "clock", "state", "store"):
        table.add_column(heading, no_wrap=True)
    for name, clock, is_paused, store in found:
        table.add_row(safe(name), safe(clock), "paused" if is_paused else "active", safe(store))
    return table


def read_job_variables(given: Sequence[str], pool: str | None, work_queue: str | None) -> dict[str, str]:
    """What `--job-variable NAME=VALUE` says.

    Raises:
        StudyError: One is no pair, or there is no work pool that could use it.
    """
    if pool is None and (given or work_queue):
        raise StudyError("--job-variable and --work-queue are for a work pool. Name it with --pool.", "pegbox schedule")
    for one in given:
        if not one.partition("=")[0].strip() or "=" not in one:
            raise StudyError(f"expected NAME=VALUE, got {one!r}. Write --job-variable image=mine:1.", "--job-variable")
    return {name.strip(): value for name, _, value in (one.partition("=") for one in given)}


def read_scheduled_study(path: Path, given: Mapping[str, str | None]) -> StudySpec:
    """The study of a file, with the clock that the command line gives in place of the file's.

    Args:
        path: The study file.
        given: `cron`, `interval` and `timezone`; None where the command line does not say.

    Raises:
        StudyError: The study or its clock is not valid.
    """
    spec = read_checked_study(path).spec
    if not any(given.values()):
        return spec
    raw = spec.model_dump(mode="json")
    clock: dict[str, Any] = raw["schedule"] or {}
    if given["cron"] or given["interval"]:
        # A cron of the command line beside an interval of the file would be two clocks, which the schema refuses.
        clock = {name: value for name, value in clock.items() if name not in {"cron", "interval"}}
    raw["schedule"] = clock | {name: value for name, value in given.items() if value}
    try:
        scheduled = StudySpec.model_validate(raw)
    except ValidationError as error:
        raise StudyError(validation_problems(error, raw), "pegbox schedule") from error
    from pegbox.report.check_study import check_schedule

    if problems := check_schedule(scheduled):
        raise StudyError(problems, "pegbox schedule")
    return scheduled
