"""Health checks of an answer: ties, data leakage, distribution shift, too few trials for the dimensions."""

import json
import math
from shlex import quote
from typing import NamedTuple

import numpy as np

from pegbox.analysis.advice import Advice
from pegbox.analysis.advised_commands import branch, larger_budget, resume
from pegbox.analysis.feasibility import feasible, none_feasible
from pegbox.analysis.importance import Importance, importance
from pegbox.analysis.ranking import comparable, ranked
from pegbox.analysis.replicates import Replicates, gather_replicates
from pegbox.analysis.targets import target_of
from pegbox.analysis.unit_columns import tabulate
from pegbox.analysis.winner_reason import named_trials
from pegbox.schemas.data import SplitSpec
from pegbox.schemas.history import History
from pegbox.schemas.selection import Selection
from pegbox.schemas.whole_time import finalists_round

TRIALS_A_PARAMETER = 10
"""Fewer trials a parameter are few; the rule of thumb for regressions, picked by hand."""
MAX_SEEDS = 30
"""More fresh seeds than this are not worth what they tell: the difference is then below a third of the noise of one
training, and whoever trains once will not see it."""
SUSPICIOUS = 4.0
"""A test value this many standard deviations away from validation is not luck. Picked by hand: the deviation is itself
estimated from a few seeds, whose tails are heavier than the normal ones, and a false alarm costs more trust than it
brings."""
FAR_BELOW = 0.05
"""Of an accuracy and its like: near 1 the rows of a test part alone make smaller differences; picked by hand."""
FEWEST_SEEDS = 3
"""Whose spread says something."""


def constraints_unkept(history: History) -> Advice | None:
    """Advice to search longer, or to ask for less, where no trial keeps the constraints."""
    trials = comparable(history, *history.objectives)
    if not trials or feasible(history, trials):
        return None
    return Advice(
        kind="constraints",
        what="Search longer, widen the space, or loosen a constraint: nothing that was tried may win.",
        evidence=none_feasible(history, trials),
        command=resume(history, *larger_budget(history)),
    )


def tied_finalists(history: History) -> Advice | None:
    """Advice to train the finalists on more seeds where they cannot be told apart; places on a front are no ties."""
    selection = history.standing_selection
    if selection is None or not selection.ties or selection.front:
        return None
    tied = named_trials(selection.ties)
    seeds = seeds_to_tell_apart(history, selection)
    top, now = finalists_round(history)
    if seeds is None or seeds > MAX_SEEDS:
        by_rows = seeds is None and selection.row_noise is not None
        needed = "more rows to measure on" if by_rows else f"more than {MAX_SEEDS} seeds"
        return Advice(
            kind="ties",
            what=f"Take whichever suits you of trial {selection.winner} and {tied}: they are as good as equal.",
            evidence=f"{_shared_evidence(selection)}; telling them apart would take {needed}.",
            command=f"pegbox compare {selection.winner} {selection.ties[0]} --study {quote(selection.study)}",
        )
    # The number of finalists follows from that of seeds where the study names neither.
    kept = () if history.spec.finalists.top else (f"finalists.top={top}",)
    settings = (*kept, f"finalists.seeds={max(seeds, 2 * now)}")
    return Advice(
        kind="ties",
        what=f"Train the finalists on more seeds: trial {selection.winner} cannot be told from {tied}.",
        evidence=f"{_shared_evidence(selection)}.",
        command=resume(history, *settings),
    )


def seeds_to_tell_apart(history: History, selection: Selection) -> int | None:
    """Seeds after which the nearest tie would be told from the winner, were the means as they look now.

    Solves |mean(d)| = 1.64 sqrt(var(d) / n + V_rows) for n, with d the differences seed by seed and V_rows what the
    rows add to their mean, which no seed makes less; None where fewer than three seeds are common to both, or no
    number of seeds would do.
    """
    replicates = gather_replicates(history, history.objectives[0], rows=selection.row_noise)
    at = {trial.number: position for position, trial in enumerate(replicates.trials)}
    if selection.winner not in at:
        return None
    needed = [_seeds_for(replicates, at[selection.winner], at[tie]) for tie in selection.ties if tie in at]
    return min((seeds for seeds in needed if seeds is not None), default=None)


def _seeds_for(replicates: Replicates, first: int, second: int) -> int | None:
    differences = replicates.losses[first] - replicates.losses[second]
    common = differences[np.isfinite(differences)]
    by_rows = 0.0
    if (covariance := replicates.row_covariance) is not None:
        by_rows = float(covariance[first, first] + covariance[second, second] - 2 * covariance[first, second])
    # 1.64: one-sided 95 %, as a tie is. Held at 1e6, for a mean that is almost none.
    left = (float(common.mean()) / 1.64) ** 2 - by_rows if len(common) >= 3 else 0.0
    return math.ceil(min(float(common.var(ddof=1)) / left, 1e6)) if left > 0 else None


def leaking_data(history: History) -> Advice | None:
    """Advice to look for leaks where the test value is far better than validation says it could be."""
    tested = _tested(history)
    # Half of what is left to gain: of an accuracy its distance to 1, of a loss its distance to 0.
    if tested is None or tested.n_seeds < FEWEST_SEEDS:
        return None
    if tested.better <= SUSPICIOUS * tested.spread or tested.better <= tested.left / 2:
        return None
    return Advice(
        kind="leak",
        what="Look for rows of the test part that training has seen (duplicates, groups, time), and split once more: "
        "what is luck does not come again. Related rows stay in one part by data.split.group.",
        evidence=tested.told("better"),
        command=branch(history, _other_split(tested.split)),
    )


