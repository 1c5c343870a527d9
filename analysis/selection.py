"""Who won among the finalists, and how sure that is; trains nothing and reads no file."""

from pegbox.analysis.evidence import Evidence, pick, weigh
from pegbox.analysis.feasibility import none_feasible
from pegbox.analysis.finalist_result import finalist_result, interval_of
from pegbox.analysis.finalists import baseline_trial
from pegbox.analysis.pareto_selection import select_from_front
from pegbox.analysis.replicates import Replicates, gather_replicates
from pegbox.analysis.winner_reason import explain_choice
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.history import History
from pegbox.schemas.selection import Interval, RowNoise, Selection
from pegbox.schemas.trial import Trial


def select_winner(history: History, rows: RowNoise | None = None) -> Selection:
    """The finalist to run, with the evidence of its fresh seeds.

    The rule among ties is that of `evidence.pick`, by the costs of `replicates`; with several objectives it is that of
    `pareto_selection`. A finalist whose fresh seeds do not keep the constraints in their mean cannot win.

    Args:
        rows: The noise of the rows in what the finalists lost; without it the noise of seeds alone is counted.

    Raises:
        NoTrialSucceededError: No finalist has a value on a fresh seed, or none keeps the constraints.
    """
    if len(history.objectives) > 1:
        return select_from_front(history, rows)
    objective = history.objectives[0]
    replicates = gather_replicates(history, objective, rows=rows)
    if not replicates.trials:
        raise NoTrialSucceededError(
            f"Study {history.spec.name!r} needs a finalist with a value of {objective.metric!r} on a fresh seed, got "
            "none: every replicate failed. See the failures for the cause."
        )
    eligible = [position for position, trial in enumerate(replicates.trials) if history.may_win(trial)]
    if not eligible:
        raise NoTrialSucceededError(
            f"{none_feasible(history, replicates.trials)} Loosen the constraint, or search longer."
        )
    evidence = weigh(replicates, eligible)
    baseline = _position_of(replicates, baseline_trial(history))
    known = baseline if history.spec.finalists.ties == "known" else None
    choice = pick(evidence, known)
    trial = replicates.trials[choice.winner]
    return Selection(
        study=history.spec.name,
        metric=objective.metric,
        goal=objective.goal,
        winner=trial.number,
        configuration=trial.configuration,
        finalists=tuple(
            finalist_result(history, replicates, at, evidence.draws[:, at], evidence.chance(at))
            for at in evidence.order
        ),
        ties=tuple(replicates.trials[position].number for position in choice.ties),
        reason=explain_choice(history, evidence, choice, known),
        baseline=None if baseline is None else replicates.trials[baseline].number,
        gain=None if baseline is None or baseline == choice.winner else _gain(evidence, baseline, choice.winner),
        row_noise=rows,
    )


def _gain(evidence: Evidence, baseline: int, winner: int) -> Interval | None:
    return interval_of(evidence.draws[:, baseline] - evidence.draws[:, winner])


def _position_of(replicates: Replicates, trial: Trial | None) -> int | None:
    return next((position for position, one in enumerate(replicates.trials) if one is trial), None)
