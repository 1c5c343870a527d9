"""Hyperparameter importance (fANOVA, PED-ANOVA), and how sure it is; uniform over the declared space."""

import hashlib
from typing import Literal

import numpy as np
from pydantic import Field

from pegbox.analysis.fanova import Decomposition, decompose, fit, worthwhile_pairs
from pegbox.analysis.ped_anova import Divergences, divergences
from pegbox.analysis.single_thread import single_threaded_algebra
from pegbox.analysis.targets import About, Target, target_of
from pegbox.analysis.unit_columns import Array, Table, tabulate
from pegbox.schemas.base import Schema
from pegbox.schemas.history import History
from pegbox.schemas.selection import Interval

Verdict = Literal["matters", "unclear", "can be fixed"]

NEGLIGIBLE = 0.05
"""A parameter that accounts for less than this share may be fixed. Picked by hand; 1.5 % of the verdicts by it were
wrong in `benchmarks/importance.py`."""
RESOLUTION = 0.01
"""A smaller share cannot be told from none: a tree always finds something to split. Picked by hand."""
MIN_EXPLAINED = 0.1
"""A surrogate that explains less of the trials it has not seen knows nothing about parameters; shares of what it does
explain would be shares of chance. Picked by hand."""
MIN_TRIALS = 10
"""And two a parameter: fewer leave the out-of-bag share, which guards the answer, to chance itself. Picked by hand."""


class ParameterImportance(Schema):
    """How much of the differences between configurations one parameter accounts for."""

    name: str
    share: float = Field(ge=0, le=1)
    """Of the variance over the declared space, by this parameter alone."""
    total: float = Field(ge=0, le=1)
    """Alone and together with one other parameter."""
    interval: Interval
    """Of the total, by bootstrap over trials, widened by what the surrogate leaves unexplained."""
    verdict: Verdict
    """By the interval: above 5 % it matters, below 5 % it can be fixed, else it is unclear."""
    top_share: float = Field(ge=0, le=1)
    """Of what tells the best tenth of the trials from the rest (PED-ANOVA); adds up to 1 over the parameters."""
    good_share: float = Field(ge=0, le=1)
    """Of what tells the best tenth from the rest of the better half; adds up to 1 over the parameters."""


class PairImportance(Schema):
    """How much two parameters account for together, beyond what each does alone."""

    names: tuple[str, str]
    share: float = Field(ge=0, le=1)


class Importance(Schema):
    """Which hyperparameters matter."""

    about: str
    """The metric, or `seconds`, or `failure`."""
    n_trials: int
    """How many trials it rests on."""
    budget: int | None = None
    """The rung at which they were compared; None for the full budget."""
    explained: float = Field(default=0.0, ge=0, le=1)
    """Share of the variance of trials it has not seen that the surrogate explains."""
    parameters: tuple[ParameterImportance, ...] = ()
    """Largest total first; empty where the trials do not allow a ranking, and then the sentence says why."""
    pairs: tuple[PairImportance, ...] = ()
    """Largest first."""
    higher_order: float = Field(default=0.0, ge=0, le=1)
    """Share that no parameter and no measured pair accounts for."""
    sentence: str
    """What this says, or why it says nothing."""


def importance(history: History, about: About = "value", objective: int = 0) -> Importance:
    """Rank the hyperparameters of a study, or say honestly why they cannot be ranked.

    Failed trials have no value and do not count for `value` and `seconds`; `failure` asks what makes trials fail.
    The same history gives the same answer.

    Args:
        about: The objective's value, the training time, or whether a trial fails.
        objective: Position of the objective, where the study has several.
    """
    target = target_of(history, about, objective)
    table = tabulate(history.space, target.trials)
    reason = refusal(target, table)
    if reason:
        return Importance(about=target.name, n_trials=len(target.trials), budget=target.budget, sentence=reason)
    rng = rng_of(table, target)
    # Scaled: scikit-learn takes a variance below 2e-16 for none, and never splits losses that differ by 1e-8.
    scaled = (target.losses - target.losses.mean()) / target.losses.std()
    with single_threaded_algebra():
        ensemble = fit(table, scaled, rng)
        forest = ensemble.mean
        pairs = worthwhile_pairs(ensemble, forest)
        best = decompose(forest, ensemble, pairs)
        plausible = [decompose(bag, ensemble, pairs) for bag in ensemble.bags]
        parts = divergences(table, target.losses, rng)
    if ensemble.explained < MIN_EXPLAINED:
        explained = max(ensemble.explained, 0.0)
        return Importance(
            about=target.name,
            n_trials=len(target.trials),
            budget=target.budget,
            explained=explained,
            sentence=_noise(target, explained),
        )
    parameters = _parameters(table, best, plausible, parts, ensemble.explained)
    return Importance(
        about=target.name,
        n_trials=len(target.trials),
        budget=target.budget,
        explained=min(ensemble.explained, 1.0),
        parameters=parameters,
        pairs=_pairs(table, best),
        higher_order=float(np.clip(1 - best.main.sum() - sum(best.pairs.values()), 0, 1)),
        sentence=_sentence(target, parameters),
    )


