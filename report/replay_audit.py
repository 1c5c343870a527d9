"""Replays every decision of a study from the events of its history, and says where another one comes out."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pegbox.schemas.base import Schema
from pegbox.schemas.decision import Done, Wait
from pegbox.schemas.errors import SearchError
from pegbox.schemas.events import DecisionMade, Event
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.warm_start import EarlierStudy
from pegbox.search.decision_events import decide
from pegbox.search.narrowed_space import study_strategy
from pegbox.search.strategy import Strategy
from pegbox.search.warm_start_sources import is_warm_started
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.past_studies import past_history
from pegbox.storage.queries.events import recorded_events

Recorded = tuple[int, Event]
"""An event and the version of the history after it."""

Recall = Callable[[EarlierStudy], History]


class Difference(Schema):
    """One decision that does not come out as it was recorded."""

    decision: int
    """Its number in the study."""
    version: int
    """Of the history after it."""
    recorded: str
    """What the history says was decided."""
    recomputed: str
    """What the strategy decides now."""


class Replay(Schema):
    """What came of deciding a study again."""

    study: str
    n_decisions: int
    differences: tuple[Difference, ...] = ()

    @property
    def is_exact(self) -> bool:
        """True if every decision came out as it was recorded."""
        return not self.differences


def replay_study(root: Path, study: str) -> Replay:
    """Decide again everything that the driver of a study has decided; trains nothing.

    Raises:
        NotFoundError: There is no history, or it holds no such study, or not the studies that it learnt from.
        StoreCorruptError: The study's events are not whole.
        StudyError: The study asks for a method that is not there any more.
    """
    with open_history(root) as file:
        file.history(study)  # first: says in its own words what is missing or damaged
        recorded = recorded_events(file, study)
    return replay_events(study, recorded, lambda earlier: past_history(StoreLayout(root.absolute()), earlier, study))


def replay_events(study: str, recorded: Iterable[Recorded], recall: Recall | None = None) -> Replay:
    """Decide again all decisions among the events.

    Each is made from the recorded history before it, not from what was recomputed: one difference hides no other.

    Args:
        study: Its name.
        recorded: All events of its driver, by version; the first one opens it.
        recall: Gives the history of a study that it learnt from; not needed where it learnt from none.
    """
    strategies = _Strategies(recall)
    n_decisions = 0
    differences = []
    for version, made, history in _with_histories(recorded):
        n_decisions += 1
        # The clock is part of what was seen: a budget of time decides by it, and now it stands elsewhere.
        seen = history.at(made.elapsed_seconds)
        again = _decided_again(seen, strategies.of(history))
        # Compared as text: floats are written with all their digits, so that equal texts are equal decisions to the
        # bit.
        if again != _what(made):
            differences.append(
                Difference(decision=made.number, version=version, recorded=_what(made), recomputed=again)
            )
    return Replay(study=study, n_decisions=n_decisions, differences=tuple(differences))


def _with_histories(recorded: Iterable[Recorded]) -> Iterator[tuple[int, DecisionMade, History]]:
    """Each decision with the version after it and the history that the strategy saw."""
    history: History | None = None
    waiting: list[Event] = []
    for version, event in recorded:
        if isinstance(event, DecisionMade):
            history = History.replay(waiting) if history is None else history.after(*waiting)
            assert history is not None  # a study whose opening is lost is refused before it comes here
            waiting = []
            # Events that are kept elsewhere, such as metrics, count in the version and nowhere else.
            yield version, event, history.model_copy(update={"version": version - 1})
        waiting.append(event)


class _Strategies:
    """The strategy that holds at this moment; a study may be opened again with another specification."""

    def __init__(self, recall: Recall | None) -> None:
        self._recall = recall
        self._made_for: tuple[StudySpec, tuple[EarlierStudy, ...]] | None = None
        self._strategy: Strategy | None = None

    def of(self, history: History) -> Strategy:
        spec = history.spec
        earlier = history.earlier or () if is_warm_started(spec) else ()
        # Kept from decision to decision: a strategy that fits a model would else warm up again for each of them.
        if self._strategy is None or self._made_for != (spec, earlier):
            histories = [self._recall(one) for one in earlier] if self._recall else []
            self._made_for, self._strategy = (spec, earlier), study_strategy(spec, histories)
        return self._strategy


def _decided_again(history: History, strategy: Strategy) -> str:
    try:
        decided = decide(history, strategy)
    except SearchError as error:
        return f"no decision: {error}"
    match decided:
        case Wait():
            return "wait"
        case Done(reason=reason):
            return f"done: {reason}"
        case DecisionMade():
            return _what(decided)


def _what(made: DecisionMade) -> str:
    """The decision with the history it was made from and the seed it gives, in one line."""
    step = made.decision.model_dump_json(exclude={"kind", "trial"})
    made_from = f"decision {made.number} from version {made.saw}"
    return f"{made_from}: {made.decision.kind} trial {made.trial} seed {made.seed} {step}"
