"""A trial and the steps of its life; what is decided about it lives in `decision`, what it adds up to in `history`."""

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import Field, FiniteFloat

from pegbox.schemas.base import Configuration, Metrics, Schema, Unusable
from pegbox.schemas.failure import Failure
from pegbox.schemas.plan import EPOCHS, Constraint
from pegbox.schemas.train import TrainSpec
from pegbox.schemas.training_place import TrainingPlace


class TrialState(StrEnum):
    """proposed → running ⇄ paused → completed | stopped | failed."""

    PROPOSED = "proposed"
    RUNNING = "running"
    PAUSED = "paused"
    """Evaluated at a rung; may be continued."""
    COMPLETED = "completed"
    """Evaluated at the full budget."""
    STOPPED = "stopped"
    """Ended at a rung, on purpose."""
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        """True if nothing more will happen to the trial."""
        return self in FINISHED


# A tuple, which is looked through by identity: a set would hash the state's text for each of 10,000 trials.
FINISHED = (TrialState.COMPLETED, TrialState.STOPPED, TrialState.FAILED)


class Stage(Schema):
    """A stretch of a schedule of hyperparameters: one configuration, from where the stretch before ended."""

    configuration: Configuration
    to_budget: int = Field(ge=1)
    """Where it ends."""


class Segment(TrainingPlace):
    """One stretch of training: a trial, from one budget to the next, on one fold and seed."""

    study: str
    attempt: int = Field(default=1, ge=1)
    fold: int = Field(default=0, ge=0)
    configuration: Configuration
    """Of all that is trained, but for the stages before it."""
    earlier: tuple[Stage, ...] = ()
    """What the weights learnt under other hyperparameters, first to last: of a trial that was forked from another."""
    seed: int
    from_budget: int = Field(default=0, ge=0)
    to_budget: int = Field(ge=1)
    checkpoint: Path | None = None
    """Where the segment before ended; None to begin, or where the trainer keeps no checkpoints."""
    train: TrainSpec
    code: str
    """Fingerprint of the code that trains."""
    objectives: tuple[str, ...] = ()
    """The metrics that the study makes small or large, in order; numbers without a name are called by them."""
    fidelity: str = EPOCHS
    """What budgets count: epochs, or what else the study gives a trial more of at each rung."""
    is_model: bool = False
    """True for the training of the model that the study ends in: it is watched on rows that it learns from, and what
    it reports is no measurement of the trial."""

    def content_key(self, data_fingerprint: str) -> str:
        """Equal for segments that compute the same result, whichever study or trial they belong to."""
        content = self.model_dump(
            mode="json",
            # The cache key. Named one by one, so that a field which is added to a segment, such as a timeout, does not
            # train everything again; neither study nor trial nor attempt shapes the result.
            include={"configuration", "seed", "from_budget", "to_budget", "fold", "train", "code"},
            exclude={"train": {"depends", "version"}},  # what they stand for is part of the code
        )
        # By content: moved or renamed data is the same data.
        content["data"] = data_fingerprint
        if self.earlier:  # not told where there are none: what was trained before there were stages keeps its key
            content["earlier"] = [stage.model_dump(mode="json") for stage in self.earlier]
        if self.fidelity != EPOCHS:  # not told of epochs, for the same reason
            content["fidelity"] = self.fidelity
        if self.train.kind == "function":  # what it returns without a name is called by the objective
            content["objectives"] = self.objectives
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


class MetricReport(Schema):
    """Metrics measured at one step of a segment."""

    step: int = Field(ge=0)
    """In units of the budget, such as epochs finished since the trial began."""
    metrics: Metrics
    unusable: Unusable = Field(default={})


class TrainedSegment(Schema):
    """What training a segment leaves behind; holds nothing of its trial, so that it can be shared."""

    budget: int
    """What was reached; below the segment's `to_budget` where patience ended it."""
    checkpoint: Path | None = None
    reports: tuple[MetricReport, ...] = ()
    seconds: float = Field(ge=0)
    """Of training, start-up of the worker not included."""
    device: str = "cpu"
    peak_memory_bytes: int | None = None
    worker: str = ""
    """Host and process id of the worker."""
    started_at: float = 0.0
    """Unix time, in seconds."""
    stopped_early: bool = False
    """True if patience ended it before its budget."""
    restarted: bool = False
    """True if the trainer keeps no checkpoint and trained from zero."""
    understood: str = ""
    """What was read of a program's output, in a sentence; empty for trainers that hand over numbers."""
    together: int = Field(default=1, ge=1)
    """Trials that were trained as one stack, this one included; `seconds` is its share."""

    @property
    def is_whole(self) -> bool:
        """False if its checkpoint was deleted."""
        return self.checkpoint is None or self.checkpoint.exists()


