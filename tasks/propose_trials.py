"""Prefect task: ask the strategy what to do next."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from pegbox.schemas.base import Schema
from pegbox.schemas.decision import Done, Wait
from pegbox.schemas.events import DecisionMade
from pegbox.schemas.history import History
from pegbox.search.decision_events import decide
from pegbox.search.strategy import Strategy


class Proposals(Schema):
    """What a strategy decided in a row."""

    decisions: tuple[DecisionMade, ...] = ()
    rest: Wait | Done | None = None
    """Why there are fewer decisions than were asked for."""


# Not cached by Prefect: decisions are recorded in the history, and a history is too large to be hashed as a key.
@task(name="propose-trials", cache_policy=NO_CACHE, persist_result=False)
def propose_trials(history: History, strategy: Strategy, count: int) -> Proposals:
    """Up to `count` decisions, each made with those before it in sight.

    Raises:
        SearchError: The strategy cannot go on.
    """
    decisions: list[DecisionMade] = []
    for _ in range(count):
        made = decide(history, strategy)
        if isinstance(made, Wait | Done):
            return Proposals(decisions=tuple(decisions), rest=made)
        decisions.append(made)
        # Each in sight of the one before, as if it had been asked for alone: parallel studies replay decision by
        # decision.
        history = history.after(made)
    return Proposals(decisions=tuple(decisions))
