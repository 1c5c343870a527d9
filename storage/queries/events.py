"""What a study's events say that stands in no other table: its end, its clock, what it learnt from, its decisions."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import FiniteFloat, Json

from pegbox.schemas.base import Schema
from pegbox.schemas.events import EVENT, Event, ScheduleStep
from pegbox.schemas.selection import Finalist, Selection
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ask, ask_column, ask_one


class _Recorded(Schema):
    version: int
    body: str


class ToldClock(Schema):
    """How long a study had run at a moment, over all its runs."""

    elapsed_seconds: FiniteFloat
    at: datetime


class ScheduledStep(Schema):
    """What a schedule concluded, and when."""

    at: FiniteFloat
    """Unix time."""
    step: Json[ScheduleStep]


class ChosenWinner(Schema):
    """The answer of one run of a study."""

    study: str
    run: str
    at: FiniteFloat
    """Unix time."""
    winner: int
    finalists: Json[tuple[Finalist, ...]]
    data_fingerprint: str | None
    """Of what the run read."""


def recorded_events(file: HistoryFile, study: str) -> Iterator[tuple[int, Event]]:
    """All events of the study's drivers, each with the version of the history after it."""
    query = "SELECT version, body FROM events WHERE study = $study AND version IS NOT NULL ORDER BY version"
    # Read at once and told one by one: the file may be closed before the last of them is asked for.
    return ((one.version, EVENT.validate_json(one.body)) for one in ask(file, _Recorded, query, study=study))


def last_selection(file: HistoryFile, study: str) -> Selection | None:
    """The last one that was made, whether it still stands or not; None before there is one."""
    found = ask_column(
        file,
        "SELECT body->'selection' FROM events WHERE study = $study AND type = 'selection_made' "
        "ORDER BY version DESC LIMIT 1",
        study=study,
    )
    return Selection.model_validate_json(found[0]) if found else None


def chosen_winners(file: HistoryFile, study: str, family: str, most: int) -> tuple[ChosenWinner, ...]:
    """The last answers of a study and of those whose names begin with the family's, latest first."""
    return ask(file, ChosenWinner, _WINNERS, study=study, family=family, most=most)


def schedule_steps(file: HistoryFile, study: str, most: int) -> tuple[ScheduledStep, ...]:
    """What the schedule of a study concluded, latest first."""
    return ask(
        file,
        ScheduledStep,
        "SELECT epoch(written_at) AS at, body AS step FROM events WHERE study = $study AND type = 'schedule_step' "
        "ORDER BY written_at DESC LIMIT $most",
        study=study,
        most=most,
    )


def told_clock(file: HistoryFile, study: str) -> ToldClock | None:
    """The running time of the study as its driver last said; None before it has said anything."""
    return ask_one(
        file,
        ToldClock,
        "SELECT elapsed_seconds, written_at AS at FROM events WHERE study = $study AND elapsed_seconds IS NOT NULL "
        "ORDER BY elapsed_seconds DESC, version DESC LIMIT 1",
        study=study,
    )


def search_end(file: HistoryFile, study: str) -> str | None:
    """Why the search is over; None where it goes on, or something that came later lets it go on."""
    found = ask_column(file, "SELECT search_end FROM studies WHERE study = $study", study=study)
    return str(found[0]) if found and found[0] is not None else None


def understood_output(file: HistoryFile, study: str) -> str | None:
    """What was read of the first program of a study that ended well, as a sentence; None before it, or without one."""
    found = ask_column(
        file,
        "SELECT format('trial {} {}', trial, body->'trained'->>'understood') FROM events "
        "WHERE study = $study AND type = 'segment_trained' AND body->'trained'->>'understood' <> '' "
        "ORDER BY version LIMIT 1",
        study=study,
    )
    return str(found[0]) if found else None


def earlier_studies(file: HistoryFile, study: str) -> tuple[str, ...]:
    """The studies that were chosen last to learn from."""
    found = ask_column(
        file,
        "SELECT body->>'$.studies[*].study' FROM events WHERE study = $study AND type = 'earlier_chosen' "
        "ORDER BY version DESC LIMIT 1",
        study=study,
    )
    return tuple(found[0]) if found else ()


_WINNERS = """
SELECT s.study, s.run, epoch(s.selected_at) AS at, s.winner, s.finalists, r.data_fingerprint
FROM selections AS s LEFT JOIN runs AS r USING (study, run)
WHERE s.study = $study OR starts_with(s.study, $family) ORDER BY s.selected_at DESC LIMIT $most
"""
