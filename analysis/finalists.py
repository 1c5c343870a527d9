"""Chooses the finalists, which are trained again on fresh seeds against the winner's curse; `selection` picks one."""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np

from pegbox.analysis.pareto_fronts import by_front, most_volume
from pegbox.analysis.ranking import comparable, contenders, observed_loss, ranked
from pegbox.analysis.surrogate import fit_surrogate
from pegbox.analysis.unit_columns import Array, Table, tabulate
from pegbox.schemas.history import History
from pegbox.schemas.train import FamiliesTrain
from pegbox.schemas.trial import Trial
from pegbox.schemas.whole_time import finalists_round

MIN_TRIALS_TO_SMOOTH = 8
"""With fewer trials a surrogate knows no better than the values themselves. Picked by hand."""


def choose_finalists(history: History) -> tuple[Trial, ...]:
    """The best few distinct configurations, best first, and the one to beat where the study enqueues one.

    The best observed value of a search is half luck where measurements are noisy, so that trials are ranked by the
    posterior mean of a surrogate fitted to all of them; the trial with the best observed value takes the last place,
    which may be the only one, if it has no other. Values that show no noise are taken as they are. With several
    objectives the places go to those of the front of posterior means that add most hypervolume, then to the next front.
    Depends on what the search measured, not on replicates: a resumed study chooses the same trials again.

    Trials that do not keep the constraints teach the surrogate, and take no place.

    Raises:
        NoTrialSucceededError: No trial has a value of every objective, or none keeps the constraints.
    """
    objectives, top = history.objectives, finalists_round(history).top
    if len(objectives) == 1:
        observed = ranked(history, objectives[0])
        chosen = _distinct(_by_belief(history, observed), top)
        # The best observed always takes part: without it 2 of 5 studies without noise handed out a trial that was 46 to
        # 64 % worse than one that they held.
        if not _holds(chosen, observed[0]):
            chosen = [*chosen[: top - 1], observed[0]]
    else:
        chosen = _distinct(_by_front(history, top), top)
    baseline = baseline_trial(history)
    # Beyond the places, not within them: whoever is to be beaten must not push out who might beat it.
    if baseline is not None and not _holds(chosen, baseline):
        chosen.append(baseline)
    return tuple(chosen)


class Disagreement(NamedTuple):
    """Two trials that might be taken for the best of a search."""

    observed: Trial
    """The one with the best value."""
    believed: Trial
    """The one that is expected to be the best, by all trials around it."""


def disagreement(history: History) -> Disagreement | None:
    """What the best observed trial is, and which one is believed to be better; None where both are the same.

    Of one objective; a front has no single best.

    Raises:
        NoTrialSucceededError: As `choose_finalists`.
    """
    if len(history.objectives) > 1:
        return None
    observed = ranked(history, history.objectives[0])
    best, believed = observed[0], _by_belief(history, observed)[0]
    return None if _holds([best], believed) else Disagreement(best, believed)


def baseline_trial(history: History) -> Trial | None:
    """The trial of the known configuration that a winner has to beat; None without one that succeeded.

    That is the first enqueued one; among families the best of all, as each has one of its own.
    """
    spec = history.spec
    known = spec.search.enqueue if isinstance(spec.train, FamiliesTrain) else spec.search.enqueue[:1]
    wanted = [dict(one) for one in known]
    candidates = [one for one in comparable(history, *history.objectives) if dict(one.configuration) in wanted]
    goal = history.objectives[0]
    return min(candidates, key=lambda trial: observed_loss(trial, goal), default=None)


def _by_belief(history: History, trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    losses = _beliefs(history, trials)[:, 0]
    return tuple(trials[position] for position in np.argsort(losses, kind="stable"))


def _by_front(history: History, top: int) -> tuple[Trial, ...]:
    trials = contenders(history)
    losses = _beliefs(history, trials)
    chosen: list[int] = []
    for front in by_front(losses):
        if len(_distinct(tuple(trials[one] for one in chosen), top)) >= top:
            break
        chosen += [int(front[one]) for one in most_volume(losses[front], 2 * top)]
    return tuple(trials[one] for one in chosen)


def _beliefs(history: History, trials: tuple[Trial, ...]) -> Array:
    """Posterior mean losses, shape (n_trials, n_objectives); the observed ones where a surrogate would know no more."""
    # Also those outside the constraints: they say as much of the losses around them as others.
    every = comparable(history, *history.objectives)
    observed = np.array([[observed_loss(trial, goal) for goal in history.objectives] for trial in every])
    table = tabulate(history.space, every)
    row_of = {trial.number: row for row, trial in enumerate(every)}
    rows = [row_of[trial.number] for trial in trials]
    if len(every) < MIN_TRIALS_TO_SMOOTH or not table.columns:
        return observed[rows]
    return np.stack([_smoothed(_Observed.of(table, losses))[rows] for losses in observed.T], axis=1)


@dataclass(frozen=True)
class _Observed:
    """What a search saw; the same for every question about one history."""

    digest: bytes
    table: Table = field(compare=False)
    losses: Array = field(compare=False)

    @classmethod
    def of(cls, table: Table, losses: Array) -> Self:
        content = (repr(table.columns).encode(), table.units.tobytes(), losses.tobytes())
        return cls(hashlib.sha256(b"".join(content)).digest(), table, losses)


# A fit takes seconds, and a round asks before each seed and once more for its reason.
@lru_cache(maxsize=4)
def _smoothed(seen: _Observed) -> Array:
    """Posterior mean losses, shape (n_trials,); the losses themselves where they show no noise."""
    surrogate = fit_surrogate(seen.table, seen.losses)
    return surrogate.predict(seen.table.units)[0] if surrogate.shows_noise else seen.losses


def _distinct(trials: tuple[Trial, ...], count: int) -> list[Trial]:
    chosen: list[Trial] = []
    for trial in trials:
        if len(chosen) == count:
            break
        if not _holds(chosen, trial):
            chosen.append(trial)
    return chosen


def _holds(chosen: list[Trial], trial: Trial) -> bool:
    return any(dict(trial.configuration) == dict(other.configuration) for other in chosen)
