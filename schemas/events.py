"""What is written to the journal: the life of a study, one event a line; files and ingest live in `storage`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, TypeAdapter

from pegbox.schemas.base import Configuration, Metrics, Schema
from pegbox.schemas.code import Code
from pegbox.schemas.decision import Step
from pegbox.schemas.failure import Failure
from pegbox.schemas.model import ModelRecord
from pegbox.schemas.secret_texts import masked
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.text import Told, storable
from pegbox.schemas.training_place import TrainingPlace, TrialSeed
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.schemas.warm_start import EarlierStudy


# A field that is added here is read from old lines as well: it needs a default that says it was not told.
class _Event(Schema):
    study: str


class Driven(_Event):
    """Something that happened while a run drove the study."""

    elapsed_seconds: float | None = Field(default=None, ge=0)
    """Running time of the study over all its runs; said by the log as it writes. None where an earlier version did."""


class StudyOpened(_Event):
    """A driver opened the study, with this specification."""

    type: Literal["study_opened"] = "study_opened"
    spec: StudySpec


class StudyRenamed(_Event):
    """A user gave the study another name: all that was recorded under the old one until now belongs to the new one."""

    type: Literal["study_renamed"] = "study_renamed"
    name: str
    """The new one; of a study that is forgotten one that nobody else has."""
    forgotten: bool = False
    """True where the study is to be seen nowhere until it is restored."""


class StudyDropped(_Event):
    """What a forgotten study needs was deleted: it cannot be restored any more."""

    type: Literal["study_dropped"] = "study_dropped"


class StudyMerged(_Event):
    """The study came from another store, where it is driven; its events follow whenever that store is merged again."""

    type: Literal["study_merged"] = "study_merged"
    source: str
    """What that store is called here."""
    was: str
    """What the study is called there."""


class RunStarted(Driven):
    """A flow run began to drive the study."""

    type: Literal["run_started"] = "run_started"
    run: str
    host: str
    pid: int
    data_fingerprint: str | None = None
    flow_run_id: str | None = None
    git_commit: str | None = None
    git_dirty: bool | None = None
    versions: dict[str, str] = Field(default={})
    start_seconds: float = Field(default=0.0, ge=0)
    """From the start of the command to here, which counts where `budget.whole` limits the study; else 0."""
    code: Code | None = None
    """What trains, part by part; None in histories of 0.2 and earlier."""


class RunEnded(Driven):
    """A flow run let go of the study."""

    type: Literal["run_ended"] = "run_ended"
    run: str
    status: Literal["completed", "interrupted", "failed", "lost"]
    """`lost` is said by a later run: the process of this one died without a word."""
    message: Told = ""


class DecisionMade(Driven):
    """The strategy decided; the trial it starts, continues or stops is named."""

    type: Literal["decision_made"] = "decision_made"
    number: int
    """Counts the decisions of the study from 0; seeds the random numbers of the decision."""
    saw: int
    """The history version that the strategy saw."""
    elapsed_seconds: float
    """Running time of the study when it was decided."""
    decision: Annotated[Step, Discriminator("kind")]
    trial: int
    seed: int
    """Of the trial's training."""


class SearchEnded(Driven):
    """The strategy has nothing more to decide; a larger budget may begin the search again."""

    type: Literal["search_ended"] = "search_ended"
    reason: Told
    """One sentence for the user."""
    elapsed_seconds: float
    """Running time of the study when the last trial of the search ended."""


class WarmStartChosen(_Event):
    """The studies that this one learns from from now on, each up to a version, whatever becomes of it later."""

    type: Literal["earlier_chosen"] = "earlier_chosen"
    studies: tuple[EarlierStudy, ...]


class SegmentStarted(Driven):
    """A segment was handed to a worker."""

    type: Literal["segment_started"] = "segment_started"
    run: str
    segment: Segment


# The event's own bases last, so that their fields come first in a line of the journal.
class SegmentTrained(TrainingPlace, Driven):
    """A segment was trained, or found in the cache; its reports are events of their own."""

    type: Literal["segment_trained"] = "segment_trained"
    from_budget: int
    to_budget: int
    seed: int
    trained: TrainedSegment
    """Without its reports."""
    cached: bool = False


class MetricsReported(TrainingPlace, _Event):
    """Metrics of one step; written by the worker while it trains."""

    type: Literal["metrics_reported"] = "metrics_reported"
    seed: int
    step: int
    metrics: Metrics

    @classmethod
    def of(cls, segment: Segment, step: int, metrics: Metrics) -> Self:
        """The event of one report of a segment."""
        return cls(**dict(segment.place), study=segment.study, seed=segment.seed, step=step, metrics=metrics)


