"""`pegbox run`: says at once that it starts; how a study is driven and shown is `cli.drive_study`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity


def run(
    study_file: Annotated[Path, Parameter(help="The study file.")],
    *,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> int:
    """Run a study, or go on with it.

    The same command again resumes or extends it. Ctrl-C lets running trials finish, a second one stops at once; either
    way the same command goes on later. Where the file was edited since the last run, what changes is told.

    Returns:
        0, or 4 where the study's target was missed.
    """
    console = err()
    console.print(f"starting: checking {safe(str(study_file))}", end="\r" if console.is_terminal else "\n")
    from pegbox.cli.drive_study import drive  # what it needs takes a moment to load
    from pegbox.cli.validate import read_beside_store, read_checked_study, show_warnings
    from pegbox.report.check_study import study_warnings

    study = read_checked_study(study_file)
    show_warnings(console, study.error(study_warnings(study.spec)))
    # Before Prefect and the workers start: a study that cannot go on is refused while nothing has happened yet.
    _, comparison = read_beside_store(study, store)
    if comparison.has_changes:
        for line in comparison.told:
            console.print(f"{safe(study.spec.name)}: {safe(line)}", soft_wrap=True)
    return drive(study.spec, store, as_json=json, verbose=verbosity.verbose)
