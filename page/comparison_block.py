"""Some studies beside each other for the page: answers, progress, importance, settings; ranks none."""

from collections.abc import Sequence
from pathlib import Path

from pegbox.page.analysis_blocks import Analyse
from pegbox.page.answer_block import answer
from pegbox.page.comparison_document import ComparedStudy, StudiesCompared, StudyDifference
from pegbox.page.head_block import head
from pegbox.page.lineage_block import entries, study_file
from pegbox.page.trials_block import best_so_far
from pegbox.report.answer import answer_of
from pegbox.report.answer_sentences import gain_in_words
from pegbox.report.compare import compare_answers
from pegbox.report.explain import measured_history
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.errors import NotFoundError, NoTrialSucceededError, PageError
from pegbox.schemas.history import History

# More lines cannot be told apart, as in frontend/src/theme.js.
MOST_BESIDE = 7
"""Studies that are compared at once."""


def compared_studies(root: Path, names: Sequence[str], analyse: Analyse) -> StudiesCompared:
    """The studies beside each other, as the store's snapshot was last published.

    Args:
        root: The store.
        names: Of two studies or more, the one that the others are compared with first.
        analyse: Computes the analysis of each, or gives an earlier one.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
        PageError: Too few are named, or too many.
    """
    wanted = tuple(dict.fromkeys(names))
    if not 2 <= len(wanted) <= MOST_BESIDE:
        named = ", ".join(map(repr, wanted)) or "none"
        raise PageError(f"2 to {MOST_BESIDE} different studies can be compared, got {named}. Name others, or fewer.")
    found = [_read(root, name, analyse) for name in wanted]
    (_, base), *others = found
    return StudiesCompared(
        studies=(
            found[0][0],
            *(one.model_copy(update={"difference": _difference(base, history)}) for one, history in others),
        )
    )


def _read(root: Path, name: str, analyse: Analyse) -> tuple[ComparedStudy, History]:
    """A study, and what it measured."""
    with StudyReader(root, name, fresh=False) as reader:
        file, spec, status, selection = reader.file, reader.spec, reader.status(), reader.selection()
        top, history = head(file, spec, status), measured_history(file, spec)
        settings = {path: text for path, text in entries(study_file(spec)).items() if path != "name"}
        shown = ComparedStudy(
            study=spec.name,
            state=top.state,
            goals=top.goals,
            n_trials=top.n_trials,
            n_failed=top.counts.get("failed", 0),
            training_seconds=top.training_seconds,
            elapsed_seconds=top.elapsed_seconds,
            data=history.data_fingerprint or "",
            answer=answer(answer_of(spec, status, selection)),
            best=best_so_far(file, spec),
            knobs=analyse(file, spec, status, selection).knobs,
            settings=settings,
        )
    return shown, history


def _difference(first: History, other: History) -> StudyDifference:
    try:
        found = compare_answers(first, other)
    except (NotFoundError, NoTrialSucceededError) as error:
        # Their settings and importance are worth a look all the same.
        return StudyDifference(sentence=str(error))
    gain = found.gain
    return StudyDifference(
        sentence=found.sentence,
        low=gain.low if gain else None,
        high=gain.high if gain else None,
        gain=gain_in_words(gain) if gain else "",
        level=gain.level if gain else None,
        probability_first=found.probability_left,
        note=found.note,
    )
