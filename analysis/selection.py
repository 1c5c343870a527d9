"""Who won among the finalists, and how sure that is; trains nothing and reads no file."""

import numpy as np

from pegbox.analysis.finalists import single_objective
from pegbox.analysis.replicates import Array, Replicates, gather_replicates
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Finalist, Interval, Selection

LEVEL = 0.95
N_DRAWS = 20_000


def select_winner(history: History) -> Selection:
    """The finalist to run, with the evidence of its fresh seeds.

    Raises:
        NoTrialSucceededError: No finalist has a value on a fresh seed.
        StudyError: The study has several objectives.
    """
    objective = single_objective(history)
    replicates = gather_replicates(history, objective)
    if not replicates.trials:
        raise NoTrialSucceededError(
            f"Study {history.spec.name!r} needs a finalist with a value of {objective.metric!r} on a fresh seed, got "
            "none: every replicate failed. See the failures for the cause."
        )
    draws = mean_draws(replicates)
    chances = probability_best(draws)
    winner = int(np.lexsort((-chances, replicates.means))[0])
    finalists = [
        _finalist(replicates, position, objective, float(chances[position]))
        for position in np.argsort(replicates.means, kind="stable")
    ]
    tied = _ties(replicates, draws, winner)
    best = replicates.trials[winner]
    return Selection(
        study=history.spec.name,
        metric=objective.metric,
        goal=objective.goal,
        winner=best.number,
        configuration=best.configuration,
        finalists=tuple(finalists),
        ties=tuple(replicates.trials[position].number for position in tied),
        reason=_reason(replicates, winner, tied, float(chances[winner])),
    )


def mean_draws(replicates: Replicates) -> Array:
    """Draws of each finalist's true mean loss, shape (N_DRAWS, n_finalists), under a flat prior.

    A finalist with one value has no spread of its own; the draws take that value as certain.
    """
    counts = replicates.counts
    spread = np.nan_to_num(np.nanstd(replicates.losses, axis=1)) * np.sqrt(counts / np.maximum(counts - 1, 1))
    t = replicates.rng().standard_t(np.maximum(counts - 1, 1), size=(N_DRAWS, len(counts)))
    return np.asarray(replicates.means + t * spread / np.sqrt(counts), dtype=float)


def probability_best(draws: Array) -> Array:
    """Share of the draws in which each finalist is best, shape (n_finalists,); equal draws share their win."""
    wins = draws == draws.min(axis=1, keepdims=True)
    return np.asarray((wins / wins.sum(axis=1, keepdims=True)).mean(axis=0), dtype=float)


def _finalist(replicates: Replicates, position: int, objective: Objective, chance: float) -> Finalist:
    trial = replicates.trials[position]
    values = replicates.losses[position][np.isfinite(replicates.losses[position])] * objective.loss(1.0)
    search_value = trial.value(objective.metric)
    return Finalist(
        trial=trial.number,
        configuration=trial.configuration,
        search_value=float(values.mean()) if search_value is None else search_value,
        values=tuple(values.tolist()),
        mean=float(values.mean()),
        interval=t_interval(values),
        probability_best=chance,
    )


def t_interval(values: Array, level: float = LEVEL) -> Interval | None:
    """Student's interval of the mean; None for one value, which says nothing about its spread."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(len(values)))
    return Interval(low=float(values.mean()) - half, high=float(values.mean()) + half, level=level)


def _ties(replicates: Replicates, draws: Array, winner: int) -> list[int]:
    """Finalists that may be as good as the winner: it does not beat them in `LEVEL` of the draws."""
    beaten = (draws[:, [winner]] < draws).mean(axis=0)
    unknown = replicates.counts < 2
    return [
        position
        for position in range(len(replicates.trials))
        if position != winner and (beaten[position] < LEVEL or unknown[position] or unknown[winner])
    ]


def _reason(replicates: Replicates, winner: int, tied: list[int], chance: float) -> str:
    trial, count = replicates.trials[winner].number, int(replicates.counts[winner])
    seeds = f"{count} fresh seed{'s' if count > 1 else ''}"
    if len(replicates.trials) == 1:
        return f"Trial {trial} is the only finalist; it was trained again on {seeds}."
    lead = f"Trial {trial} has the best mean over {seeds}"
    if count < 2:
        return f"{lead}; one seed says nothing about the spread, so no finalist can be told from another."
    if not tied:
        return f"{lead} and is better than each other finalist at the {LEVEL:.0%} level (P(best) {chance:.0%})."
    others = ", ".join(str(replicates.trials[position].number) for position in tied)
    return f"{lead} (P(best) {chance:.0%}); trial{'s' if len(tied) > 1 else ''} {others} cannot be told from it."
