"""Who won among the finalists, and how sure that is; trains nothing and reads no file."""

import numpy as np

from pegbox.analysis.evidence import LEVEL, Evidence, pick, weigh
from pegbox.analysis.finalists import baseline_trial
from pegbox.analysis.front_selection import select_from_front
from pegbox.analysis.replicates import Array, Replicates, gather_replicates
from pegbox.analysis.verdict import explain_choice
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Finalist, Interval, Selection


def select_winner(history: History) -> Selection:
    """The finalist to run, with the evidence of its fresh seeds.

    The rule among ties is that of `evidence.pick`, by the costs of `replicates`; with several objectives it is that of
    `front_selection`.

    Raises:
        NoTrialSucceededError: No finalist has a value on a fresh seed.
    """
    if len(history.objectives) > 1:
        return select_from_front(history)
    objective = history.objectives[0]
    replicates = gather_replicates(history, objective)
    if not replicates.trials:
        raise NoTrialSucceededError(
            f"Study {history.spec.name!r} needs a finalist with a value of {objective.metric!r} on a fresh seed, got "
            "none: every replicate failed. See the failures for the cause."
        )
    evidence = weigh(replicates)
    choice = pick(evidence)
    baseline = _position_of(replicates, baseline_trial(history))
    trial = replicates.trials[choice.winner]
    return Selection(
        study=history.spec.name,
        metric=objective.metric,
        goal=objective.goal,
        winner=trial.number,
        configuration=trial.configuration,
        finalists=tuple(_finalist(evidence, position, objective) for position in evidence.order),
        ties=tuple(replicates.trials[position].number for position in choice.ties),
        reason=explain_choice(evidence, choice),
        baseline=None if baseline is None else replicates.trials[baseline].number,
        gain=None if baseline is None or baseline == choice.winner else _gain(evidence, baseline, choice.winner),
    )


def _finalist(evidence: Evidence, position: int, objective: Objective) -> Finalist:
    trial = evidence.replicates.trials[position]
    losses = evidence.replicates.losses[position]
    values = np.array([objective.loss(loss) for loss in losses[np.isfinite(losses)]])
    search_value = trial.value(objective.metric)
    mean = float(values.mean())
    return Finalist(
        trial=trial.number,
        configuration=trial.configuration,
        search_value=mean if search_value is None else search_value,
        values=tuple(values.tolist()),
        n_failed=len(trial.failed_replicates),
        mean=mean,
        estimate=objective.loss(float(evidence.estimates[position])),
        interval=_interval(objective.loss(1.0) * evidence.draws[:, position]) if evidence.knows_spread else None,
        probability_best=min(float(evidence.chances[position]), 1.0),
    )


def _interval(draws: Array) -> Interval:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(low=float(low), high=float(high), level=LEVEL)


def _gain(evidence: Evidence, baseline: int, winner: int) -> Interval | None:
    return _interval(evidence.draws[:, baseline] - evidence.draws[:, winner]) if evidence.knows_spread else None


def _position_of(replicates: Replicates, trial: object) -> int | None:
    return next((position for position, one in enumerate(replicates.trials) if one is trial), None)
