"""Every kind of event survives the journal's JSON, and equal work has an equal key."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from pegbox.schemas.decision import Continue, Start, Stop
from pegbox.schemas.events import (
    EVENT,
    ArtifactWritten,
    DecisionMade,
    Incumbent,
    MetricsReported,
    ModelMade,
    ModelPromoted,
    NoteWritten,
    RunEnded,
    RunStarted,
    ScheduleStep,
    SearchEnded,
    SegmentStarted,
    SegmentTrained,
    SelectionMade,
    StudyDropped,
    StudyMerged,
    StudyOpened,
    StudyRenamed,
    TrialEvaluated,
    TrialFailed,
    TrialReopened,
    TrialRetried,
    WarmStartChosen,
)
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.model import ModelRecord
from pegbox.schemas.selection import Finalist, Interval, Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import FunctionTrain, TorchTrain
from pegbox.schemas.trial import Evaluation, MetricReport, Segment, TrainedSegment, TrialState
from pegbox.schemas.warm_start import EarlierStudy

SPEC = StudySpec(
    name="Grüße \"'/\n",
    data={"source": "sklearn:digits", "target": "target"},
    train={"kind": "mlp", "epochs": 27},
    space={"lr": {"min": 1e-5, "max": 0.1, "log": True}, "widths": [[64, 64], [128]], "flag": [True, 1, None]},
    objective={"metric": "val_loss"},
    budget={"trials": 3, "time": "30m"},
    tags={"team": "vision"},
)
SEGMENT = Segment(
    study="s",
    trial=3,
    configuration={"lr": 1e-3, "widths": (64, 64), "flag": None},
    seed=7,
    from_budget=3,
    to_budget=9,
    checkpoint=Path("checkpoints/x.pt"),
    train=TorchTrain(kind="mlp", epochs=27),
    code="abc",
)
SELECTION = Selection(
    study="s",
    metric="val_loss",
    goal="minimize",
    winner=3,
    configuration={"lr": 1e-3},
    finalists=(
        Finalist(
            trial=3,
            configuration={"lr": 1e-3},
            search_value=0.1,
            values=(0.11, 0.12),
            mean=0.115,
            interval=Interval(low=0.1, high=0.13),
            probability_best=0.9,
        ),
    ),
    ties=(4,),
    reason="It is the best.",
    test_metrics={"test_accuracy": 0.97},
)
FAILURE = Failure(kind=FailureKind.OUT_OF_MEMORY, message="no memory.", traceback="...")
EVENTS = [
    StudyRenamed(study="s", name="t", forgotten=True),
    StudyMerged(study="s@lab", source="lab", was="s"),
    StudyDropped(study="s"),
    StudyOpened(study="s", spec=SPEC),
    RunStarted(study="s", run="r", host="h", pid=3, versions={"torch": "2"}, git_dirty=True),
    RunEnded(study="s", run="r", status="interrupted"),
    DecisionMade(
        study="s",
        number=0,
        saw=2,
        elapsed_seconds=0.5,
        decision=Start(configuration={"lr": 0.1, "widths": (64, 64)}, to_budget=3),
        trial=0,
        seed=1,
    ),
    DecisionMade(
        study="s", number=1, saw=3, elapsed_seconds=1, decision=Continue(trial=0, to_budget=9), trial=0, seed=1
    ),
    DecisionMade(study="s", number=2, saw=3, elapsed_seconds=1, decision=Stop(trial=0), trial=0, seed=1),
    WarmStartChosen(study="s", studies=(EarlierStudy(study="before", version=41),)),
    SearchEnded(study="s", reason="All 3 trials of the budget have been tried.", elapsed_seconds=2),
    SegmentStarted(study="s", run="r", segment=SEGMENT),
    SegmentTrained(
        study="s",
        trial=3,
        attempt=1,
        from_budget=3,
        to_budget=9,
        fold=0,
        seed=7,
        trained=TrainedSegment(budget=9, seconds=1.5, reports=(MetricReport(step=4, metrics={"val_loss": 1e-300}),)),
    ),
    MetricsReported(study="s", trial=3, attempt=1, fold=0, seed=7, step=4, metrics={"val_loss": 0.25}),
    TrialEvaluated(
        study="s", trial=3, evaluation=Evaluation(budget=9, metrics={"val_loss": 0.2}), state=TrialState.PAUSED
    ),
    TrialFailed(study="s", trial=3, attempt=1, failure=FAILURE, final=True),
    SelectionMade(study="s", run="r", selection=SELECTION),
    TrialRetried(study="s", trial=3, attempt=2),
    TrialReopened(study="s", trial=3),
    ScheduleStep(
        study="s",
        step="promoted",
        reason="It is better.",
        data_fingerprint="d",
        asked="a",
        incumbent=Incumbent(study="s@d", trial=3, configuration={"lr": 0.1}),
    ),
    ArtifactWritten(study="s", kind="report", path=Path("r.html"), n_bytes=3),
    ModelMade(
        study="s",
        run="r",
        model=ModelRecord(trial=1, form="torch", final="best", path="models/s/r.pegbox", content="0", n_bytes=3),
    ),
    ModelPromoted(study="s", source="s@d", run="r"),
    NoteWritten(study="s", trial=3, text="late", tags=("good",), untagged=("bad",)),
]


def test_every_kind_of_event_is_tried_here():
    known = set(EVENT.json_schema()["discriminator"]["mapping"])

    assert {event.type for event in EVENTS} == known


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_event_survives_its_json_on_one_line(event):
    line = event.model_dump_json()

    assert "\n" not in line
    assert EVENT.validate_json(line) == event


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_metric_that_is_not_finite_cannot_be_written(number):
    with pytest.raises(ValidationError):
        MetricsReported(study="s", trial=3, attempt=1, fold=0, seed=7, step=4, metrics={"val_loss": number})


def test_an_event_cannot_be_changed():
    with pytest.raises(ValidationError):
        EVENTS[0].study = "other"


@pytest.mark.parametrize(
    "change",
    [{"study": "other"}, {"trial": 99}, {"attempt": 2}, {"checkpoint": None}, {"replicate": 1}],
    ids=lambda change: next(iter(change)),
)
def test_who_asks_does_not_change_the_content_key(change):
    assert SEGMENT.model_copy(update=change).content_key("data") == SEGMENT.content_key("data")


@pytest.mark.parametrize(
    "change",
    [
        {"configuration": {"lr": 2e-3}},
        {"seed": 8},
        {"from_budget": 0},
        {"to_budget": 27},
        {"fold": 1},
        {"code": "abd"},
        {"train": FunctionTrain(kind="function", function="a:b", epochs=27)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_computed_changes_the_content_key(change):
    assert SEGMENT.model_copy(update=change).content_key("data") != SEGMENT.content_key("data")
    assert SEGMENT.content_key("data") != SEGMENT.content_key("other data")
