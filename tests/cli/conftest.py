"""A store with three studies in it, and a way to run one command line in this process."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from pegbox.schemas.decision import Start
from pegbox.schemas.events import (
    DecisionMade,
    Event,
    MetricsReported,
    RunStarted,
    SegmentStarted,
    SegmentTrained,
    SelectionMade,
    TrialEvaluated,
    TrialFailed,
)
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.selection import Finalist, Interval, Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.storage.journal import Journal
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

HOSTILE = "[bold red]x[/] \x1b[31m'\"/;"
LOSSES = (0.5, 0.25, None, 0.125)


def spec_of(name: str, **changes: object) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": name,
            "train": {"kind": "function", "function": "train:run", "epochs": 4},
            "space": {"lr": {"min": 1e-4, "max": 1.0, "log": True}, "kind": ["big [red]", "small"]},
            "objective": {"metric": "loss", "target": 0.2},
            "budget": {"trials": 4},
            "run": {"workers": 2},
            "finalists": {"top": 1, "seeds": 2},
            **changes,
        }
    )


def segment_of(spec: StudySpec, number: int, replicate: int | None = None) -> Segment:
    return Segment(
        study=spec.name,
        trial=number,
        configuration={"lr": 10.0**-number, "kind": "small"},
        seed=number,
        to_budget=4,
        replicate=replicate,
        train=spec.train,
        code="c",
    )


def life_of(spec: StudySpec, number: int, loss: float | None) -> list[Event]:
    """A trial from its proposal to its value, or to its failure where it has none."""
    segment = segment_of(spec, number)
    events: list[Event] = [
        DecisionMade(
            study=spec.name,
            number=number,
            saw=0,
            elapsed_seconds=10.0 * (number + 1),
            decision=Start(configuration=segment.configuration, to_budget=4),
            trial=number,
            seed=number,
        ),
        SegmentStarted(study=spec.name, run="r", segment=segment),
    ]
    if loss is None:
        failure = Failure(kind=FailureKind.OUT_OF_MEMORY, message="no [bold]memory[/] is left\nat all")
        return [*events, TrialFailed(study=spec.name, trial=number, attempt=1, failure=failure, final=True)]
    trained = SegmentTrained(
        study=spec.name,
        trial=number,
        attempt=1,
        from_budget=0,
        to_budget=4,
        fold=0,
        seed=number,
        trained=TrainedSegment(budget=4, seconds=5.0),
    )
    evaluation = Evaluation(budget=4, metrics={"loss": loss}, seconds=5.0)
    value = TrialEvaluated(study=spec.name, trial=number, evaluation=evaluation, state=TrialState.COMPLETED)
    return [*events, trained, value]


def report_epochs(root: Path, spec: StudySpec) -> None:
    """What workers write into journals of their own while they train."""
    with closing(Journal(open_store(root).journal, writer="worker")) as journal:
        for number, loss in enumerate((*LOSSES, 0.5)):
            if loss is not None:
                segment = segment_of(spec, number)
                journal.append(
                    *(MetricsReported.of(segment, step, {"loss": loss * (5 - step)}) for step in (1, 2, 3, 4))
                )


def selection_of(spec: StudySpec) -> Selection:
    finalist = Finalist(
        trial=3,
        configuration={"lr": 1e-3, "kind": "small"},
        search_value=0.125,
        values=(0.2, 0.3),
        mean=0.25,
        estimate=0.26,
        interval=Interval(low=0.21, high=0.31),
        probability_best=0.9,
    )
    return Selection(
        study=spec.name,
        metric="loss",
        goal="minimize",
        winner=3,
        configuration=finalist.configuration,
        finalists=(
            finalist,
            finalist.model_copy(update={"trial": 1, "mean": 0.26, "estimate": None, "probability_best": 0.1}),
        ),
        ties=(1,),
        reason="Trial 3 has the best mean.",
        test_metrics={"test_loss": 0.2604},
        checkpoint=Path("checkpoints/winner.pt"),
    )


def write_study(root: Path, spec: StudySpec, *, is_over: bool = True) -> None:
    """A study whose trials all ended, or whose run was cut off while trial 4 was being trained."""
    started = RunStarted(study=spec.name, run="r", host="h", pid=1)
    report_epochs(root, spec)
    with pytest.MonkeyPatch.context() as patch:
        if not is_over:
            patch.setattr("pegbox.storage.study_log.StudyLog.record", _record_unless_ended)
        with open_study(open_store(root), spec, started) as study:
            for number, loss in enumerate(LOSSES):
                study.record(*life_of(spec, number, loss))
            if is_over:
                study.record(SelectionMade(study=spec.name, run="r", selection=selection_of(spec)))
            else:
                study.record(*life_of(spec, 4, 0.5)[:2])


def _record_unless_ended(log, *events):
    """As if the process had been killed: the end of the run is never written."""
    from pegbox.storage.study_log import StudyLog

    if events[0].type != "run_ended":
        after = log._history.after(*events)
        log._journal.append(*events, version=log._history.version + 1)
        log._history = after
    return StudyLog.history.fget(log)


class Said(NamedTuple):
    """What a command line gave."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    write_study(root, spec_of("cut", budget={"trials": 8}), is_over=False)
    write_study(root, spec_of(HOSTILE))
    write_study(root, spec_of("done"))
    return root


@pytest.fixture
def add_study() -> Callable[[Path, str], None]:
    """Writes a study that is over into a store."""
    return lambda root, name: write_study(root, spec_of(name))


@pytest.fixture
def add_failed_study() -> Callable[[Path, str], None]:
    """Writes a study of two trials that both failed into a store."""

    def add(root: Path, name: str) -> None:
        spec = spec_of(name)
        with open_study(open_store(root), spec, RunStarted(study=name, run="r", host="h", pid=1)) as study:
            study.record(*life_of(spec, 0, None), *life_of(spec, 1, None))

    return add


@pytest.fixture(scope="session")
def hostile_name() -> str:
    """Markup, an escape sequence, quotes and a slash."""
    return HOSTILE


@pytest.fixture
def pegbox(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Runs one command line in this process."""
    from pegbox.cli.app import execute

    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*arguments: object) -> Said:
        try:
            code = execute([str(argument) for argument in arguments])
        except SystemExit as stop:  # --help and --version end the program themselves
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call
