"""Trials of one state each, as types that hold no others: a sampler cannot take an active trial for a completed one."""

from collections.abc import Iterable
from typing import ClassVar, Self

from pegbox.schemas.trial import Trial, TrialState


class _TrialsOf(tuple[Trial, ...]):
    states: ClassVar[frozenset[TrialState]]

    def __new__(cls, trials: Iterable[Trial] = ()) -> Self:
        """Take the trials as they come.

        Raises:
            ValueError: One of them is in another state.
        """
        made = super().__new__(cls, trials)
        if stranger := next((trial for trial in made if trial.state not in cls.states), None):
            states = " or ".join(sorted(state.value for state in cls.states))
            raise ValueError(
                f"{cls.__name__} expected trials that are {states}, got trial {stranger.number}, which is "
                f"{stranger.state.value!r}. Take them from a History, which parts its trials by state."
            )
        return made


class CompletedTrials(_TrialsOf):
    """Trials that have a value at the full budget."""

    states = frozenset({TrialState.COMPLETED})


class CompetingTrials(CompletedTrials):
    """Completed trials that may be named the best: inside the space, within the constraints."""


class ActiveTrials(_TrialsOf):
    """Trials that are proposed, running or paused."""

    states = frozenset({TrialState.PROPOSED, TrialState.RUNNING, TrialState.PAUSED})


class FailedTrials(_TrialsOf):
    """Trials whose last attempt failed."""

    states = frozenset({TrialState.FAILED})
