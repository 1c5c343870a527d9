"""Studies in TensorBoard, MLflow and W&B, as their own readers see them."""

import logging
import struct
from importlib.util import find_spec

import pytest
from driven_study import drive

from pegbox.integrations.trackers import open_tracker
from pegbox.report.tracking import Tracking, back_fill, require_study
from pegbox.schemas.errors import NotFoundError, StoreError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout
from pegbox.tasks.study_tracking import StudyTracking

SPEC = StudySpec.model_validate(
    {
        "name": "a study",
        "train": {"kind": "function", "function": "a:b", "epochs": 3},
        "space": {"lr": {"min": 0.1, "max": 1.0}, "kind": ["a", "b"]},
        "objective": {"metric": "loss"},
        "search": {"method": "random"},
        "budget": {"trials": 3},
        "finalists": {"top": 1, "seeds": 1},
    }
)


def training(configuration, epochs, seed):
    if seed == 1:
        return Failure(kind=FailureKind.ERROR, message="alas")
    return {"loss": configuration["lr"] / epochs, "val/acc@1": 0.5}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("tracked") / "store"
    drive(root, SPEC, training)
    return StoreLayout(root)


def needs(name):
    return pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed")


@needs("tensorboard")
def test_tensorboard_reads_curves_finals_and_parameters(store, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):  # a second time changes nothing
        n_trials = back_fill(store, "a study", open_tracker("tensorboard", "a study", store.root, str(tmp_path)))

    read = EventAccumulator(str(tmp_path / "a_study" / "trial-0000")).Reload()
    curve = [(one.step, one.value) for one in read.Scalars("loss")]
    assert n_trials == 3
    assert [step for step, _ in curve] == [1, 2, 3]
    assert read.Scalars("final/loss")[0].value == pytest.approx(curve[-1][1])
    assert set(read.PluginTagToContent("hparams")) == {"_hparams_/session_start_info", "_hparams_/session_end_info"}
    assert (tmp_path / "a_study" / "answer.json").exists()


@needs("mlflow")
@pytest.mark.filterwarnings("ignore")  # MLflow's own, of what it calls of others
def test_mlflow_holds_runs_curves_failures_and_the_answer(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where MLflow keeps artifacts of a database that names no place for them
    from mlflow import MlflowClient

    place = f"sqlite:///{tmp_path}/mlflow.db"
    for _ in range(2):  # a second time changes nothing
        back_fill(store, "a study", open_tracker("mlflow", "a study", tmp_path, place))

    client = MlflowClient(place)
    experiment = client.get_experiment_by_name("a study").experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert set(runs) == {"a study", "trial 0", "trial 1", "trial 2"}
    first = runs["trial 0"]
    assert set(first.data.params) == {"lr", "kind"}
    history = client.get_metric_history(first.info.run_id, "loss")
    assert [one.step for one in history] == [1, 2, 3]
    assert first.data.metrics["val/acc_1"] == 0.5
    assert (runs["trial 1"].info.status, runs["trial 1"].data.tags["pegbox.failure"]) == ("FAILED", "alas")
    assert first.data.tags["mlflow.parentRunId"] == runs["a study"].info.run_id
    assert {"best_value"} <= set(runs["a study"].data.metrics)


def wandb_records(folder):
    """What W&B's own `sync` would read: the records of an offline run, by the length that stands before each."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, at, record, found = next(folder.glob("*.wandb")).read_bytes(), 7, b"", []
    while at + 7 <= len(content):
        length, kind = struct.unpack_from("<HB", content, at + 4)
        if not 1 <= kind <= 4:  # the padding at the end of a block of 32 KiB
            at += 32768 - at % 32768
            continue
        record, at = record + content[at + 7 : at + 7 + length], at + 7 + length
        if kind in {1, 4}:  # whole, or the last part
            found.append(Record.FromString(record))
            record = b""
    return found


@needs("wandb")
@pytest.mark.long  # its service takes seconds to start
@pytest.mark.filterwarnings("ignore")  # W&B's own
def test_wandb_without_a_key_keeps_runs_that_can_be_synced(store, tmp_path, monkeypatch):
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # no netrc either

    for _ in range(2):  # a second time changes nothing
        back_fill(store, "a study", open_tracker("wandb", "a study", tmp_path))

    folders = sorted((tmp_path / "wandb").glob("offline-run-*"), key=lambda one: one.name.rpartition("-")[2])
    assert [one.name.rpartition("-")[2] for one in folders] == ["0", "1", "2", "answer"]
    records = wandb_records(folders[0])
    run = next(one.run for one in records if one.HasField("run"))
    assert (run.project, run.run_group, run.display_name) == ("a study", "a study", "trial 0")
    assert {one.key for one in run.config.update} >= {"lr", "kind"}
    steps = [one.history.step.num for one in records if one.HasField("history")]
    assert steps == [1, 2, 3]
    exits = [one.exit.exit_code for one in wandb_records(folders[1]) if one.HasField("exit")]
    assert exits == [1]


class Down:
    """A tracker whose server is away."""

    def n_shown(self, trial):
        raise ConnectionError("nobody listens")


def test_a_tracker_that_is_down_is_told_once_and_ends_nothing(store, monkeypatch, caplog):
    monkeypatch.setattr("pegbox.tasks.study_tracking.open_tracker", lambda *_: Down())
    monkeypatch.setattr("pegbox.tasks.study_tracking.EVERY_SECONDS", 0.01)

    with caplog.at_level(logging.WARNING), StudyTracking(store, "a study", ["mlflow"]) as tracking:
        tracking._closed.wait(0.3)

    assert [one.getMessage() for one in caplog.records] == [
        "a study is not shown in mlflow: ConnectionError: nobody listens. The study goes on; `pegbox track a study "
        "mlflow` shows what is missing."
    ]


class Remembering:
    """A tracker that keeps what it is shown."""

    def __init__(self):
        self.shown = []

    def n_shown(self, trial):
        return 2 if trial == 0 else 0

    def show(self, trial, points):
        self.shown.append((trial.number, [one.step for one in points if one.name == "loss"]))


def test_what_was_shown_is_not_shown_again(store):
    tracker = Remembering()
    tracking = Tracking(store, "a study", tracker)

    assert tracking.catch_up() == 3
    assert tracking.catch_up() == 0
    assert tracker.shown[0] == (0, [2, 3])  # two points, of two metrics at step 1, were there


def test_what_cannot_be_tracked_is_refused_by_name(store):
    with pytest.raises(StoreError, match="Unknown tracker 'comet'"):
        open_tracker("comet", "a study", store.root)
    with pytest.raises(NotFoundError, match="no study 'another'"):
        require_study(store, "another")
    with pytest.raises(ValueError, match=r"mlflow.*tensorboard"):
        StudySpec.model_validate(SPEC.model_dump() | {"run": {"track": ["comet"]}})
