"""Event sourcing of decisions: makes one of a study as an event, live and when it is replayed, by the same lines."""

import numpy as np

from pegbox.schemas.decision import Done, Fork, Start, Step, Wait
from pegbox.schemas.events import DecisionMade
from pegbox.schemas.history import History
from pegbox.search.strategy import Strategy


def decide(history: History, strategy: Strategy) -> DecisionMade | Wait | Done:
    """What the strategy does next, given the history.

    The random numbers of a decision come from the study's seed and the decision's number alone, so that it can be
    made again from the recorded history.

    Raises:
        SearchError: The strategy cannot go on.
    """
    # A list, not a sum: SeedSequence keeps seed 1, decision 0 and seed 0, decision 1 apart.
    rng = np.random.default_rng([history.spec.search_seed, history.n_decisions])
    decision = strategy.next(history, rng)
    if isinstance(decision, Wait | Done):
        return decision
    number = _trial_of(history, decision)
    return DecisionMade(
        study=history.spec.name,
        number=history.n_decisions,
        saw=history.version,
        elapsed_seconds=history.elapsed_seconds,
        decision=decision,
        trial=number,
        seed=_seed(history, decision, number),
    )


def _trial_of(history: History, decision: Step) -> int:
    """The trial that a decision is about: a new number where it begins one."""
    return len(history.trials) if isinstance(decision, Start | Fork) else decision.trial


def _seed(history: History, decision: Step, number: int) -> int:
    # A forked trial goes on with the random numbers of its parent: trained from zero with this seed, its schedule
    # comes out as it did in the search, to the bit.
    return history.trials[decision.parent].seed if isinstance(decision, Fork) else trial_seed(history.spec.seed, number)


def trial_seed(study_seed: int, trial: int) -> int:
    """Seed of a trial's training while searching, 0 to 2**32 - 1: the study's seed and the trial, never a clock.

    >>> trial_seed(0, 1) == trial_seed(0, 1), trial_seed(0, 1) == trial_seed(0, 2)
    (True, False)
    """
    return int(np.random.SeedSequence([study_seed, trial]).generate_state(1)[0])
