"""`pegbox resume`: goes on with a study as its history has it, with other settings where they are given."""

from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Settings, Store, Verbosity


def resume(
    study: Annotated[str, Parameter(help="Name of the study.")],
    *,
    settings: Settings = (),
    new_name: Annotated[
        str | None, Parameter(name="--as", help="Begin another study of this name with these settings.")
    ] = None,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> int:
    """Go on with a study from its history; no study file is needed.

    A larger budget, more workers, a wider or a narrower space keep the history. Trials that a narrower space does not
    hold stay recorded and no longer compete. What would make the trials incomparable, such as longer training, takes
    another study: `--as NAME` begins it, and leaves this one as it is.

    Returns:
        0, or 4 where the study's target was missed.
    """
    console = err()
    # Said before anything is imported: loading takes seconds in which a silent terminal looks hung. The live view
    # writes over it.
    console.print(f"starting: {safe(study)}", end="\r" if console.is_terminal else "\n")
    from pegbox.cli.drive_study import drive
    from pegbox.flows.amending import respecify
    from pegbox.report.check_study import check_study

    amended = respecify(store, study, settings, check_study, new_name)
    return drive(amended.spec, store, as_json=json, verbose=verbosity.verbose)