def rng_of(table: Table, target: Target) -> np.random.Generator:
    """Random numbers that depend on the trials alone, so that an answer can be computed again."""
    content = np.ascontiguousarray(table.units).tobytes() + target.losses.tobytes()
    return np.random.default_rng(np.frombuffer(hashlib.sha256(content).digest(), dtype=np.uint32))


def refusal(target: Target, table: Table) -> str:
    """Why nothing can be said about the parameters, in one sentence; empty where something can."""
    n_trials, n_columns = len(target.trials), len(table.columns)
    if n_columns == 0:
        return "The space has no hyperparameter with more than one value: there is nothing to rank."
    if n_trials < max(MIN_TRIALS, 2 * n_columns):
        trials = f"{n_trials} trial{'' if n_trials == 1 else 's'}"
        return f"{trials}: too few to rank {n_columns} hyperparameter{'' if n_columns == 1 else 's'}."
    if target.is_flat and target.name == "failure":
        return f"{'All' if target.losses[0] else 'None of the'} {n_trials} trials failed, wherever they lay."
    if target.is_flat:
        return f"All {n_trials} trials have the same {target.told}: there is nothing to rank."
    return ""


def _parameters(
    table: Table, best: Decomposition, plausible: list[Decomposition], parts: Divergences, explained: float
) -> tuple[ParameterImportance, ...]:
    totals = np.minimum(best.total, 1.0)
    low, high = _intervals(totals, np.minimum([one.total for one in plausible], 1.0), explained)
    rows = [
        ParameterImportance(
            name=name,
            share=float(best.main[position]),
            total=float(totals[position]),
            interval=Interval(low=float(low[position]), high=float(high[position])),
            verdict=_verdict(float(low[position]), float(high[position])),
            top_share=min(float(parts.everywhere[position]), 1.0),
            good_share=min(float(parts.among_good[position]), 1.0),
        )
        for position, name in enumerate(table.names)
    ]
    return tuple(sorted(rows, key=lambda row: -row.total))


def _intervals(estimate: Array, plausible: Array, explained: float) -> tuple[Array, Array]:
    """Percentiles of the bootstrap, widened by what the surrogate misses.

    A share p of the explained variance may lose or gain in the unexplained part u by about u sqrt(p (1 - p)). The
    coverage is counted by `benchmarks/importance.py`.
    """
    low, high = np.quantile(plausible, [0.025, 0.975], axis=0)
    # The bootstrap alone held 15 to 60 % of the truth on an additive function: a forest's own error is not in it.
    missed = (1 - explained) * np.sqrt(estimate * (1 - estimate))
    low, high = np.minimum(low, estimate) - missed, np.maximum(high, estimate) + missed
    return np.where(low < RESOLUTION, 0.0, low), np.minimum(high, 1.0)


def _verdict(low: float, high: float) -> Verdict:
    if low > NEGLIGIBLE:
        return "matters"
    return "can be fixed" if high < NEGLIGIBLE else "unclear"


def _pairs(table: Table, best: Decomposition) -> tuple[PairImportance, ...]:
    rows = [
        PairImportance(names=(table.names[first], table.names[second]), share=share)
        for (first, second), share in best.pairs.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.share))


def _noise(target: Target, explained: float) -> str:
    return (
        f"The hyperparameters explain {explained:.0%} of the differences in {target.told} between {len(target.trials)} "
        "trials: what is left looks like noise, so that nothing can be ranked with confidence."
    )


def _sentence(target: Target, parameters: tuple[ParameterImportance, ...]) -> str:
    n_trials = len(target.trials)
    by_verdict = {
        verdict: [row.name for row in parameters if row.verdict == verdict]
        for verdict in ("matters", "unclear", "can be fixed")
    }
    claims = [
        ("matters", "matter" if len(by_verdict["matters"]) > 1 else "matters"),
        ("can be fixed", "can be fixed"),
        ("unclear", "is unclear" if len(by_verdict["unclear"]) == 1 else "are unclear"),
    ]
    said = [f"{', '.join(by_verdict[verdict])} {words}" for verdict, words in claims if by_verdict[verdict]]
    far = "1 far-off value was" if target.n_capped == 1 else f"{target.n_capped} far-off values were"
    capped = f" ({far} drawn in)" if target.n_capped else ""
    return f"For {target.told}, from {n_trials} trials{capped}: {'; '.join(said)}."
