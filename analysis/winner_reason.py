"""Says in words why a finalist won; decides nothing."""

from collections.abc import Sequence

from pegbox.analysis.evidence import Choice, Evidence
from pegbox.analysis.feasibility import unkept
from pegbox.analysis.finalist_result import LEVEL
from pegbox.analysis.finalists import disagreement
from pegbox.analysis.ranking import observed_loss
from pegbox.schemas.history import History
from pegbox.schemas.plan import FinalistsRound
from pegbox.schemas.whole_time import finalists_round, planned_round


def explain_choice(history: History, evidence: Evidence, choice: Choice, known: int | None = None) -> str:
    """A few sentences for the user.

    Args:
        known: Position of the finalist that the choice has preferred among the ties.
    """
    said = [
        _why(evidence, choice, known),
        _fewer(history),
        _stopped(evidence),
        _barred(history, evidence, choice),
        _disagreed(history),
    ]
    return "".join(said)


def _why(evidence: Evidence, choice: Choice, known: int | None) -> str:
    replicates = evidence.replicates
    winner, leader = (replicates.trials[position].number for position in (choice.winner, choice.leader))
    count = int(replicates.counts[choice.winner])
    seeds = f"{count} fresh seed{'s' if count > 1 else ''}"
    if replicates.rows is not None:
        seeds += f" and {replicates.rows.n_rows} rows"
    if len(evidence.eligible) == 1:
        which = "finalist" if len(replicates.trials) == 1 else "finalist that keeps the constraints"
        return f"Trial {winner} is the only {which}; it was trained again on {seeds}."
    if not evidence.knows_spread:
        return (
            f"Trial {winner} has the best value on {seeds}; one seed says nothing about the spread, so that no "
            "finalist can be told from another. Raise finalists.seeds."
        )
    chance = f"P(best) {evidence.chances[choice.winner]:.0%}"
    tied = named_trials([replicates.trials[position].number for position in choice.ties])
    if choice.winner != choice.leader and choice.winner == known:
        return (
            f"Trial {winner} was known before the search, and trial {leader}, the best on {seeds}, is not better "
            f"beyond noise ({chance}). It cannot be told from {tied}."
        )
    if choice.winner != choice.leader:
        share = replicates.costs[choice.winner] / replicates.costs[choice.leader]
        return (
            f"Trial {winner} is within one standard error of the best, trial {leader}, at {share:.0%} of its "
            f"{replicates.priced_by} ({chance}). It cannot be told from {tied}."
        )
    lead = f"Trial {winner} has the best mean over {seeds} ({chance})"
    if not choice.ties:
        return f"{lead} and is better than each other finalist at the {LEVEL:.0%} level."
    return f"{lead}; {tied} cannot be told from it."


def _fewer(history: History) -> str:
    """What the whole time had no room for."""
    planned, had = planned_round(history), finalists_round(history)
    if had == planned:
        return ""
    return f" {_size(had)} fitted into the time, in place of {_size(planned)}."


def _size(size: FinalistsRound) -> str:
    return f"{size.top} finalist{'s' if size.top > 1 else ''} with {size.seeds} seed{'s' if size.seeds > 1 else ''}"


def _stopped(evidence: Evidence) -> str:
    """The finalists that were clear losers before their last seed."""
    counts = evidence.replicates.counts
    tried = [len(trial.replicates) + len(trial.failed_replicates) for trial in evidence.replicates.trials]
    stopped = [
        f"trial {trial.number} after {count} seeds"
        for trial, count, seeds in zip(evidence.replicates.trials, counts, tried, strict=True)
        if seeds < max(tried)
    ]
    return f" Stopped earlier: {', '.join(stopped)}." if stopped else ""


def _barred(history: History, evidence: Evidence, choice: Choice) -> str:
    """The finalists with a better mean that do not keep the constraints."""
    barred = [
        f"trial {trial.number} with {unkept(history, trial)}"
        for position, trial in enumerate(evidence.replicates.trials)
        if position not in evidence.eligible and evidence.estimates[position] < evidence.estimates[choice.winner]
    ]
    return f" Better, but outside the constraints: {'; '.join(barred)}." if barred else ""


def _disagreed(history: History) -> str:
    """What the search saw and what it believes, where the two name different trials."""
    found = disagreement(history)
    if found is None:
        return ""
    objective, top = history.objectives[0], finalists_round(history).top
    seen = objective.loss(observed_loss(found.observed, objective))
    part = "both took part" if top > 1 else "there was one place, and the former took it (finalists.top)"
    return (
        f" Trial {found.observed.number} had the best value of the search ({objective.metric} {seen:.4g}), but the "
        f"trials around them made trial {found.believed.number} the one to expect more of; {part}."
    )


def named_trials(numbers: Sequence[int]) -> str:
    """Such as `trials 3, 7`."""
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