class TrialEvaluated(Driven):
    """A trial has a value at a budget (or, with a replicate, at a fresh seed).

    With folds each fold is an event, and their mean (fold None) is the one that counts.
    """

    type: Literal["trial_evaluated"] = "trial_evaluated"
    trial: int
    evaluation: Evaluation
    state: TrialState
    """Of the trial from now on."""
    checkpoints: dict[int, Path] = Field(default={})
    """Fold to where the training that was evaluated ended."""


class TrialFailed(TrainingPlace, Driven):
    """An attempt failed; `final` where no other attempt follows."""

    type: Literal["trial_failed"] = "trial_failed"
    fold: int = Field(default=0, ge=0)
    failure: Failure
    final: bool


class TrialRetried(TrialSeed, _Event):
    """A user gave a failed trial, or a fresh seed of a finalist that failed, a further attempt."""

    type: Literal["trial_retried"] = "trial_retried"
    attempt: int
    """The one that follows."""


class TrialReopened(_Event):
    """A completed trial may be trained further: the study's full budget was raised.

    Its values on fresh seeds were measured at the lower budget and count no more.
    """

    type: Literal["trial_reopened"] = "trial_reopened"
    trial: int


class SelectionMade(Driven):
    """The study has an answer."""

    type: Literal["selection_made"] = "selection_made"
    run: str
    selection: Selection


class Incumbent(Schema):
    """The configuration that a scheduled study says is to be run, and where its values stand."""

    study: str
    """Whose trial it is."""
    trial: int
    configuration: Configuration


class ScheduleStep(_Event):
    """A scheduled study came to a conclusion; `study` is the scheduled study, which others are tuned for."""

    type: Literal["schedule_step"] = "schedule_step"
    step: Literal["unchanged", "held", "lapsed", "kept", "promoted"]
    """`unchanged`: nothing to do. `held`: the incumbent holds on new data. `lapsed`: it does not, or tuning was asked
    for all the same. `kept`: tuning found nothing credibly better. `promoted`: the winner is the incumbent now."""
    reason: Told
    data_fingerprint: str | None
    """Of the data and of what is watched; None where the flow cannot see what training reads. Of the training code in
    steps of 0.2 and earlier whose studies name no data."""
    code_fingerprint: str | None = None
    """Of the user's training code; None where pegbox trains."""
    asked: str
    """Fingerprint of what the study asks for."""
    incumbent: Incumbent | None = None
    """What is to be run after this step."""
    flow_run_id: str | None = None


class ModelMade(_Event):
    """A run ended in a model, or in none, and why."""

    type: Literal["model_made"] = "model_made"
    run: str
    model: ModelRecord | None = None
    """None where there is no model of the answer."""
    reason: Told = ""
    """Why there is none."""


class ModelPromoted(_Event):
    """A model is the one to be used under the study's name from now on; the former is kept."""

    type: Literal["model_promoted"] = "model_promoted"
    source: str = ""
    """The study whose run made it where it is another: a schedule tunes one for each state of the data."""
    run: str
    by: Literal["user", "schedule"] = "user"
    reason: Told = ""


class ArtifactWritten(_Event):
    """A file that belongs to the study."""

    type: Literal["artifact_written"] = "artifact_written"
    trial: int | None = None
    kind: str
    path: Path
    n_bytes: int | None = None


Tag = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60, strip_whitespace=True),
    AfterValidator(storable),
    AfterValidator(masked),
]
"""A word by which trials are found; 60 letters, picked by hand, fit a chip of the page."""


class NoteWritten(_Event):
    """A person noted something about a study or one of its trials; decides nothing, and may come while it runs."""

    type: Literal["note_written"] = "note_written"
    trial: int | None = None
    """None for the study as a whole."""
    # 10,000 characters, picked by hand: some pages of text; a longer one is a document, which belongs into a file.
    text: Annotated[Told, StringConstraints(max_length=10_000)] = ""
    tags: tuple[Tag, ...] = ()
    """Given with it."""
    untagged: tuple[Tag, ...] = ()
    """Taken away by it."""


Event = Annotated[
    StudyOpened
    | StudyRenamed
    | StudyDropped
    | StudyMerged
    | RunStarted
    | RunEnded
    | DecisionMade
    | SearchEnded
    | WarmStartChosen
    | SegmentStarted
    | SegmentTrained
    | MetricsReported
    | TrialEvaluated
    | TrialFailed
    | TrialRetried
    | TrialReopened
    | SelectionMade
    | ScheduleStep
    | ModelMade
    | ModelPromoted
    | ArtifactWritten
    | NoteWritten,
    Discriminator("type"),
]

# Made once: building the validator of twenty-one schemas is far dearer than reading an event with it.
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads an event back from its JSON."""
