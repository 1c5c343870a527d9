"""The studies of a store beside each other, for the page; looks into none of them."""

from typing import Any

from pegbox.report import reached
from pegbox.report.asking import row, rows
from pegbox.report.page_data import StudyRow
from pegbox.report.page_lineage import unix
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile

MOST_STUDIES = 200
MOST_COMPARED = 6
"""Studies whose progress is drawn beside that of the page's own: those with the same objective that changed last."""

_STUDIES = """
WITH tally AS (
    SELECT study, count(*) AS n, count(*) FILTER (state = 'failed') AS failed,
        min(value) FILTER (state = 'completed') AS lowest, max(value) FILTER (state = 'completed') AS highest,
        max(ended_at) AS ended_at
    FROM trials GROUP BY study
), spent AS (SELECT study, sum(seconds) AS seconds FROM segments GROUP BY study),
last_run AS (SELECT study, arg_max(status, started_at) AS status FROM runs GROUP BY study)
SELECT s.study, s.spec, s.goals[1], coalesce(n, 0), coalesce(failed, 0),
    CASE WHEN len(s.metrics) > 1 THEN NULL WHEN s.goals[1] = 'maximize' THEN highest ELSE lowest END, spent.seconds,
    greatest(s.changed_at, tally.ended_at) AS changed, coalesce(last_run.status, 'waiting')
FROM studies AS s LEFT JOIN tally USING (study) LEFT JOIN spent USING (study) LEFT JOIN last_run USING (study)
ORDER BY changed DESC, s.study LIMIT $most
"""

_PROGRESS = """
SELECT number, value FROM (
    SELECT number, value, min($sign * value) OVER (ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        AS before
    FROM trials WHERE study = $study AND state = 'completed' AND value IS NOT NULL AND {kept}
) WHERE before IS NULL OR $sign * value < before ORDER BY number
"""


def study_rows(file: HistoryFile) -> tuple[StudyRow, ...]:
    """All studies of the store, the one that changed last comes first."""
    return tuple(_row(file, *found) for found in rows(file, _STUDIES, most=MOST_STUDIES))


def _row(file: HistoryFile, study: str, raw_spec: str, *values: Any) -> StudyRow:
    names = ("goal", "n_trials", "n_failed", "best", "training_seconds", "changed_at", "state")
    found = dict(zip(names, values, strict=True))
    spec = StudySpec.model_validate_json(raw_spec)
    if spec.constraints and found["best"] is not None:
        kept = reached.best_trial(file, spec)
        found["best"] = kept.value if kept else None
    further = "".join(f" and {goal.goal} {goal.metric}" for goal in spec.goals[1:])
    return StudyRow.model_validate(
        {"study": study, **found, "metric": spec.goals[0].metric + further, "changed_at": unix(found["changed_at"])}
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
    (raw,) = row(file, "SELECT spec FROM studies WHERE study = $study", study=study.study)
    condition, limits = reached.kept(StudySpec.model_validate_json(raw))
    sign = 1 if study.goal == "minimize" else -1
    steps = rows(file, _PROGRESS.format(kept=condition), study=study.study, sign=sign, **limits)
    number, value = zip(*steps, strict=True) if steps else ((), ())
    return study.model_copy(update={"best_numbers": number, "best_values": value})
