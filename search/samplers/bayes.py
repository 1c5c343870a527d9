"""Bayesian optimisation: the next configuration is where the acquisition function, log expected improvement, peaks.

The constants were picked on the ten development tasks of LCBench; what they reach, and what they miss, stands in
`benchmarks/README.md`.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.search.model.acquisition_optimiser import AcquisitionOptimiser, Effort, Score
from pegbox.search.model.boundary_correction import BoundaryCorrection
from pegbox.search.model.budget_surrogate import ModelSettings, Surrogate, SurrogateBuilder
from pegbox.search.model.cost_aware import CostModel
from pegbox.search.model.density_model import DensityModel, second_opinion
from pegbox.search.model.expected_improvement import log_expected_improvement, log_share_to_learn
from pegbox.search.model.feasibility_weight import FeasibilityWeight
from pegbox.search.model.features import FeatureMap
from pegbox.search.model.observations import Observations, Observer
from pegbox.search.model.threads import single_threaded
from pegbox.search.model.warm_start_mean import WarmStartMean
from pegbox.search.samplers.initial_design import InitialDesign
from pegbox.search.space.axes import Array
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding

FEWEST_VALUES = 3
"""Values that a model needs: of two it knows a difference, and nothing that would contradict it."""

SECOND_OPINION_EVERY = 3
"""Asks: so many in turn, the last of them the density model's where it has ranked the latest values no worse."""

FEWEST_RANKED = 10
"""Values before a density is asked: of fewer the order tells nothing."""

N_GOOD = 5
"""Seen points around which the search for the next one looks; several, because the best may owe its place to luck."""


class BayesSettings(NamedTuple):
    """The method's constants."""

    # A model learns sooner from points that it chose, but from few of them it rules parameters out; 4 to 12 by hand.
    n_initial: int | None = None
    """Points of a Sobol sequence before the first model; one more than half of the parameters, 4 to 12, where None."""
    margin: float = 0.1
    """Improvement that counts at every other ask, in deviations of the better half of the seen points' means: without
    it the last asks polish one corner."""
    margin_beside: float = 0.3
    """The same while other trials run, of which some polish already: with 8 workers a regret of .054 instead of .064
    (decision 4)."""
    per: str | None = None
    """What improvement is divided by: `seconds` of training, or a metric; nothing where None."""
    model: ModelSettings = ModelSettings()
    effort: Effort = Effort()


