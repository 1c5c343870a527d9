"""Prefect task: ask the strategy what to do next."""

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from pegbox.schemas.base import Schema
from pegbox.schemas.decision import Done, Start, Wait
from pegbox.schemas.events import DecisionMade
from pegbox.schemas.history import History
from pegbox.search.strategy import Strategy
from pegbox.tasks.seeds import trial_seed


class Proposals(Schema):
    """What a strategy decided in a row."""

    decisions: tuple[DecisionMade, ...] = ()
    rest: Wait | Done | None = None
    """Why there are fewer decisions than were asked for."""


@task(name="propose-trials", cache_policy=NO_CACHE, persist_result=False)
def propose_trials(history: History, strategy: Strategy, count: int) -> Proposals:
    """Up to `count` decisions, each made with those before it in sight.

    The random numbers of a decision come from the study's seed and the decision's number alone, so that it can be
    made again from the recorded history.

    Raises:
        SearchError: The strategy cannot go on.
    """
    decisions: list[DecisionMade] = []
    for _ in range(count):
        rng = np.random.default_rng([history.spec.search_seed, history.n_decisions])
        decision = strategy.next(history, rng)
        if isinstance(decision, Wait | Done):
            return Proposals(decisions=tuple(decisions), rest=decision)
        number = len(history.trials) if isinstance(decision, Start) else decision.trial
        event = DecisionMade(
            study=history.spec.name,
            number=history.n_decisions,
            saw=history.version,
            elapsed_seconds=history.elapsed_seconds,
            decision=decision,
            trial=number,
            seed=trial_seed(history.spec.seed, number),
        )
        decisions.append(event)
        history = history.after(event)
    return Proposals(decisions=tuple(decisions))
