"""Studies on real local clusters of two workers, of Ray and of Dask, one of whose workers is killed."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from driver_process import DriverProcess, calls, history_of

from pegbox.schemas.failure import FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial
from pegbox.storage.history_file import open_history

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]  # clusters take long to start on a busy machine

Hill = Callable[..., StudySpec]

TRAIN = '''
"""A hill whose trainings say in which process they run."""

import os
import time
from pathlib import Path


def run(x, trial):
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{os.getpid()}\\n")
    for step in range(3):
        time.sleep(0.3)
        trial.report(step + 1, value=(x - 0.3) ** 2 + 3 - step)
    return {"value": (x - 0.3) ** 2}
'''


HILL_IN_STEPS = {"kind": "function", "function": "hill:run", "epochs": 3}


@pytest.fixture(scope="module")
def undisturbed(prefect_api: str, hill: Hill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the hill was tuned by the driver's own workers."""
    project = tmp_path_factory.mktemp("undisturbed")
    (project / "hill.py").write_text(TRAIN)
    code, output = DriverProcess(hill(train=HILL_IN_STEPS), project, prefect_api).finish()
    assert code == 0, output
    return project


@pytest.mark.parametrize("engine", [pytest.param("ray", marks=pytest.mark.long), "dask"])  # Ray takes minutes
def test_killed_cluster_worker_costs_its_own_trial_only(
    project: Path, undisturbed: Path, prefect_api: str, hill: Hill, engine: str
) -> None:
    (project / "hill.py").write_text(TRAIN)
    run = {"workers": 2, "threads": 1, "engine": engine}

    process = DriverProcess(hill(train=HILL_IN_STEPS, run=run), project, prefect_api)
    process.wait_for_calls(3)
    trainer = psutil.Process(int(calls(project)[-1]))
    cluster_worker = trainer.parents()[2]  # between them: its worker, and the server that workers are forked from
    assert cluster_worker.pid != process.pid
    cluster_worker.kill()
    code, output = process.finish()

    assert code == 0, output
    history, expected = history_of(project), history_of(undisturbed)
    assert values(history) == values(expected)
    assert history.selection is not None
    assert expected.selection is not None
    assert history.selection.finalists == expected.selection.finalists
    failed = "SELECT failure_kind FROM attempts WHERE failure_kind IS NOT NULL"
    failures = open_history(project / "store").sql(failed).fetchall()
    assert failures == [(FailureKind.LOST,)]
    assert reports(project) == reports(undisturbed)


def values(history: History) -> list[tuple[float, float | None]]:
    return [(float(trial.configuration["x"]), trial.value("value")) for trial in history.trials]


def reports(project: Path, store: str = "store") -> list[tuple[int, int, float]]:
    query = "SELECT DISTINCT trial, step, value FROM metrics WHERE replicate IS NULL ORDER BY ALL"
    return open_history(project / store).sql(query).fetchall()


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where each machine keeps what it has fetched: a short path, because sockets are made below it."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.mark.long
def test_machines_without_the_store_exchange_everything_by_url(
    project: Path, prefect_api: str, hill: Hill, far: Path
) -> None:
    study = {
        "data": {"source": "sklearn:iris", "target": "target", "split": {"test": 0.2, "valid": 0.2}},
        "train": {"kind": "mlp", "epochs": 4},
        "space": {"lr": {"min": 1e-3, "max": 1e-1, "log": True}},
        "objective": {"metric": "val_loss"},
        "fidelity": {"schedule": "halving", "min": 2, "max": 4, "factor": 2},
        "finalists": {"top": 1, "seeds": 1},
    }
    shared = f"file://{project}/shared"
    alone = {"workers": 1, "threads": 1}  # so that decisions do not depend on which of two ends first

    for store, run in (("local", alone), ("store", alone | {"engine": "dask", "shared": shared})):
        code, output = DriverProcess(hill(**study, run=run), project, prefect_api, store=store).finish()
        assert code == 0, output

    history, expected = history_of(project), history_of(project, "local")
    assert [trial.evaluations for trial in measured(history)] == [trial.evaluations for trial in measured(expected)]
    assert reports(project) == reports(project, "local")
    assert history.selection is not None
    assert expected.selection is not None
    assert history.selection.test_metrics == expected.selection.test_metrics
    assert history.selection.checkpoint is not None
    assert history.selection.checkpoint.is_relative_to(project / "store")
    assert history.selection.checkpoint.exists()
    journals = [path.name for path in (project / "store" / "journal").rglob("*-worker-*")]
    assert journals == []  # no worker has written into the driver's store
    assert list(far.glob("pegbox-*/checkpoints/*"))


def measured(history: History) -> list[Trial]:
    """The trials without how long they took."""
    return [
        trial.model_copy(
            update={"evaluations": tuple(one.model_copy(update={"seconds": 0.0}) for one in trial.evaluations)}
        )
        for trial in history.trials
    ]
