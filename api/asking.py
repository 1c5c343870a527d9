"""Ask and tell: pegbox proposes, a loop that lives elsewhere trains; each step is durable before it is handed out."""

import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from pegbox.execution.trial_evaluation import missing_value
from pegbox.flows.run_facts import describe_run
from pegbox.flows.warm_start_histories import warm_start_histories
from pegbox.schemas.base import Configuration, Schema, parted
from pegbox.schemas.decision import Done, Stop, Wait
from pegbox.schemas.errors import SearchError, StudyError
from pegbox.schemas.events import SearchEnded, TrialEvaluated, TrialFailed
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.decision_events import decide
from pegbox.search.narrowed_space import study_strategy
from pegbox.storage.ingest import ingest
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study


class Asked(Schema):
    """What to train next.

    Attributes:
        number: Of the trial; `tell` takes it.
        configuration: Parameter name to value.
        seed: For every random number of the trial.
        from_budget: What the trial was trained to before, in epochs; 0 to begin.
        budget: What to train it to.
        parent: The trial whose weights it begins with, in a population; None to begin, or to go on, with its own.
    """

    number: int
    configuration: Configuration
    seed: int
    from_budget: int
    budget: int
    parent: int | None = None


class Dialogue:
    """One study that is asked and told; holds the study, as a run does, until it is closed."""

    def __init__(self, spec: StudySpec, store: Path) -> None:
        self._study = open_study(open_store(store), spec, describe_run(spec, None))
        self._strategy = study_strategy(self._study.history.spec, warm_start_histories(self._study))
        # Of an earlier process that never told: handed out again, so that the proposals stay the same.
        self._left = [trial.number for trial in self._study.history.running]
        self._asked: dict[int, int] = {}

    def ask(self) -> Asked | None:
        """The next trial, or a further stretch of one; None once the search has ended.

        Raises:
            SearchError: What was asked for must be told first.
        """
        if self._left:
            return self._hand_out(self._study.history.trials[self._left.pop(0)])
        while True:
            made = decide(self._study.history.at(self._study.elapsed_seconds), self._strategy)
            if isinstance(made, Done):
                self._end(made.reason)
                return None
            if isinstance(made, Wait):
                asked = ", ".join(map(str, sorted(self._asked)))
                raise SearchError(f"the search waits for what was asked: tell the trials {asked} first.")
            self._study.record(made)
            if not isinstance(made.decision, Stop):
                return self._hand_out(self._study.history.trials[made.trial])

    def tell(self, number: int, metrics: Mapping[str, float], *, seconds: float = 0.0) -> None:
        """Say what a trial measured at the budget that it was asked for.

        Raises:
            StudyError: It was not asked for, or was told already; a value is no number, or the objective is missing.
        """
        budget = self._budget_of(number)
        numbers = {name: _as_float(name, value, self.spec.name) for name, value in metrics.items()}
        finite, unusable = parted(numbers)
        evaluation = Evaluation(budget=budget, metrics=finite, unusable=unusable, seconds=seconds)
        failure = missing_value(self.spec, evaluation)
        if failure is not None and failure.kind is not FailureKind.DIVERGED:
            raise StudyError(f"trial {number}: {failure.message}", self.spec.name)
        if failure is not None:
            self._fail(number, failure)
            return
        state = TrialState.COMPLETED if budget >= self.spec.full_budget else TrialState.PAUSED
        self._study.record(TrialEvaluated(study=self.spec.name, trial=number, evaluation=evaluation, state=state))
        del self._asked[number]

    def fail(self, number: int, message: str) -> None:
        """Say that a trial failed: it is not tried again, and the search learns from it.

        Raises:
            StudyError: It was not asked for, or was told already.
        """
        self._budget_of(number)
        self._fail(number, Failure(kind=FailureKind.ERROR, message=message))

    @property
    def spec(self) -> StudySpec:
        """What is searched."""
        return self._study.history.spec

    def publish(self) -> None:
        """Make all that was told readable, also where the background is at it: what was told is asked for now."""
        ingest(self._study.store, wait=True, force=True)

    def close(self) -> None:
        """Let go of the study; trials that were asked and not told are handed out again by whoever asks next."""
        self._study.close("interrupted" if self._asked else "completed")

    def _fail(self, number: int, failure: Failure) -> None:
        trial = self._study.history.trials[number]
        failed = TrialFailed(study=self.spec.name, trial=number, attempt=trial.attempt, failure=failure, final=True)
        self._study.record(failed)
        del self._asked[number]

    def _hand_out(self, trial: Trial) -> Asked:
        self._asked[trial.number] = trial.to_budget
        return Asked(
            number=trial.number,
            configuration=trial.configuration,
            seed=trial.seed,
            from_budget=trial.budget,
            budget=trial.to_budget,
            parent=None if trial.evaluations else trial.parent,
        )

    def _end(self, reason: str) -> None:
        if reason != self._study.history.search_end:
            ended = SearchEnded(study=self.spec.name, reason=reason, elapsed_seconds=self._study.elapsed_seconds)
            self._study.record(ended)

    def _budget_of(self, number: int) -> int:
        if number in self._asked:
            return self._asked[number]
        known = isinstance(number, int) and number < len(self._study.history.trials)
        what = "was told already, or belongs to an earlier stretch" if known else "was never asked for"
        open_ones = ", ".join(map(str, sorted(self._asked))) or "none"
        raise StudyError(f"trial {number!r} {what}. Waiting to be told: {open_ones}.", self.spec.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _as_float(name: str, value: object, study: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        item = getattr(value, "item", None)
        value = item() if callable(item) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudyError(f"tell takes a number for {name!r}, got {value!r:.100}.", study)
    return float(value) if math.isfinite(value) else value
