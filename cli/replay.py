"""`pegbox replay`: whether a study's decisions come out again as they were recorded."""

from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import out, print_json, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity

Study = Annotated[str, Parameter(help="Name of the study.")]


def replay(study: Study, *, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET) -> int:
    """Make every decision of a study again from its history, and report differences.

    Returns:
        0, or 1 where a decision comes out differently.
    """
    from pegbox.report.replay_audit import replay_study

    found = replay_study(store, study)
    if json:
        print_json(found)
        return 0 if found.is_exact else 1
    console = out()
    if found.is_exact:
        console.print(f"{safe(study)}: all {found.n_decisions} decisions come out as they were recorded.")
        return 0
    for difference in found.differences:
        console.print(f"decision {difference.decision} (version {difference.version})", style="bad")
        console.print(f"  recorded    {safe(difference.recorded)}")
        console.print(f"  recomputed  {safe(difference.recomputed)}")
    console.print(
        f"{safe(study)}: {len(found.differences)} of {found.n_decisions} decisions come out differently. Another "
        "version of pegbox or of its libraries, or an edited history, is the likely cause."
    )
    return 1
