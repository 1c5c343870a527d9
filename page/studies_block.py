"""The studies of a store beside each other, for the page; looks into none of them."""

from pegbox.page.document import StudyRow
from pegbox.page.lineage_block import unix
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.progress import improvements_by_number
from pegbox.storage.queries.studies import Overview, overviews

# Both picked by hand: a longer list needs a search of its own, and more than seven lines in one chart cannot be told
# apart.
MOST_STUDIES = 200
MOST_COMPARED = 6
"""Studies whose progress is drawn beside that of the page's own: those with the same objective that changed last."""


def study_rows(file: HistoryFile) -> tuple[StudyRow, ...]:
    """All studies of the store, the one that changed last comes first."""
    return tuple(_row(one) for one in overviews(file)[:MOST_STUDIES])


def _row(one: Overview) -> StudyRow:
    objective, *others = one.spec.goals
    return StudyRow(
        study=one.study,
        metric=objective.metric + "".join(f" and {goal.goal} {goal.metric}" for goal in others),
        goal=objective.goal,
        n_trials=one.trials,
        n_failed=one.failed,
        # Of several objectives no single value is best, and the first alone would rank the studies wrongly.
        best=None if others else one.best_value,
        best_trial=one.best,
        is_selected=one.is_selected,
        training_seconds=one.trained_seconds,
        changed_at=unix(one.changed_at),
        state=one.state,
    )


def compared_rows(file: HistoryFile, study: str) -> tuple[StudyRow, ...]:
    """All studies; those that compare with one of them, and itself, with how their best value came down."""
    found = study_rows(file)
    own = next((one for one in found if one.study == study), None)
    alike = [
        one.study for one in found if own and one.best is not None and (one.metric, one.goal) == (own.metric, own.goal)
    ]
    drawn = {study, *[name for name in alike if name != study][:MOST_COMPARED]} if len(alike) > 1 else set()
    return tuple(_with_progress(file, one) if one.study in drawn else one for one in found)


def _with_progress(file: HistoryFile, study: StudyRow) -> StudyRow:
    steps = improvements_by_number(file, study.study)
    return study.model_copy(
        update={"best_numbers": tuple(one.number for one in steps), "best_values": tuple(one.value for one in steps)}
    )
