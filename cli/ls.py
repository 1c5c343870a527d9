"""`pegbox ls`: the studies of a store."""

from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from pegbox.cli.console import err, out, print_json, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.report.number_format import duration, metric
from pegbox.report.study_list import StudyLine, list_studies


def ls(*, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET) -> None:
    """List the studies of a store.

    The one that was active last comes first.
    """
    studies = list_studies(store)
    if json:
        print_json(studies)
        return
    if not studies:
        err().print("The history holds no study yet. Run one with `pegbox run study.yaml`.")
        return
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for heading in ("study", "state", "objective"):
        table.add_column(heading, no_wrap=True)
    for heading in ("trials", "failed", "best", "of", "active"):
        table.add_column(heading, justify="right", no_wrap=True)
    for study in studies:
        table.add_row(
            Text(safe(study.study), style="name"),
            Text(study.state, style="warn" if study.state in {"failed", "lost", "interrupted"} else ""),
            Text(_objective(study)),
            str(study.trials),
            str(study.failed) if study.failed else "",
            _best(study),
            _trial(study),
            "" if study.changed_at is None else _ago(study.changed_at),
        )
    show(out(), table)


def _objective(study: StudyLine) -> str:
    more = f" +{study.n_objectives - 1}" if study.n_objectives > 1 else ""
    return f"{study.goal} {safe(study.metric)}{more}"


def _best(study: StudyLine) -> str:
    """What to expect of the best trial or, of several objectives, how many trials are on the front."""
    if study.n_front is not None:
        return f"front of {study.n_front}"
    return "" if study.best is None else metric(study.best)


def _trial(study: StudyLine) -> str:
    """Which trial is the best; where it was not chosen on fresh seeds, its value is what the search saw."""
    if study.best_trial is None:
        return ""
    return f"trial {study.best_trial}" if study.is_selected else f"trial {study.best_trial} so far"


def _ago(moment: datetime) -> str:
    seconds = (datetime.now(UTC) - moment).total_seconds()
    # A running study changes all the time; fractions of a second would only flicker.
    return "now" if seconds < 2 else f"{duration(seconds)} ago"
