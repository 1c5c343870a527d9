"""The answers of a study and of those that are scheduled with it, and what the schedule concluded; for the page."""

import json

from pegbox.report.asking import rows
from pegbox.report.page_data import ScheduleRow, Verdict
from pegbox.report.verdict import expected_value
from pegbox.schemas.events import ScheduleStep
from pegbox.schemas.selection import Finalist
from pegbox.search.earlier import FOR_DATA
from pegbox.storage.history_file import HistoryFile

MOST_ROWS = 50

_VERDICTS = """
SELECT s.study, s.run, epoch(s.selected_at), s.winner, s.finalists, r.data_fingerprint
FROM selections AS s LEFT JOIN runs AS r USING (study, run)
WHERE s.study = $study OR starts_with(s.study, $family) ORDER BY s.selected_at DESC LIMIT $most
"""

_STEPS = """
SELECT epoch(written_at), body FROM events WHERE study = $scheduled AND type = 'schedule_step'
ORDER BY written_at DESC LIMIT $most
"""


def verdicts(file: HistoryFile, study: str) -> tuple[Verdict, ...]:
    """The winners of a study's runs, and of the studies that the same schedule tuned on other data; oldest first."""
    family = scheduled_name(study) + FOR_DATA
    found = rows(file, _VERDICTS, study=study, family=family, most=MOST_ROWS)[::-1]
    return tuple(
        _verdict(name, run, at, winner, data or "", [Finalist.model_validate(one) for one in json.loads(finalists)])
        for name, run, at, winner, finalists, data in found
    )


def schedule_rows(file: HistoryFile, study: str) -> tuple[ScheduleRow, ...]:
    """What the schedule concluded, latest first; nothing for a study that none looks after."""
    found = rows(file, _STEPS, scheduled=scheduled_name(study), most=MOST_ROWS)
    return tuple(_row(at, ScheduleStep.model_validate_json(body)) for at, body in found)


def scheduled_name(study: str) -> str:
    """The study that was scheduled, of a study that the schedule tuned.

    >>> scheduled_name("energy@4f1d22aa/incumbent"), scheduled_name("energy")
    ('energy', 'energy')
    """
    return study.partition(FOR_DATA)[0]


def _verdict(study: str, run: str, at: float, winner: int, data: str, finalists: list[Finalist]) -> Verdict:
    best = next(one for one in finalists if one.trial == winner)
    return Verdict(
        study=study,
        run=run,
        at=at,
        trial=winner,
        value=expected_value(best),
        low=best.interval.low if best.interval else None,
        high=best.interval.high if best.interval else None,
        data=data,
    )


def _row(at: float, step: ScheduleStep) -> ScheduleRow:
    return ScheduleRow(
        at=at,
        step=step.step,
        reason=step.reason,
        data=step.data_fingerprint,
        study=step.incumbent.study if step.incumbent else "",
    )
