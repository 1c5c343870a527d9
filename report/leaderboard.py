"""The best trials of a study as rows, and all its values for a picture; reads a store, draws nothing."""

from pegbox.report import incumbent_rows
from pegbox.report.answer_figure import Measured
from pegbox.report.incumbent import Front
from pegbox.report.number_format import parameter
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.competing import best_trials, completed_trials

# Picked by hand: rows that are read in Prefect's table without scrolling; each costs one query.
LEADERS = 20

Row = dict[str, int | float | str | None]


def leaderboard(
    file: HistoryFile, spec: StudySpec, front: Front | None, selection: Selection | None
) -> tuple[Row, ...]:
    """The best trials that compete, as the search saw them, best first; of several objectives those on the front."""
    if len(spec.goals) > 1:
        numbers = [one.trial for one in front.trials[:LEADERS]] if front else []
    else:
        numbers = list(best_trials(file, spec.name, LEADERS))
    fresh = {one.trial: one.expected for one in selection.finalists} if selection else {}
    return tuple(_row(file, spec, number, fresh) for number in numbers)


def measured(file: HistoryFile, spec: StudySpec) -> tuple[Measured, ...]:
    """All completed trials that have a value of each objective, by number."""
    return tuple(Measured(one.number, one.values, one.competes) for one in completed_trials(file, spec.name))


def _row(file: HistoryFile, spec: StudySpec, number: int, fresh: dict[int, float]) -> Row:
    best = incumbent_rows.incumbent(file, spec, number)
    values = {name: _shortened(value) for name, value in best.values.items()}
    seeds: Row = {"on fresh seeds": _shortened(fresh[number]) if number in fresh else None} if fresh else {}
    texts = {name: parameter(value, 4) for name, value in best.configuration.items()}
    return {"trial": number, **values, **seeds, **texts}


def _shortened(value: float) -> float:
    """For the eye; six digits tell trials apart."""
    return float(f"{value:.6g}")
