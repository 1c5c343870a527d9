"""Two trials of a study, or the answers of two studies, side by side; data only."""

from pathlib import Path

from pegbox.analysis.comparison import Comparison, compare
from pegbox.analysis.ranking import ranked
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout


class Compared(Comparison):
    """Two configurations by the first objective, and by each further one."""

    others: tuple[Comparison, ...] = ()
    note: str = ""
    """What the two differ in beside their configurations, so that their values do not tell of these alone."""


def compare_in_store(root: Path, left: str, right: str, study: str | None = None) -> Compared:
    """Compare what two names stand for.

    Args:
        root: The store.
        left, right: A trial number each, or the name of a study each, which stands for its winner (as long as it has
            none: for the trial with the best value).
        study: Whose trials are meant; the one that was active last where it is None.

    Raises:
        NotFoundError: There is no such study or trial, or the two studies cannot be compared.
        NoTrialSucceededError: A study has no trial with a value.
    """
    # Numbers first: a study may be called `7`, but trials are what people compare by numbers.
    if left.isdecimal() and right.isdecimal():
        history = _history(root, study)
        return compare_in_all(history, _known_trial(history, int(left)), history, _known_trial(history, int(right)))
    return compare_answers(_history(root, left), _history(root, right))


def compare_answers(left: History, right: History) -> Compared:
    """Compare the answers of two studies.

    Args:
        left, right: Histories of all trials, or of those that are measured, the answer and the finalists among them.

    Raises:
        NotFoundError: Their values cannot be compared.
        NoTrialSucceededError: One has no trial with a value.
    """
    _check_comparable(left, right)
    found = compare_in_all(left, _answer_of(left), right, _answer_of(right))
    return found.model_copy(update={"note": _data_note(left, right)})


def compare_in_all(left: History, first: int, right: History, second: int) -> Compared:
    """Compare a trial of one history with a trial of another, or of the same, by each objective that both have.

    Args:
        left, right: Histories with the same first objective.
        first, second: Trial numbers; each is in its history.
    """
    shared = [goal for goal in left.objectives if goal in right.objectives] or list(left.objectives[:1])
    first_one, *others = (compare(_by(left, goal), first, _by(right, goal), second) for goal in shared)
    fields = {name: getattr(first_one, name) for name in Comparison.model_fields}
    if others:
        fields["sentence"] = " ".join(f"By {one.metric}: {one.sentence}" for one in (first_one, *others))
    return Compared(**fields, others=tuple(others))


def _by(history: History, goal: Objective) -> History:
    """The same trials, judged by one of the objectives alone."""
    spec = history.spec.model_copy(update={"objective": goal, "objectives": ()})
    return history.model_copy(update={"spec": spec})


def _history(root: Path, study: str | None) -> History:
    with StudyReader(root, study) as reader, HistoryFile(StoreLayout(root.absolute())) as file:
        return file.history(reader.study)


def _known_trial(history: History, number: int) -> int:
    if number >= len(history.trials):
        raise NotFoundError(
            f"Study {history.spec.name!r} has no trial {number}: it has {len(history.trials)}, counted from 0."
        )
    return number


def _answer_of(history: History) -> int:
    # Without a winner the best as the search saw it, which is optimistic on both sides alike.
    return (history.best or ranked(history, history.objectives[0])[0]).number


def _check_comparable(left: History, right: History) -> None:
    """Values are comparable if they are of one metric, on the same data and split.

    Raises:
        NotFoundError: They are not.
    """
    names = f"{left.spec.name!r} and {right.spec.name!r}"
    metrics = [(history.objectives[0].metric, history.objectives[0].goal) for history in (left, right)]
    if metrics[0] != metrics[1]:
        raise NotFoundError(
            f"The studies {names} have no objective in common to compare: {metrics[0][0]} ({metrics[0][1]}) and "
            f"{metrics[1][0]} ({metrics[1][1]}). Compare two trials of one study, by their numbers."
        )
    if left.spec.data != right.spec.data:
        raise NotFoundError(
            f"The studies {names} are of different data or splits, so that their values cannot be compared. Compare "
            "two trials of one study, by their numbers."
        )


def _data_note(left: History, right: History) -> str:
    """Said and not refused: studies of a schedule are compared to see what new data made of the answer."""
    seen = left.data_fingerprint, right.data_fingerprint
    if None in seen or seen[0] == seen[1]:
        return ""
    return (
        f"They were trained on different data ({str(seen[0])[:8]} and {str(seen[1])[:8]}), which the values differ by "
        "as well as by the configurations."
    )
