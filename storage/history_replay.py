"""Event sourcing: replays a study's recorded events to its history, by the same fold as live; watches for lost ones."""

from collections.abc import Iterable

from pydantic import ValidationError

from pegbox.schemas.decision import Fork, Start
from pegbox.schemas.errors import StoreCorruptError
from pegbox.schemas.events import EVENT, DecisionMade, Event
from pegbox.schemas.history import History


def replay(study: str, recorded: Iterable[tuple[int, str]]) -> History | None:
    """The history of a study; None where it was never opened.

    A lost report of a trial's life is made up for (the trial counts as running and gets another attempt); a lost
    decision is not, because every later one depends on it.

    Args:
        study: Its name, for messages.
        recorded: Version and JSON of its driver's events, by version.

    Raises:
        StoreCorruptError: An event that cannot be done without is missing or cannot be read.
    """
    watch = _Decisions(study)
    events = []
    version = 0
    for version, body in recorded:
        try:
            event = EVENT.validate_json(body)
        except ValidationError as error:
            raise broken(study, version, str(error).splitlines()[0]) from error
        # Before the fold: a history with a decision missing folds well, and every later decision would be another one.
        watch.see(version, event)
        events.append(event)
    try:
        history = History.replay(events)
    except (ValueError, IndexError) as error:
        raise broken(study, version, str(error)) from error
    if history is None and events:
        raise broken(study, version, "the event that opened the study is missing")
    if history is None or history.version == version:
        return history
    # A lost event keeps its number: what follows must not take it.
    # Not model_copy, which carries the cached views of the old version along.
    fields = {name: getattr(history, name) for name in History.model_fields}
    return History(**{**fields, "version": version})


class _Decisions:
    """Sees whether a study's decisions follow each other."""

    def __init__(self, study: str) -> None:
        self._study = study
        self._n_decisions = 0
        self._n_trials = 0

    def see(self, version: int, event: Event) -> None:
        if not isinstance(event, DecisionMade):
            return
        if event.number != self._n_decisions:
            raise broken(self._study, version, f"expected decision {self._n_decisions}, got decision {event.number}")
        if isinstance(event.decision, Start | Fork):
            if event.trial != self._n_trials:
                raise broken(self._study, version, f"expected trial {self._n_trials}, got trial {event.trial}")
            self._n_trials += 1
        self._n_decisions += 1


def broken(study: str, version: int, reason: str) -> StoreCorruptError:
    """The error for a study whose events are not whole."""
    return StoreCorruptError(
        f"The events of study {study!r} must be whole, but at version {version}: {reason}. Run `pegbox doctor` to see "
        "the damaged lines, restore the journals from a backup and run `pegbox store rebuild`, or start a study of "
        "another name; what was recorded stays readable."
    )