def shifted_data(history: History) -> Advice | None:
    """Advice to expect the test value, and to compare trials on more rows, where it is far worse than validation's."""
    tested = _tested(history)
    if tested is None:
        return None
    # Less strict than a leak, which is told by half: a test part is often a little harder, and that is no fault.
    # With few seeds their spread says little, so that the difference must be all that was lost once more.
    most = tested.left / 2 if tested.n_seeds >= FEWEST_SEEDS else tested.left
    most = max(most, FAR_BELOW if tested.is_share else 0.0)
    if -tested.better <= SUSPICIOUS * tested.spread or -tested.better <= most:
        return None
    if tested.split.time:
        what = "Expect the test value of new rows, not the one that trials were compared by: the later rows are others."
        return Advice(kind="shift", what=what, evidence=tested.told("worse"), command="")
    return Advice(
        kind="shift",
        what="Expect the test value of new rows, not the one that trials were compared by. Look for what sets the "
        "parts apart (time, groups), and compare trials on folds, which are harder to fit by luck.",
        evidence=tested.told("worse"),
        command="" if tested.split.folds else branch(history, "data.split.folds=5"),
    )


class _Tested(NamedTuple):
    """The winner on the test part beside the validation part, in units of the metric.

    Attributes:
        better: How much better the test value is; below 0 where it is worse.
        spread: Standard deviation over seeds and rows, and a thousandth of the value at least.
        left: Distance of the validation value to a perfect one.
        is_share: True for an accuracy and its like, of which 1 is perfect.
    """

    name: str
    test: float
    mean: float
    better: float
    spread: float
    left: float
    is_share: bool
    n_seeds: int
    split: SplitSpec

    def told(self, word: str) -> str:
        """The figures in a sentence."""
        seeds = f"{self.n_seeds} seeds" if self.n_seeds > 1 else "one seed"
        by = f"{abs(self.better) / self.spread:.0f} standard deviations {word}" if self.n_seeds > 1 else word
        return (
            f"On the test part {self.name} is {self.test:.4g}, {by} than on the validation part ({self.mean:.4g} over "
            f"{seeds})."
        )


def _tested(history: History) -> _Tested | None:
    """None where the winner has no test value of the metric that trials were compared by."""
    selection = history.standing_selection
    if selection is None or history.spec.data is None or not selection.metric.startswith("val_"):
        return None
    name = selection.metric.removeprefix("val_")
    test = selection.test_metrics.get(f"test_{name}")
    if test is None:
        return None
    values, objective = np.array(selection.best.values), history.objectives[0]
    mean, n_seeds = float(values.mean()), len(values)
    # A thousandth at least: seeds that agree to the last digit would make any difference suspicious.
    by_rows = 0.0 if selection.row_noise is None else selection.row_noise.deviation(selection.winner)
    spread = max(math.hypot(float(values.std(ddof=1)) if n_seeds > 1 else 0.0, by_rows), 1e-3 * abs(mean))
    is_share = objective.goal == "maximize" and 0 < mean < 1
    better = objective.loss(mean) - objective.loss(test)
    left = 1 - mean if is_share else abs(mean)
    return _Tested(name, test, mean, better, spread, left, is_share, n_seeds, history.spec.data.split)


def _other_split(split: SplitSpec) -> str:
    """A setting that holds other rows out."""
    return f"data.split.test={split.test / 2:g}" if split.time else f"data.split.seed={split.seed + 1}"


def few_trials(history: History, ranking: Importance | None = None) -> Advice | None:
    """Advice to search fewer hyperparameters where the trials are few for them.

    Args:
        ranking: The importance of the history, where it is known already.
    """
    trials = target_of(history).trials
    n_columns = len(tabulate(history.space, trials).columns)
    if not trials or n_columns < 2 or len(trials) >= TRIALS_A_PARAMETER * n_columns:
        return None
    ranking = ranking or importance(history)
    rankings = [ranking, *(importance(history, objective=at) for at in range(1, len(history.objectives)))]
    fixable = [{row.name for row in one.parameters if row.verdict == "can be fixed"} for one in rankings]
    # A parent of conditions is never fixed: its children would lose their place, and the command would be refused.
    parents = {parent for domain in history.space.parameters.values() for parent in domain.when}
    fixed = [row.name for row in ranking.parameters if row.name in set.intersection(*fixable) - parents]
    evidence = f"{len(trials)} trial{'' if len(trials) == 1 else 's'} for {n_columns} hyperparameters"
    if not fixed:
        missing = TRIALS_A_PARAMETER * n_columns - len(trials)
        return Advice(
            kind="unrankable",
            what=f"Run more trials, or search fewer hyperparameters: {len(trials)} are few for {n_columns}.",
            evidence=f"{evidence}. {ranking.sentence}",
            command=resume(history, *larger_budget(history, missing)),
        )
    best = ranked(history, history.objectives[0])[0].configuration
    settings = [f"space.{name}={json.dumps(best[name])}" for name in fixed if name in best]
    return Advice(
        kind="fix",
        what=f"Fix {', '.join(fixed)}, and spend the trials on the others.",
        evidence=f"{evidence}, and each of these accounts for less than 5 % of the differences.",
        command=branch(history, *settings),
    )


def _shared_evidence(selection: Selection) -> str:
    """What tied finalists were judged on: `3 fresh seeds each, P(best) 40%`."""
    seeds = "1 fresh seed" if len(selection.best.values) == 1 else f"{len(selection.best.values)} fresh seeds"
    return f"{seeds} each, P(best) {selection.best.probability_best:.0%}"
