"""Early stopping of a search: ends it once the expected improvement is below what a measurement varies by."""

import numpy as np

from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial
from pegbox.search.model.acquisition_optimiser import AcquisitionOptimiser, Effort
from pegbox.search.model.budget_surrogate import Surrogate, SurrogateBuilder
from pegbox.search.model.expected_improvement import log_expected_improvement
from pegbox.search.model.observations import Observations, Observer
from pegbox.search.model.threads import single_threaded
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding

FIRST = 20
"""Completed trials before the first judgement, or three a parameter where that is more.

Picked by hand: a model of fewer may be sure and wrong, and an end cannot be taken back.
"""
GROWTH = 1.1
"""Judged again each time the completed trials have grown by this factor: a model is fitted for each judgement."""


class ExpectedGain:
    """Ends a search once the expected improvement is below a limit everywhere in the space.

    The limit is a number of the study, or the noise of a measurement: the standard deviation over fresh seeds where
    some were trained, else what the Gaussian process takes for noise. A gain below it could not be seen.

    Source: Nguyen et al. 2017 (expected improvement below a threshold); Makarova et al. 2022 (the threshold is what an
    estimate varies by).
    """

    def __init__(self, encoding: SpaceEncoding, full_budget: int) -> None:
        self._encoding = encoding
        self._observer = Observer(encoding)
        self._builder = SurrogateBuilder(encoding, full_budget)
        self._ascent = AcquisitionOptimiser(encoding)
        self._judged: tuple[tuple[Trial, ...], str | None] = ((), None)

    def reason(self, history: History) -> str | None:
        """Why the search is over, in one sentence; None while it goes on.

        A function of the history alone: it is judged by the trials up to a number, which stays until enough others are
        completed.
        """
        n_free = sum(axis.n_values != 1 for axis in self._encoding.axes)
        count = _last_step(len(history.completed), max(FIRST, 3 * n_free))
        if count is None:
            return None
        last = history.completed[count - 1].number
        # Without running trials: which of them still run at a judgement would depend on the machine's load.
        trials = tuple(trial for trial in history.trials[: last + 1] if trial.state.is_finished)
        if trials != self._judged[0]:
            self._judged = trials, self._judge(history, trials)
        return self._judged[1]

    @single_threaded
    def _judge(self, history: History, trials: tuple[Trial, ...]) -> str | None:
        seen = self._observer.observe(History(spec=history.spec, trials=trials))
        losses = seen.losses[:, 0]
        if np.ptp(losses) == 0:
            return f"All {len(losses)} values of {history.objectives[0].metric} are the same: there is nothing to gain."
        surrogate = self._builder.build(seen)
        # Seeded by their number, not by the decision's: the judgement stands for several decisions, and is replayed.
        gain = surrogate.unit * self._largest_improvement(surrogate, seen, np.random.default_rng(len(trials)))
        goal, limit = history.objectives[0], history.spec.budget.improvement
        if limit != "noise":
            below = gain < float(limit or 0.0)
            return f"{_expected(goal.metric, gain)} less than the {limit:g} that the study asks for." if below else None
        noise = history.replicate_noise(goal) or surrogate.unit * surrogate.posterior.noise**0.5
        return f"{_expected(goal.metric, gain)} less than its noise of {noise:.3g}." if gain < noise else None

    def _largest_improvement(self, surrogate: Surrogate, seen: Observations, rng: np.random.Generator) -> float:
        """The largest expected improvement over the space, in deviations of the losses."""
        incumbent = float(surrogate.mean(seen.points).min())

        def score(points: Array) -> Array:
            mean, deviation = surrogate.predict(points)
            return log_expected_improvement(mean, deviation, incumbent)

        highest = next(self._ascent.maximise(score, surrogate.best(16), rng, Effort()), None)
        return 0.0 if highest is None else float(np.exp(score(highest[None])[0]))


def _expected(metric: str, gain: float) -> str:
    return f"The next trial is expected to improve {metric} by {gain:.2g},"


def _last_step(n_completed: int, first: int) -> int | None:
    """The largest of first, 1.1 first, ... that is reached; None before the first."""
    if n_completed < first:
        return None
    step = first
    while (following := int(np.ceil(GROWTH * step))) <= n_completed:
        step = following
    return step
