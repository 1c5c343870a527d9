"""What a study tells those who follow it from elsewhere: a page, a table, a share of its budget; publishes nothing."""

from pathlib import Path

from pegbox.report.answer import answer_of
from pegbox.report.answer_figure import draw_figure
from pegbox.report.leaderboard import Row, leaderboard, measured
from pegbox.report.markdown import answer_page
from pegbox.report.progress import used_in_words
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.base import Schema


class Bulletin(Schema):
    """How a study stands, for people who do not sit at its terminal."""

    page: str
    """The answer as markdown, with its picture."""
    leaderboard: tuple[Row, ...]
    """The best trials, best first; on a front of several objectives, the best in the first one first."""
    percent: float
    """Of the limit of its budget that is nearest to its end."""
    budget: str
    """The same in words."""


def bulletin_of(root: Path, study: str) -> Bulletin:
    """How a study that this process drives stands, as the store was last published.

    Args:
        root: The store.
        study: Its name.

    Raises:
        NotFoundError: The store does not hold the study yet.
    """
    with StudyReader(root, study, fresh=False, is_driver=True) as reader:
        status, selection = reader.status(), reader.selection()
        figure = draw_figure(reader.spec.goals, measured(reader.file, reader.spec), status.front, selection)
        answer = answer_of(reader.spec, status, selection, reader.view_name)
        rows = leaderboard(reader.file, reader.spec, status.front, selection)
    nearest = status.budget[0] if status.budget else None
    return Bulletin(
        page=answer_page(answer, figure),
        leaderboard=rows,
        percent=100.0 if status.search_end is not None else 100 * nearest.share if nearest else 0.0,
        budget=status.search_end
        or (used_in_words(nearest) if nearest else "The budget has no limit that can be counted."),
    )