class Evaluation(Schema):
    """Metrics of one trial at one budget."""

    budget: int
    metrics: Metrics
    unusable: Unusable = Field(default={})
    """Metrics whose last report or measurement was no finite number; they have no value."""
    seconds: float = Field(default=0.0, ge=0)
    """Of training, from budget 0 to here, over all folds."""
    fold: int | None = None
    """None for the mean over folds, or where there is one split."""
    replicate: int | None = None
    rows: tuple[Path, ...] = ()
    """Where the losses of each row are kept, a file for each fold; of fresh seeds alone."""


def mean_evaluation(folds: Sequence[Evaluation]) -> Evaluation:
    """The mean over folds of every metric that all of them have; seconds are added up.

    Args:
        folds: At least one, of one trial (and replicate) at one budget.
    """
    # Metrics that all folds have: a mean over some of them would be compared with means over all.
    shared = set.intersection(*(set(fold.metrics) for fold in folds))
    return Evaluation(
        # The least: patience may end folds at different epochs, and a mean is no better trained than its worst part.
        budget=min(fold.budget for fold in folds),
        metrics={
            name: sum(fold.metrics[name] for fold in folds) / len(folds) for name in folds[0].metrics if name in shared
        },
        unusable={name: text for fold in folds for name, text in fold.unusable.items()},
        seconds=sum(fold.seconds for fold in folds),
        replicate=folds[0].replicate,
        rows=tuple(path for fold in folds for path in fold.rows),
    )


class Trial(Schema):
    """One configuration with its life."""

    number: int = Field(ge=0)
    configuration: Configuration
    seed: int
    parent: int | None = None
    """The trial that it was forked from; None for one that begins anew."""
    replaces: int | None = None
    """The trial in whose place it is trained; None for one that begins anew."""
    earlier: tuple[Stage, ...] = ()
    """The stages of its schedule before its own configuration, those of its ancestors; () for one that begins anew."""
    state: TrialState = TrialState.PROPOSED
    attempt: int = Field(default=1, ge=1)
    budget: int = 0
    """Reached so far."""
    to_budget: int = 0
    """What it is, or was last, trained to."""
    evaluations: tuple[Evaluation, ...] = ()
    """One for each rung, in order of budget; means over folds."""
    folds: tuple[Evaluation, ...] = ()
    """One for each fold that was evaluated while searching, at any rung."""
    replicates: tuple[Evaluation, ...] = ()
    """One for each fresh seed of the finalists' round that succeeded."""
    failed_replicates: tuple[int, ...] = ()
    """The fresh seeds of the finalists' round that failed for good."""
    checkpoints: dict[int, Path] = Field(default={})
    """Fold to where the training that was last evaluated ended."""
    failure: Failure | None = None

    @property
    def inherited(self) -> int:
        """What it began with, in units of the budget: learnt by its ancestors; 0 for one that begins anew."""
        return self.earlier[-1].to_budget if self.earlier else 0

    @property
    def schedule(self) -> tuple[Stage, ...]:
        """What was learnt under which hyperparameters, to where it is, or was last, trained; one stage mostly."""
        return (*self.earlier, Stage(configuration=self.configuration, to_budget=max(self.to_budget, 1)))

    def value(self, metric: str, budget: int | None = None) -> FiniteFloat | None:
        """The metric at a budget (the latest evaluation where None), or None where it was not measured."""
        for evaluation in reversed(self.evaluations):
            if budget is None or evaluation.budget == budget:
                return evaluation.metrics.get(metric)
        return None

    def measured(self, metric: str) -> FiniteFloat | None:
        """The metric's mean over fresh seeds, before there are any its latest value; None where it was not measured."""
        # Fresh seeds before the value that the search saw: the latter was among the best of many, and is optimistic.
        fresh = [one.metrics[metric] for one in self.replicates if metric in one.metrics]
        return sum(fresh) / len(fresh) if fresh else self.value(metric)

    def violation(self, constraint: Constraint) -> FiniteFloat | None:
        """How far the trial lies outside a constraint, in units of the metric; zero or less where it keeps it.

        Returns:
            None where the metric was not measured: the trial is not known to keep the constraint.
        """
        value = self.measured(constraint.metric)
        return None if value is None else constraint.violation(value)

    def keeps(self, constraint: Constraint) -> bool:
        """True if the trial is known to keep a constraint."""
        violation = self.violation(constraint)
        return violation is not None and violation <= 0
