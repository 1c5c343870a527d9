"""Puts one study's page together from the store; the analysis, which takes longer, may come from an earlier build."""

from collections.abc import Callable
from pathlib import Path

from pegbox.page.activity_block import draw_curves, failure_groups, timeline
from pegbox.page.analysis_document import Analysis
from pegbox.page.answer_block import answer
from pegbox.page.document import Head, NoteRow, StudyPage
from pegbox.page.lineage_block import lineage, unix
from pegbox.page.space_axes import axes
from pegbox.page.studies_block import compared_rows
from pegbox.page.trial_block import told_lives
from pegbox.page.trials_block import SHOWN, all_trials, best_so_far, draw_trials, front_so_far, rung_rows
from pegbox.page.trials_document import Goal
from pegbox.report.answer import answer_of
from pegbox.report.incumbent import limit_in_words
from pegbox.report.status import Phase, StudyStatus
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.competing import exclusions
from pegbox.storage.queries.notes import notes_of, tags_of
from pegbox.storage.queries.studies import moments

# Picked by hand: the table of trials and the SQL views hold the others.
MOST_NOTES = 500

Analyse = Callable[[HistoryFile, StudySpec, StudyStatus, Selection | None], Analysis]

_STATES: dict[Phase, str] = {
    "waiting": "waiting",
    "searching": "running",
    "finalists": "running",
    "done": "finished",
    "interrupted": "interrupted",
    "lost": "interrupted",
    "failed": "failed",
}


def build_page(root: Path, study: str | None, made_at: float, analyse: Analyse, *, is_file: bool = False) -> StudyPage:
    """Everything that the page shows of one study.

    Args:
        root: The store.
        study: Its name; the one that was active last where it is None.
        made_at: Unix time that the page says it is from.
        analyse: Computes the analysis, or gives an earlier one.
        is_file: For a file, which can ask nobody later: the store is brought up to date first, and the lives of trials
            are told; otherwise the snapshot is read as it was last published.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
    """
    # The reader comes first: it is the one that brings the store up to date, and the file opened after it sees the
    # same.
    with StudyReader(root, study, fresh=is_file) as reader, HistoryFile(StoreLayout(root.absolute())) as file:
        spec, status, selection = reader.spec, reader.status(), reader.selection()
        # Their curves are drawn in any case: a sample could leave out the very trials that the answer is about.
        finalists = tuple(one.trial for one in selection.finalists) if selection else ()
        best = (status.incumbent.trial,) if status.incumbent else ()
        return StudyPage(
            made_at=made_at,
            head=_head(file, spec, status),
            answer=answer(answer_of(spec, status, selection)),
            analysis=analyse(file, spec, status, selection),
            parameters=axes(spec.space),
            trials=draw_trials(file, spec),
            everything=all_trials(file, spec) if is_file else None,
            best=best_so_far(file, spec),
            volume=front_so_far(file, spec),
            curves=draw_curves(file, spec, always=(*finalists, *best)),
            rungs=rung_rows(file, spec),
            timeline=timeline(file, spec),
            failures=failure_groups(file, spec.name),
            lineage=lineage(file, spec),
            studies=compared_rows(file, spec.name),
            notes=tuple(NoteRow(**one.model_dump()) for one in notes_of(file, spec.name, MOST_NOTES)),
            labels=tuple(one.tag for one in tags_of(file, spec.name) if one.trial is None),
            lives=told_lives(file, spec, always=(*finalists, *best)) if is_file else (),
        )


def _counts(file: HistoryFile, spec: StudySpec, status: StudyStatus) -> dict[str, int]:
    counts = {state.value: count for state, count in status.counts.items()}
    for one in exclusions(file, spec.name):
        if one.reason in SHOWN:
            counts[SHOWN[one.reason]] = one.n
            # Taken out, so that the counts still add up to all trials.
            counts["completed"] -= one.n
    return counts


def _head(file: HistoryFile, spec: StudySpec, status: StudyStatus) -> Head:
    seen = moments(file, spec.name)
    return Head.model_validate(
        {
            "study": spec.name,
            "state": _STATES[status.phase],
            "goals": [Goal(metric=one.metric, goal=one.goal) for one in spec.goals],
            "method": f"auto: {status.method}" if status.method_reason else status.method,
            "schedule": spec.fidelity.schedule,
            "full_budget": spec.full_budget,
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
