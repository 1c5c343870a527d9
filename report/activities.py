"""Reads from a store what the workers of a run train at this moment; draws nothing."""

from pegbox.report.asking import rows
from pegbox.report.reached import in_file_order
from pegbox.report.status import Activity
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile


def activities(file: HistoryFile, spec: StudySpec, run: str) -> tuple[Activity, ...]:
    """The segments that a run trains now, with what their workers reported."""
    found = rows(
        file,
        "SELECT s.trial, s.replicate, s.fold, s.attempt, s.to_budget, "
        "date_diff('millisecond', s.started_at, now()) / 1000, CAST(t.params AS JSON) "
        "FROM segments AS s JOIN trials AS t ON t.study = s.study AND t.number = s.trial "
        "JOIN attempts AS a ON a.study = s.study AND a.trial = s.trial AND a.attempt = s.attempt "
        "AND a.replicate IS NOT DISTINCT FROM s.replicate "
        "WHERE s.study = $study AND s.run = $run AND s.ended_at IS NULL AND a.state = 'running' "
        "ORDER BY s.started_at",
        study=spec.name,
        run=run,
    )
    return tuple(
        Activity(
            trial=trial,
            replicate=replicate,
            fold=fold,
            to_budget=to_budget,
            seconds=max(0.0, seconds),
            configuration=in_file_order(spec, params),
            curve=curve(file, spec, trial, attempt, replicate, fold),
        )
        for trial, replicate, fold, attempt, to_budget, seconds, params in found
    )


def curve(
    file: HistoryFile,
    spec: StudySpec,
    trial: int,
    attempt: int | None = None,
    replicate: int | None = None,
    fold: int = 0,
) -> dict[int, float]:
    """The first objective's metric by step; of the last attempt where none is named."""
    found = rows(
        file,
        "SELECT step, arg_max(value, attempt) FROM metrics WHERE study = $study AND trial = $trial "
        "AND name = $metric AND replicate IS NOT DISTINCT FROM $replicate AND fold = $fold "
        "AND attempt <= coalesce($attempt, attempt) AND value IS NOT NULL GROUP BY step ORDER BY step",
        study=spec.name,
        trial=trial,
        metric=spec.goals[0].metric,
        replicate=replicate,
        fold=fold,
        attempt=attempt,
    )
    return dict(found)
