"""A small recorded study for the tests of the store, written through the same doors as a real one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pegbox.schemas.decision import Start
from pegbox.schemas.events import (
    DecisionMade,
    Event,
    MetricsReported,
    RunStarted,
    SegmentStarted,
    SegmentTrained,
    TrialEvaluated,
    TrialFailed,
)
from pegbox.schemas.failure import Failure
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store
from pegbox.storage.study_log import StudyLog, open_study

SPACE = {
    "lr": {"min": 1e-5, "max": 0.1, "log": True},
    "layers": {"min": 1, "max": 4, "int": True},
    "optimizer": ["adamw", "sgd"],
    "momentum": {"min": 0.0, "max": 0.99, "when": {"optimizer": "sgd"}},
}


def make_spec(name: str = "digits", **changes: Any) -> StudySpec:
    raw: dict[str, Any] = {
        "name": name,
        "train": {"kind": "function", "function": "my_project.train:run", "epochs": 3},
        "space": SPACE,
        "objective": {"metric": "val_loss"},
        "budget": {"trials": 50},
    }
    return StudySpec.model_validate(raw | changes)


def make_run(spec: StudySpec, run: str = "run-1") -> RunStarted:
    return RunStarted(study=spec.name, run=run, host="here", pid=1, versions={"pegbox": "0.1.0"})


def configuration(number: int) -> dict[str, Any]:
    base = {"lr": 10.0 ** -(1 + number % 5), "layers": 1 + number % 4}
    return base | ({"optimizer": "sgd", "momentum": 0.1 * (number % 9)} if number % 2 else {"optimizer": "adamw"})


class Recorder:
    """Writes trials the way that a flow and its workers do."""

    def __init__(self, log: StudyLog) -> None:
        self.log = log
        self.spec = log.history.spec
        self.worker = Journal(log.store.journal, "worker")

    def start(self, configuration: dict[str, Any]) -> int:
        """Decide on a trial and hand it to a worker."""
        history, number = self.log.history, len(self.log.history.trials)
        decision = DecisionMade(
            study=self.spec.name,
            number=history.n_decisions,
            saw=history.version,
            elapsed_seconds=float(number),
            decision=Start(configuration=configuration, to_budget=3),
            trial=number,
            seed=number,
        )
        self.log.record(
            decision,
            SegmentStarted(study=self.spec.name, run=self.log.run, segment=self.segment(number, configuration)),
        )
        return number

    def segment(self, number: int, configuration: dict[str, Any]) -> Segment:
        return Segment(
            study=self.spec.name,
            trial=number,
            configuration=configuration,
            seed=number,
            to_budget=3,
            train=self.spec.train,
            code="code",
        )

    def reports(self, number: int, value: float) -> tuple[Event, ...]:
        return tuple(
            MetricsReported(
                study=self.spec.name,
                trial=number,
                attempt=1,
                fold=0,
                seed=number,
                step=step,
                metrics={"val_loss": value + 3 - step, "train_loss": value},
            )
            for step in (1, 2, 3)
        )

    def outcome(self, number: int, metrics: dict[str, float], state: str = "completed") -> tuple[Event, ...]:
        trained = TrainedSegment(budget=3, seconds=2.0 + number, worker=f"here:{number % 2}", peak_memory_bytes=1 << 20)
        segment = SegmentTrained(
            study=self.spec.name,
            trial=number,
            attempt=1,
            from_budget=0,
            to_budget=3,
            fold=0,
            seed=number,
            trained=trained,
        )
        evaluation = Evaluation(budget=3, metrics=metrics, seconds=2.0 + number)
        return segment, TrialEvaluated(study=self.spec.name, trial=number, evaluation=evaluation, state=state)

    def complete(self, configuration: dict[str, Any], value: float, **metrics: float) -> int:
        """A whole trial that ends well."""
        number = self.start(configuration)
        self.worker.append(*self.reports(number, value))
        self.log.record(*self.outcome(number, {"val_loss": value} | metrics))
        return number

    def fail(self, configuration: dict[str, Any], kind: str = "diverged") -> int:
        """A trial whose only attempt failed."""
        number = self.start(configuration)
        failure = Failure(kind=kind, message=f"the loss was {kind}")
        self.log.record(TrialFailed(study=self.spec.name, trial=number, attempt=1, failure=failure, final=True))
        return number


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    return open_store(tmp_path / ".pegbox")


@pytest.fixture
def spec() -> StudySpec:
    return make_spec()


@pytest.fixture
def new_spec() -> Callable[..., StudySpec]:
    return make_spec


@pytest.fixture
def new_run() -> Callable[..., RunStarted]:
    return make_run


@pytest.fixture
def recorder() -> type[Recorder]:
    return Recorder


@pytest.fixture
def begin(store: StoreLayout) -> Iterator[Callable[..., Recorder]]:
    """Open a study and get what records its trials; closed at the end of the test."""
    logs = []

    def begin(spec: StudySpec | None = None, run: str = "run-1") -> Recorder:
        spec = spec or make_spec()
        logs.append(open_study(store, spec, make_run(spec, run)))
        return Recorder(logs[-1])

    yield begin
    for log in logs:
        log.close()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, record_all: Callable[[StudyLog], None]) -> StoreLayout:
    """A store with one study of twenty trials, two of which failed, and a second study of three."""
    store = open_store(tmp_path_factory.mktemp("recorded") / ".pegbox")
    spec = make_spec()
    with open_study(store, spec, make_run(spec)) as log:
        record_all(log)
    other = make_spec('other/study "x"')
    with open_study(store, other, make_run(other, "run-2")) as log:
        recorder = Recorder(log)
        for number in range(3):
            recorder.complete(configuration(number), value=float(number))
    return store


@pytest.fixture(scope="session")
def spec_of() -> Callable[..., StudySpec]:
    return make_spec


@pytest.fixture(scope="session")
def run_of() -> Callable[..., RunStarted]:
    return make_run


@pytest.fixture(scope="session")
def record_all() -> Callable[[StudyLog], None]:
    """Records eighteen trials that end well, the first configuration twice, and two that fail."""

    def record_all(log: StudyLog) -> None:
        recorder = Recorder(log)
        for number in range(18):
            recorder.complete(configuration(number), value=1.0 + (number - 7) ** 2 / 100, cost=float(number))
        recorder.fail(configuration(18))
        recorder.fail(configuration(19), kind="out_of_memory")

    return record_all
