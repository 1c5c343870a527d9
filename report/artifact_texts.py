"""What a study tells those who follow it from elsewhere: a page, a table, a share of its budget; publishes nothing."""

from pathlib import Path

from pegbox.report.answer import answer_of
from pegbox.report.answer_figure import draw_figure
from pegbox.report.explain import explained
from pegbox.report.explanation_cache import ExplanationCache
from pegbox.report.leaderboard import Row, leaderboard, measured
from pegbox.report.markdown import answer_page
from pegbox.report.next_steps import next_steps
from pegbox.report.progress import used_in_words
from pegbox.report.status import StudyStatus
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.base import Schema
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.studies import study_names


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
