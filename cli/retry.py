"""`pegbox retry`: gives failed trials of a study a further attempt, and goes on with it."""

from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Settings, Store, Verbosity


def retry(
    study: Annotated[str, Parameter(help="Name of the study.")],
    *,
    trial: Annotated[
        tuple[int, ...], Parameter(negative="", show_default=False, help="One that failed; all where it is left out.")
    ] = (),
    settings: Settings = (),
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> int:
    """Give failed trials a further attempt, then go on with the study.

    Mend the cause first, in the code or with `--set run.timeout=1h`.

    Returns:
        0, or 4 where the study's target was missed.
    """
    from pegbox.cli.drive_study import drive
    from pegbox.flows.amending import retry_failed
    from pegbox.report.check_study import check_study

    amended = retry_failed(store, study, settings, check_study, trial)
    if not amended.retried:
        err().print(f"{safe(study)}: no trial has failed, nothing to retry.")
        return 0
    numbers = ", ".join(map(str, amended.retried))
    err().print(f"{safe(study)}: a further attempt for trial {numbers}")
    return drive(amended.spec, store, as_json=json, verbose=verbosity.verbose)
