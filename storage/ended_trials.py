"""The trials of a study that ended, one row each, for export to other tools."""

from pathlib import Path
from typing import Any

from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

_ENDED = """
    SELECT t.number, t.state, t."values", t.params, t.started_at, t.ended_at, t.failure_kind, t.failure_message,
        t.metrics, (SELECT map_from_entries(list((c.step, c.value) ORDER BY c.step)) FROM (
            SELECT c.step, avg(c.value) AS value FROM curves AS c JOIN studies AS s ON s.study = c.study
            WHERE c.study = t.study AND c.trial = t.number AND c.name = s.metrics[1]
                AND c.value IS NOT NULL
            GROUP BY c.step) AS c) AS steps
    FROM trials AS t WHERE t.study = ? AND t.ended_at IS NOT NULL ORDER BY t.number
"""


def ended_trials(root: Path, study: str) -> tuple[StudySpec, list[dict[str, Any]]]:
    """A study, and its trials that ended: what they were, what was measured, when, and the first metric by step.

    Raises:
        NotFoundError: The store holds no such study.
    """
    with open_history(root) as history:
        spec = history.history(study).spec
        found = history.sql(_ENDED, [study])
        return spec, [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
