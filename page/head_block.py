"""The top of a study's page: which study, how it stands, what became of its trials; counts what the store knows."""

from pegbox.page.document import Head
from pegbox.page.lineage_block import unix
from pegbox.page.trials_block import SHOWN
from pegbox.page.trials_document import Goal
from pegbox.report.incumbent import limit_in_words
from pegbox.report.status import Phase, StudyStatus
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.competing import exclusions
from pegbox.storage.queries.studies import moments

STATES: dict[Phase, str] = {
    "waiting": "waiting",
    "searching": "running",
    "finalists": "running",
    "done": "finished",
    "interrupted": "interrupted",
    "lost": "interrupted",
    "failed": "failed",
}
"""How the page calls the phases of a study."""


def head(file: HistoryFile, spec: StudySpec, status: StudyStatus) -> Head:
    """What the top of the page says of a study."""
    seen = moments(file, spec.name)
    return Head.model_validate(
        {
            "study": spec.name,
            "state": STATES[status.phase],
            "goals": [Goal(metric=one.metric, goal=one.goal) for one in spec.goals],
            "method": f"auto: {status.method}" if status.method_reason else status.method,
            "schedule": f"auto: {status.schedule}" if spec.trial_schedule.reason else status.schedule,
            "full_budget": spec.full_budget,
            "fidelity": spec.fidelity.of,
            "n_trials": sum(status.counts.values()),
            "counts": _counts(file, spec, status),
            "limits": [f"{one.metric} {limit_in_words(one)}" for one in spec.constraints],
            "n_workers": spec.run.workers,
            "started_at": unix(seen.started_at),
            "changed_at": unix(seen.changed_at),
            "training_seconds": seen.trained_seconds,
            "elapsed_seconds": status.elapsed_seconds,
            "tags": spec.tags,
            "version": seen.version,
        }
    )


def _counts(file: HistoryFile, spec: StudySpec, status: StudyStatus) -> dict[str, int]:
    counts = {state.value: count for state, count in status.counts.items()}
    for one in exclusions(file, spec.name):
        if one.reason in SHOWN:
            counts[SHOWN[one.reason]] = one.n
            # Taken out, so that the counts still add up to all trials.
            counts["completed"] -= one.n
    return counts
