"""The answers of a study and of those that are scheduled with it, and what the schedule concluded; for the page."""

from collections.abc import Sequence

from pegbox.page.lineage_document import DataRow, ScheduleRow, Verdict
from pegbox.report.data_drift import data_states
from pegbox.schemas.events import ScheduleStep
from pegbox.search.warm_start_sources import FOR_DATA
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.events import ChosenWinner, chosen_winners, schedule_steps

# Picked by hand: about a year of weekly runs.
MOST_ROWS = 50


def verdicts(file: HistoryFile, study: str) -> tuple[Verdict, ...]:
    """The winners of a study's runs, and of the studies that the same schedule tuned on other data; oldest first."""
    family = scheduled_name(study) + FOR_DATA
    return tuple(_verdict(one) for one in chosen_winners(file, study, family, MOST_ROWS)[::-1])


def data_rows(file: HistoryFile, answers: Sequence[Verdict]) -> tuple[DataRow, ...]:
    """The states of the data that answers came of, oldest first; nothing where there is one alone."""
    first = {one.data: one.at for one in reversed(answers) if one.data}
    if len(first) < 2:
        return ()
    states = data_states(file.store, [one.data for one in answers if one.data])
    return tuple(
        DataRow(
            at=first[one.fingerprint], data=one.fingerprint, n_rows=one.n_rows, target=one.target, changes=one.changes
        )
        for one in states
    )


def schedule_rows(file: HistoryFile, study: str) -> tuple[ScheduleRow, ...]:
    """What the schedule concluded, latest first; nothing for a study that none looks after."""
    return tuple(_row(one.at, one.step) for one in schedule_steps(file, scheduled_name(study), MOST_ROWS))


def scheduled_name(study: str) -> str:
    """The study that was scheduled, of a study that the schedule tuned.

    >>> scheduled_name("energy@4f1d22aa/incumbent"), scheduled_name("energy")
    ('energy', 'energy')
    """
    return study.partition(FOR_DATA)[0]


def _verdict(chosen: ChosenWinner) -> Verdict:
    # The value on fresh seeds, not the one of the search: drift from run to run would drown in the optimism of the
    # latter.
    best = next(one for one in chosen.finalists if one.trial == chosen.winner)
    return Verdict(
        study=chosen.study,
        run=chosen.run,
        at=chosen.at,
        trial=chosen.winner,
        value=best.expected,
        low=best.interval.low if best.interval else None,
        high=best.interval.high if best.interval else None,
        data=chosen.data_fingerprint or "",
    )


def _row(at: float, step: ScheduleStep) -> ScheduleRow:
    return ScheduleRow(
        at=at,
        step=step.step,
        reason=step.reason,
        data=step.data_fingerprint or "",
        study=step.incumbent.study if step.incumbent else "",
    )
