"""All trials of a study, one row each, for export to other tools."""

from pathlib import Path
from typing import Any

from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

_TRIALS = """
    SELECT t.number, t.state, t."values", t.params, coalesce(t.started_at, t.created_at) AS started_at,
        coalesce(t.ended_at, (
            SELECT max(s.ended_at) FROM segments AS s WHERE s.study = t.study AND s.trial = t.number
        ), t.started_at, t.created_at) AS seen_at, t.failure_kind, t.failure_message,
        t.metrics, (SELECT map_from_entries(list((c.step, c.value) ORDER BY c.step)) FROM (
            SELECT c.step, avg(c.value) AS value FROM curves AS c JOIN studies AS s ON s.study = c.study
            WHERE c.study = t.study AND c.trial = t.number AND c.name = s.metrics[1] AND c.value IS NOT NULL
            GROUP BY c.step) AS c) AS steps
    FROM trials AS t WHERE t.study = ? ORDER BY t.number
"""


def trial_rows(root: Path, study: str) -> tuple[StudySpec, list[dict[str, Any]]]:
    """A study, and its trials: what they were, what was measured, when it was seen last, and the first metric by step.

    Raises:
        NotFoundError: The store holds no such study.
    """
    with open_history(root) as history:
        spec = history.history(study).spec
        found = history.sql(_TRIALS, [study])
        return spec, [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