class BayesSampler:
    """Log expected improvement over a Gaussian process.

    The incumbent is the lowest posterior mean at a seen point, not the lowest value, so one lucky measurement does not
    mislead. Running trials are believed to end at their mean. Failed trials enter by a model of feasibility. Several
    objectives are traded by weights that are drawn anew for each decision: the expected gain of dominated area, which
    was tried instead, conquered less of it (1.10 against 1.28 in `benchmarks/tradeoffs.py`).

    At every third ask a density model proposes instead, where it ranked the latest values no worse.

    Source: Jones et al. 1998; Ament et al. 2023 for the logarithm; Huang et al. 2006 for what noise leaves to learn;
    Knowles 2006 for the weights; Hvarfner et al. 2024 for the prior.
    """

    def __init__(
        self,
        encoding: SpaceEncoding,
        full_budget: int,
        seed: int,
        settings: BayesSettings | None = None,
        earlier: Sequence[History] = (),
    ) -> None:
        self._encoding = encoding
        self._settings = settings or BayesSettings()
        self._novelty = Deduplication(encoding)
        self._observer = Observer(encoding)
        # One object for the model and for the first points: each earlier study is fitted once.
        past = WarmStartMean(encoding, earlier)
        self._builder = SurrogateBuilder(encoding, full_budget, self._settings.model, past)
        self._has_past = not past.is_empty
        self._admission = FeasibilityWeight(encoding)
        self._design = InitialDesign(encoding, seed, None if past.is_empty else past.recommended())
        self._thrift = CostModel(encoding, self._settings.per) if self._settings.per else None
        self._ascent = AcquisitionOptimiser(encoding)
        self._features = FeatureMap(encoding)
        self._boundary = BoundaryCorrection(encoding, self._features)

    @single_threaded
    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """The configurations of most expected improvement, each with those before it believed."""
        observations = self._observer.observe(history)
        full = float(history.spec.full_budget)
        chosen: list[Configuration] = []
        for _ in range(count):
            configuration = self._next(history, observations, chosen, rng)
            chosen.append(configuration)
            # As if it ran already, else all of a batch would be one point and its neighbours.
            observations = observations.with_pending(self._encoding.encode(configuration), full)
        return chosen

    def is_warming_up(self, history: History) -> bool:
        """True while the first trials, which no model chooses, have not all begun."""
        return len(history.trials) < self._n_initial(self._observer.observe(history))

    def surrogate(self, history: History, rng: np.random.Generator) -> Surrogate | None:
        """The model of a history; None while it holds too few values."""
        seen = self._observer.observe(history)
        return self._builder.build(seen, self._weights(history, rng)) if len(seen.losses) >= FEWEST_VALUES else None

    def best_untried(
        self,
        history: History,
        score: Score,
        surrogate: Surrogate,
        rng: np.random.Generator,
        effort: Effort | None = None,
    ) -> Configuration:
        """The configuration of the highest score that was not tried; the Sobol sequence's where the search finds none.

        Raises:
            SpaceExhaustedError: Every configuration has been tried.
        """
        return self._maximise(history, [], score, surrogate.best(N_GOOD), rng, effort)

    def _n_initial(self, seen: Observations) -> int:
        if self._is_advised(seen):
            return self._design.n_recommended
        return self._settings.n_initial or min(max(self._features.n_groups // 2 + 2, 4), 12)

    def _is_advised(self, seen: Observations) -> bool:
        """True while the points that earlier studies recommend are worth trying."""
        return self._has_past and not self._design.leads_astray(seen)

    def _next(
        self, history: History, seen: Observations, chosen: list[Configuration], rng: np.random.Generator
    ) -> Configuration:
        n_trials = len(history.trials) + len(chosen)
        if n_trials < self._n_initial(seen) or len(seen.losses) < FEWEST_VALUES:
            # Past the recommended numbers once they led astray: what is left of them is of the same kind.
            begin = n_trials if self._is_advised(seen) else n_trials + self._design.n_recommended
            return self._spread(history, begin, chosen)
        weigh = self._admission.log_weight(seen)
        # Without a trial that may win there is no incumbent to improve on: look for feasibility alone, near the latest.
        if not seen.keeps.any():
            return self._maximise(history, chosen, weigh, seen.points[-N_GOOD:], rng)
        surrogate = self._builder.build(seen, self._weights(history, rng), believe_unfinished=True)
        is_its_turn = n_trials % SECOND_OPINION_EVERY == SECOND_OPINION_EVERY - 1
        if is_its_turn and (density := self._density(history, seen, surrogate)):
            drawn = density.drawn(rng)
            drawn = drawn[np.argsort(-(density.log_ratio(drawn) + weigh(drawn)), kind="stable")]
            if (configuration := self._untried(history, chosen, drawn)) is not None:
                return configuration
        gain = self._expected(surrogate, seen)
        spare = self._thrift.log_weight(history) if self._thrift else None

        def score(points: Array) -> Array:
            # Sums of logarithms: the product of improvement, probabilities and cost would round to zero far out.
            total = gain(points) + weigh(points)
            return total if spare is None else total + spare(points)

        return self._maximise(history, chosen, score, self._good(surrogate, seen), rng)

    def _good(self, surrogate: Surrogate, seen: Observations) -> Array:
        """Seen points around which to look, those that keep the constraints among them."""
        if seen.keeps.all():
            return surrogate.best(N_GOOD)
        best = np.argsort(seen.losses[seen.keeps, 0], kind="stable")[:N_GOOD]
        return np.vstack([surrogate.best(N_GOOD), seen.points[seen.keeps][best]])

    def _density(self, history: History, seen: Observations, surrogate: Surrogate) -> DensityModel | None:
        """The second opinion where it is as good as the process: of one objective, at one budget, without a past."""
        knows_all = not history.spec.constraints and self._thrift is None and not self._has_past
        is_plain = knows_all and seen.losses.shape[1] == 1
        if not is_plain or len(seen.losses) < FEWEST_RANKED or np.any(seen.budgets != history.spec.full_budget):
            return None
        return second_opinion(self._encoding, surrogate.seen, surrogate.losses, surrogate.posterior)

    def _maximise(
        self,
        history: History,
        chosen: list[Configuration],
        score: Score,
        good: Array,
        rng: np.random.Generator,
        effort: Effort | None = None,
    ) -> Configuration:
        points = self._ascent.maximise(score, good, rng, effort or self._settings.effort)
        found = self._untried(history, chosen, points)
        return found if found is not None else self._spread(history, len(history.trials) + len(chosen), chosen)

    def _untried(self, history: History, chosen: list[Configuration], points: Iterable[Array]) -> Configuration | None:
        """The first of the points that was not tried."""
        tried = self._novelty.tried(history)
        taken = {self._encoding.key(other) for other in chosen}
        for point in points:
            configuration = self._encoding.decode(point)
            key = self._encoding.key(configuration)
            if key not in tried and key not in taken:
                return configuration
        return None

    def _weights(self, history: History, rng: np.random.Generator) -> Array | None:
        """Of several objectives, drawn anew for each decision; None for one."""
        n_objectives = len(history.objectives)
        # Dirichlet of ones: uniform over all trades, as ParEGO draws them.
        return rng.dirichlet(np.ones(n_objectives)) if n_objectives > 1 else None

    def _spread(self, history: History, number: int, chosen: list[Configuration]) -> Configuration:
        """The Sobol sequence from a number on, past what was tried."""
        # 10**9: more than any study, and below 2**30, where the Sobol sequence ends.
        numbers = iter(range(number, number + 10**9))
        taken = [self._encoding.key(other) for other in chosen]
        drawn = self._novelty.draw(
            history, len(chosen) + 1, lambda: self._encoding.decode(self._design.point(next(numbers)))
        )
        return next(configuration for configuration in drawn if self._encoding.key(configuration) not in taken)

    def _expected(self, surrogate: Surrogate, seen: Observations) -> Score:
        """Log expected improvement at the full budget: by turns of a clear one where much is to be learnt, and of any.

        The deviation is seen without what bounds add to it that the incumbent does not lie on. Of several objectives
        each improvement counts, and the bounds as well: there the ends of a front mostly lie.
        """
        is_single = seen.losses.shape[1] == 1
        # By what the history holds, not by a counter: a strategy has no state, and a resumed one goes on in step.
        is_clear = is_single and (len(seen.losses) + len(seen.failed) + len(seen.pending)) % 2 == 0
        margin = (self._settings.margin_beside if len(seen.pending) else self._settings.margin) if is_clear else 0.0
        candidates = surrogate.seen if seen.keeps.all() else seen.points[seen.keeps]
        means = surrogate.mean(candidates)
        home, lengths = candidates[np.argmin(means)], surrogate.posterior.lengths
        # Of the better half: what bad points differ by is no measure of what can still be gained.
        incumbent = float(means.min() - margin * means[means <= np.median(means)].std())

        def score(points: Array) -> Array:
            mean, deviation = surrogate.predict(points)
            if is_single:
                deviation = deviation * self._boundary.factor(points, lengths, home)
            gain = log_expected_improvement(mean, deviation, incumbent)
            return gain + log_share_to_learn(deviation, surrogate.posterior.noise) if is_clear else gain

        return score
