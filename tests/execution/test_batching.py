"""Concurrent calls that train together, with real worker processes and real data."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pegbox.datasets.prepare import prepare
from pegbox.execution import batching
from pegbox.execution.batching import Batching, BatchPlan
from pegbox.execution.local_crew import LocalCrew
from pegbox.execution.segment_worker import handover_of, keep_reports
from pegbox.execution.worker_settings import WorkerSettings
from pegbox.schemas.data import DataSpec, PreparedData
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.plan import RunSpec
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import ModuleTrain, TorchTrain
from pegbox.schemas.trial import Segment, TrainedSegment
from pegbox.storage.handover import Handover
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store

Answer = TrainedSegment | Failure | None


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StoreLayout:
    return open_store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def data(store: StoreLayout) -> PreparedData:
    spec = DataSpec.model_validate({"source": "sklearn:iris", "target": "target"})
    return prepare(spec, "classification", store.data)


@pytest.fixture(scope="module")
def crew(store: StoreLayout) -> Iterator[LocalCrew]:
    imports = ("torch", "torch._dynamo", "pegbox.execution.batch_worker", "pegbox.training.stacked_trainer")
    settings = WorkerSettings(threads=1, imports=imports, keep=keep_reports)
    with LocalCrew(RunSpec(workers=2), settings, store) as crew:
        crew.pool.warm()
        yield crew


@pytest.fixture
def batching_of(crew: LocalCrew, store: StoreLayout) -> Any:
    def make(size: int | None, timeout: float | None = None) -> Batching:
        plan = BatchPlan(32, is_forced=False) if size is None else BatchPlan(size, is_forced=True)
        return Batching(crew.pool, 2, store, plan, timeout)

    return make


_SEEDS = iter(range(10_000))


def segments_of(count: int, *, epochs: int = 3, **configuration: Any) -> list[Segment]:
    """Segments that no test has trained before."""
    train = TorchTrain(kind="mlp", epochs=epochs)
    shared = {"units": 8, "batch_size": 16, "lr": 0.01, **configuration}
    return [
        Segment(
            study="s", trial=trial, configuration=shared, seed=next(_SEEDS), to_budget=epochs, train=train, code="c"
        )
        for trial in range(count)
    ]


def train_all(batching: Batching, segments: list[Segment], data: PreparedData | None) -> list[Answer]:
    """What each of concurrent calls is answered."""

    def train(segment: Segment) -> Answer:
        try:
            done = batching.train(segment, data)
        except TrialError as error:
            return error.failure
        return done.trained if done else None

    with ThreadPoolExecutor(len(segments)) as threads:
        return list(threads.map(train, segments))


def sizes_of(answers: list[Answer]) -> list[int]:
    return [answer.together if isinstance(answer, TrainedSegment) else 0 for answer in answers]


def test_concurrent_calls_train_together(batching_of: Any, data: PreparedData) -> None:
    answers = train_all(batching_of(4), segments_of(4), data)

    assert sizes_of(answers) == [4, 4, 4, 4]


def test_each_gets_what_training_alone_gives(batching_of: Any, crew: LocalCrew, data: PreparedData) -> None:
    segments = [one for units, lr in ((8, 0.01), (5, 0.1)) for one in segments_of(1, units=units, lr=lr, dropout=0.2)]

    answers = train_all(batching_of(2), segments, data)

    for segment, answer in zip(segments, answers, strict=True):
        other = segment.model_copy(update={"code": "alone"})
        alone = crew.train(other, data)
        assert isinstance(answer, TrainedSegment)
        assert [one.metrics for one in answer.reports] == [
            pytest.approx(one.metrics, rel=2e-3) for one in alone.reports
        ]
        measured = crew.evaluate(segment, answer, data, "valid").metrics
        assert measured == pytest.approx(crew.evaluate(other, alone, data, "valid").metrics, rel=2e-3)


def modules_of(dropout: float) -> list[Segment]:
    train = ModuleTrain(kind="torch", module="tests.training.own_modules:Net", epochs=3)
    configuration = {"width": 8, "batch_size": 16, "dropout": dropout}
    return [one.model_copy(update={"train": train, "configuration": configuration}) for one in segments_of(2)]


def test_modules_of_people_train_together_where_vmap_can(batching_of: Any, data: PreparedData, caplog: Any) -> None:
    with caplog.at_level(logging.INFO):
        answers = train_all(batching_of(2), modules_of(0.0), data)
        alone = train_all(batching_of(2), modules_of(0.3), data)

    assert (sizes_of(answers), alone) == ([2, 2], [None, None])
    (told,) = [one.getMessage() for one in caplog.records if one.name == "prefect.batching"]
    assert "train one by one: vmap cannot stack them: vmap: called random operation" in told


def test_more_calls_than_a_batch_holds_make_several(batching_of: Any, data: PreparedData) -> None:
    answers = train_all(batching_of(2), segments_of(5), data)

    assert sorted(sizes_of(answers)) == [0, 2, 2, 2, 2]


def test_only_networks_of_one_shape_share_a_batch(batching_of: Any, data: PreparedData) -> None:
    segments = [*segments_of(2), *segments_of(3, layers=3), *segments_of(1, optimizer="rmsprop")]

    answers = train_all(batching_of(8), segments, data)

    assert sizes_of(answers) == [2, 2, 3, 3, 3, 0]


def test_a_trial_that_diverges_costs_no_other(batching_of: Any, data: PreparedData) -> None:
    segments = [*segments_of(2, optimizer="sgd"), *segments_of(1, optimizer="sgd", lr=1e30)]

    *others, diverged = train_all(batching_of(3), segments, data)

    assert sizes_of(others) == [3, 3]
    assert isinstance(diverged, Failure)
    assert diverged.kind is FailureKind.DIVERGED


def test_equal_segments_are_trained_once(batching_of: Any, data: PreparedData) -> None:
    (segment,) = segments_of(1)
    other = segments_of(1)

    answers = train_all(batching_of(3), [segment, segment, *other], data)

    assert sorted(sizes_of(answers)) == [0, 2, 2]


def test_a_segment_is_measured_by_the_worker_that_trained_it(crew: LocalCrew, data: PreparedData) -> None:
    (segment,) = segments_of(1)
    trained = crew.train(segment, data)
    crew.pool.run(os.unlink, trained.checkpoint)

    assert crew.evaluate(segment, trained, data, "valid").metrics["val_loss"] > 0


def test_a_segment_is_measured_again_by_who_has_not_trained_it(crew: LocalCrew, data: PreparedData) -> None:
    (segment,) = segments_of(1)
    trained = crew.train(segment, data)
    first = crew.evaluate(segment, trained, data, "valid")

    assert crew.evaluate(segment, trained, data, "valid") == first


def test_a_segment_waits_where_there_are_four_workers(crew: LocalCrew, store: StoreLayout) -> None:
    with LocalCrew(RunSpec(workers=4), WorkerSettings(threads=1), store) as larger:
        assert (crew.capacity, larger.capacity) == (2, 5)
    with LocalCrew(RunSpec(workers=4, limit="gpu"), WorkerSettings(threads=1), store) as limited:
        assert limited.capacity == 4


def test_a_batch_that_takes_too_long_ends_with_all_its_trials(batching_of: Any, data: PreparedData) -> None:
    answers = train_all(batching_of(2, timeout=0.5), segments_of(2, epochs=20_000), data)

    assert [answer.kind for answer in answers if isinstance(answer, Failure)] == [FailureKind.TIMEOUT] * 2
    assert all("2 times 0.5 seconds" in answer.message for answer in answers if isinstance(answer, Failure))


def test_trials_whose_worker_was_killed_are_trained_alone(
    batching_of: Any, crew: LocalCrew, data: PreparedData, store: StoreLayout
) -> None:
    together = batching_of(2)
    segments = segments_of(2, epochs=2000)
    with ThreadPoolExecutor(1) as threads:
        answers = threads.submit(train_all, together, segments, data)
        _kill_when_training(crew, handover_of(segments[0], data, store))

        assert answers.result() == [None, None]
    assert train_all(together, segments_of(2), data) == [None, None]


def _kill_when_training(crew: LocalCrew, handover: Handover) -> None:
    deadline = time.monotonic() + 30
    while not handover.is_training():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for pid in filter(None, crew.pool.pids()):  # 0 would be this process's own group
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(("worthwhile", "expected", "capacity"), [(0.0, [2, 2], 64), (1e9, [0, 0], 2)])
def test_auto_trains_together_where_the_measured_speed_is_worth_it(
    batching_of: Any,
    data: PreparedData,
    monkeypatch: pytest.MonkeyPatch,
    worthwhile: float,
    expected: list[int],
    capacity: int,
) -> None:
    monkeypatch.setattr(batching, "WORTHWHILE", worthwhile)
    together = batching_of(None)

    answers = train_all(together, segments_of(2), data)

    assert sizes_of(answers) == expected
    assert together.capacity == capacity


def test_auto_gives_up_where_shapes_are_too_many(crew: LocalCrew, store: StoreLayout, data: PreparedData) -> None:
    together = Batching(crew.pool, 2, store, BatchPlan(2, is_forced=False), None)

    answers = train_all(together, [one for layers in (1, 2, 3, 4) for one in segments_of(1, layers=layers)], data)

    assert sizes_of(answers) == [0] * 4
    assert together.capacity == 2
    assert train_all(together, segments_of(2), data) == [None, None]


@pytest.mark.parametrize(
    ("batch", "trials", "plan"),
    [
        (16, 20, BatchPlan(16, is_forced=True)),
        ("auto", 1000, BatchPlan(32, is_forced=False)),
        ("auto", 80, BatchPlan(10, is_forced=False)),
        ("auto", 5, BatchPlan(2, is_forced=False)),
        (None, 20, None),
    ],
)
def test_auto_leaves_the_search_something_to_learn_from(
    spec: StudySpec, batch: Any, trials: int, plan: BatchPlan | None
) -> None:
    run = spec.run.model_copy(update={"batch": batch, "workers": 2})
    budget = spec.budget.model_copy(update={"trials": trials})

    assert BatchPlan.of(spec.model_copy(update={"run": run, "budget": budget})) == plan


def test_a_full_batch_waits_for_nobody(batching_of: Any, data: PreparedData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "QUIET_SECONDS", 86400.0)  # a wait would hang

    answers = train_all(batching_of(2), segments_of(2), data)

    assert sizes_of(answers) == [2, 2]


def test_segments_without_data_train_alone(batching_of: Any) -> None:
    assert train_all(batching_of(2), segments_of(2), None) == [None, None]
