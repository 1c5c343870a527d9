"""Our search as a component of other libraries: proposes from trials that they keep, without store or flow."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import ValidationError

from pegbox.integrations.ranges import RawDomain
from pegbox.schemas.base import Configuration, parted
from pegbox.schemas.errors import StudyError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.plan import Constraint, Objective
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import IMPORTED
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.schemas.validation_messages import validation_problems
from pegbox.search.methods import check_search, sampler_for
from pegbox.search.strategy import Sampler

MOST_RUNGS = 3
"""Budgets at which trials that ran through are compared with those that were stopped. Picked by hand: each costs the
model a row for every trial."""


class ComponentSearch:
    """One method over one space; what it proposes follows from the trials and the decision alone.

    May be asked from several threads, and pickled.
    """

    def __init__(
        self,
        space: Mapping[str, RawDomain],
        goals: Sequence[Objective],
        *,
        constraints: Sequence[Constraint] = (),
        method: str = "bayes",
        n_trials: int | None = None,
        seed: int = 0,
    ) -> None:
        """Check the space and the method.

        Args:
            space: As a study file writes it.
            goals: One objective, or several.
            constraints: Limits that other metrics must keep.
            method: As `search.method` of a study file.
            n_trials: How many will be asked for; `auto` chooses by it.
            seed: Of the proposals.

        Raises:
            StudyError: One of them cannot be used.
        """
        self._raw: dict[str, Any] = {
            "name": "component",
            "space": {"parameters": dict(space)},  # gathered: a parameter of another library may be called `sum`
            "objectives": [goal.model_dump() for goal in goals],
            "constraints": [limit.model_dump() for limit in constraints],
            "search": {"method": method},
            # A budget is declared although the library that asks decides when it ends: the schema wants a limit.
            "budget": {"trials": n_trials or 1_000_000, "failures": None},
            "seed": seed,
        }
        self.spec = self._spec(1)
        if problems := check_search(self.spec):
            raise StudyError(problems, self.spec.name)
        self._sampler: Sampler | None = None
        self._lock = threading.Lock()

    def propose(self, trials: Sequence[Trial], decision: int, full_budget: int = 1) -> Configuration:
        """The next configuration to try.

        Args:
            trials: What is known, numbered from 0 without holes.
            decision: Seeds the random numbers together with the study's seed.
            full_budget: Budget of completed trials, in the units of the library's steps.

        Raises:
            SpaceExhaustedError: Every configuration has been tried.
        """
        with self._lock:  # samplers remember what they computed of trials, and one at a time may write that down
            if self._sampler is None or full_budget != self.spec.full_budget:
                self.spec = self._spec(full_budget)
                self._sampler = sampler_for(self.spec)
            history = History(spec=self.spec, trials=tuple(trials), n_decisions=decision)
            rng = np.random.default_rng([self.spec.search_seed, decision])
            return self._sampler.propose(history, 1, rng)[0]

    def _spec(self, full_budget: int) -> StudySpec:
        raw = {**self._raw, "train": {"kind": "function", "function": IMPORTED, "epochs": full_budget}}
        try:
            return StudySpec.model_validate(raw)
        except ValidationError as error:
            raise StudyError(validation_problems(error, raw), "component") from error

    def __getstate__(self) -> dict[str, Any]:
        # A lock cannot be pickled, and the sampler's memory is computed anew.
        return {**self.__dict__, "_lock": None, "_sampler": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


def running_trial(number: int, configuration: Configuration, budget: int = 1) -> Trial:
    """A trial that is being trained to a budget."""
    return Trial(number=number, configuration=configuration, seed=number, state=TrialState.RUNNING, to_budget=budget)


def ended_trial(running: Trial, values: Mapping[int, Mapping[str, float]], *, is_complete: bool = True) -> Trial:
    """A trial that was measured at some budgets.

    Args:
        running: As it was when it began.
        values: Budget to metrics; a complete trial whose last metrics are not all finite has diverged.
        is_complete: False where it was stopped before the full budget.
    """
    parts = {budget: parted(metrics) for budget, metrics in sorted(values.items())}
    if is_complete and (not parts or next(reversed(parts.values()))[1]):
        return failed_trial(running, "the objective is not finite.", FailureKind.DIVERGED)
    evaluations = tuple(
        Evaluation(budget=budget, metrics=finite, unusable=unusable) for budget, (finite, unusable) in parts.items()
    )
    state = TrialState.COMPLETED if is_complete else TrialState.STOPPED
    reached = max(parts, default=0)
    return running.model_copy(
        update={"state": state, "evaluations": evaluations, "budget": reached, "to_budget": reached}
    )


def failed_trial(running: Trial, message: str, kind: FailureKind = FailureKind.ERROR) -> Trial:
    """A trial whose training failed: its configuration is not tried again, and its neighbours less."""
    return running.model_copy(update={"state": TrialState.FAILED, "failure": Failure(kind=kind, message=message)})


def rungs_of(stopped_at: Iterable[int]) -> tuple[int, ...]:
    """The budgets at which most trials were stopped, by another library's pruner or scheduler.

    >>> rungs_of([1, 3, 1, 9, 3, 1, 27])
    (1, 3, 9)
    """
    return tuple(budget for budget, _ in Counter(stopped_at).most_common(MOST_RUNGS))
