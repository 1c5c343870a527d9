"""Puts one study's page together from the store; the analysis, which takes longer, may come from an earlier build."""

from collections.abc import Sequence
from pathlib import Path

from pegbox.page.activity_block import draw_curves, failure_groups, timeline
from pegbox.page.analysis_blocks import Analyse
from pegbox.page.answer_block import answer
from pegbox.page.comparison_block import compared_studies
from pegbox.page.document import NoteRow, StudyPage
from pegbox.page.head_block import head
from pegbox.page.lineage_block import lineage
from pegbox.page.models_block import models
from pegbox.page.population_block import population
from pegbox.page.space_axes import axes
from pegbox.page.studies_block import compared_rows
from pegbox.page.trial_block import told_lives
from pegbox.page.trials_block import all_trials, best_so_far, draw_trials, front_so_far, rung_rows
from pegbox.report.answer import answer_of
from pegbox.report.study_reader import StudyReader
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.notes import notes_of, tags_of

# Picked by hand: the table of trials and the SQL views hold the others.
MOST_NOTES = 500


def build_page(
    root: Path,
    study: str | None,
    made_at: float,
    analyse: Analyse,
    *,
    is_file: bool = False,
    beside: Sequence[str] = (),
) -> StudyPage:
    """Everything that the page shows of one study.

    Args:
        root: The store.
        study: Its name; the one that was active last where it is None.
        made_at: Unix time that the page says it is from.
        analyse: Computes the analysis, or gives an earlier one.
        is_file: For a file, which can ask nobody later: the store is brought up to date first, and the lives of trials
            are told; otherwise the snapshot is read as it was last published.
        beside: Studies that it is compared with.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
        PageError: Too many are to be compared.
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
            head=head(file, spec, status),
            answer=answer(answer_of(spec, status, selection)),
            analysis=analyse(file, spec, status, selection),
            parameters=axes(spec.space),
            trials=draw_trials(file, spec),
            everything=all_trials(file, spec) if is_file else None,
            best=best_so_far(file, spec),
            volume=front_so_far(file, spec),
            population=population(file, spec.name),
            curves=draw_curves(file, spec, always=(*finalists, *best)),
            rungs=rung_rows(file, spec),
            timeline=timeline(file, spec),
            failures=failure_groups(file, spec.name),
            lineage=lineage(file, spec),
            models=models(file, spec.name),
            studies=compared_rows(file, spec.name),
            notes=tuple(NoteRow(**one.model_dump()) for one in notes_of(file, spec.name, MOST_NOTES)),
            labels=tuple(one.tag for one in tags_of(file, spec.name) if one.trial is None),
            lives=told_lives(file, spec, always=(*finalists, *best)) if is_file else (),
            compared=compared_studies(root, (spec.name, *beside), analyse) if beside else None,
        )
