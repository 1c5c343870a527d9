"""Says in words why a finalist won; decides nothing."""

from collections.abc import Sequence

from pegbox.analysis.evidence import Choice, Evidence
from pegbox.analysis.feasibility import unkept
from pegbox.analysis.standing import LEVEL
from pegbox.schemas.history import History


def explain_choice(history: History, evidence: Evidence, choice: Choice) -> str:
    """A few sentences for the user."""
    return f"{_why(evidence, choice)}{_stopped(evidence)}{_barred(history, evidence, choice)}"


def _why(evidence: Evidence, choice: Choice) -> str:
    replicates = evidence.replicates
    winner, leader = (replicates.trials[position].number for position in (choice.winner, choice.leader))
    count = int(replicates.counts[choice.winner])
    seeds = f"{count} fresh seed{'s' if count > 1 else ''}"
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


def named_trials(numbers: Sequence[int]) -> str:
    """Such as `trials 3, 7`."""
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
