"""What a study tells those who follow it from elsewhere: a page, a table, a share of its budget; publishes nothing."""

from pathlib import Path

from pegbox.report import incumbent_rows
from pegbox.report.answer import answer_of
from pegbox.report.answer_figure import Measured, draw_figure
from pegbox.report.explain import explained
from pegbox.report.explanation_cache import ExplanationCache
from pegbox.report.incumbent import Front
from pegbox.report.markdown import answer_page
from pegbox.report.next_steps import next_steps
from pegbox.report.number_format import parameter
from pegbox.report.progress import used_in_words
from pegbox.report.status import StudyStatus
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.base import Schema
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.competing import best_trials, completed_trials
from pegbox.storage.queries.studies import study_names

# Picked by hand: rows that are read in Prefect's table without scrolling; each costs one query.
LEADERS = 20

Row = dict[str, int | float | str | None]


class ArtifactTexts(Schema):
    """How a study stands, for people who do not sit at its terminal."""

    page: str
    """The answer as markdown, with its picture."""
    leaderboard: tuple[Row, ...]
    """The best trials, best first; on a front of several objectives, the best in the first one first."""
    percent: float
    """Of the limit of its budget that is nearest to its end."""
    budget: str
    """The same in words."""


def artifact_texts(root: Path, study: str, *, is_over: bool = False) -> ArtifactTexts:
    """How a study that this process drives stands, as the store was last published.

    Args:
        root: The store.
        study: Its name.
        is_over: True for the last word of a run, which is written before it ends.

    Raises:
        NotFoundError: The store does not hold the study yet.
    """
    # Not fresh: the driver's own ingest publishes every second or two, and this thread must not wait for it.
    with StudyReader(root, study, fresh=False, is_driver=True) as reader:
        status, selection = reader.status(), reader.selection()
        figure = draw_figure(reader.spec.goals, measured(reader.file, reader.spec), status.front, selection)
        # While the study runs its driver has better things to do than to analyse: what others found is shown.
        store = StoreLayout(root.absolute())
        known = explained(store, reader.file, reader.spec) if is_over else ExplanationCache(store, study).last()
        # The run is still recorded as running at this moment, and the last word would say so for ever.
        status = _ended(status) if is_over else status
        steps = next_steps(status, known.advice if known else (), study_names(reader.file))
        answer = answer_of(reader.spec, status, selection, reader.view_name, steps)
        rows = leaderboard(reader.file, reader.spec, status.front, selection)
    nearest = status.budget[0] if status.budget else None
    return ArtifactTexts(
        page=answer_page(answer, figure),
        leaderboard=rows,
        percent=100.0 if status.search_end is not None else 100 * nearest.share if nearest else 0.0,
        budget=status.search_end
        or (used_in_words(nearest) if nearest else "The budget has no limit that can be counted."),
    )


def _ended(status: StudyStatus) -> StudyStatus:
    """How the study stands once the run that is about to end has ended."""
    is_answered = status.search_end is not None and status.best is not None and status.best.is_selected
    run = status.run.model_copy(update={"status": "completed" if is_answered else "failed"}) if status.run else None
    return status.model_copy(update={"run": run, "phase": "done" if is_answered else "failed"})


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
