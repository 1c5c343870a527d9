"""Early budgets of families: each has its first trials before the search decides among them."""

from collections import Counter

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.families import FAMILY
from pegbox.schemas.history import History
from pegbox.schemas.train import FamiliesTrain
from pegbox.schemas.trial import TrialState
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.strategy import Sampler

# One draw in as many as there are families is of the wanted one; with ten of them this misses it once in 40,000 times,
# and then the sampler chooses.
TRIES = 100


class EarlyFamilies:
    """A sampler that is asked once every family has had its trials.

    A model that has seen one trial of a family takes its hyperparameters for what the family can do, and a family that
    began badly would never be seen again.

    Args:
        sampler: Who decides after that.
        train: Which families there are, and how many trials each is given.
        encoding: Of the space.
    """

    def __init__(self, sampler: Sampler, train: FamiliesTrain, encoding: SpaceEncoding) -> None:
        self._sampler, self._train, self._encoding = sampler, train, encoding
        self._novelty = Deduplication(encoding)

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """Random configurations of families that had too few trials, the one with the fewest first.

        Raises:
            SpaceExhaustedError: As the sampler.
        """
        if (family := self._next_family(history)) is not None:
            tried = self._novelty.tried(history)
            for _ in range(TRIES):
                drawn = self._encoding.decode(rng.random(self._encoding.n_dims))
                is_allowed = not self._encoding.space.is_forbidden(drawn)
                if drawn[FAMILY] == family and is_allowed and self._encoding.key(drawn) not in tried:
                    return [drawn]
        return self._sampler.propose(history, count, rng)

    def _next_family(self, history: History) -> str | None:
        """The first of those with the fewest trials; None once all had theirs."""
        begun = Counter(str(trial.configuration[FAMILY]) for trial in history.trials)
        alive = {str(trial.configuration[FAMILY]) for trial in history.trials if trial.state is not TrialState.FAILED}
        waiting = {
            name: begun[name]
            for name in self._train.families
            if begun[name] < self._train.early and (name in alive or not begun[name])
        }
        return min(waiting, key=lambda name: waiting[name]) if waiting else None
