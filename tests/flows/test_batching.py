"""Studies whose small models train together, through real flows, workers and data; killed and resumed too."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver_process import DriverProcess

from pegbox.schemas.failure import FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history

pytestmark = pytest.mark.flow


@pytest.fixture
def irises(hill: Callable[..., StudySpec]) -> Callable[..., StudySpec]:
    """A study of small networks; keywords replace or add top-level sections."""

    def make(**changes: Any) -> StudySpec:
        sections: dict[str, Any] = {
            "name": "irises",
            "data": {"source": "sklearn:iris", "target": "target", "split": {"test": 0.2, "valid": 0.2}},
            "train": {"kind": "mlp", "task": "classification", "epochs": 3},
            "space": {
                "lr": {"min": 1e-3, "max": 1e-1, "log": True},
                "units": {"min": 4, "max": 16, "int": True},
                "dropout": {"min": 0.0, "max": 0.5},
                "batch_size": 16,
            },
            "objective": {"metric": "val_loss"},
            "budget": {"trials": 9},
            "run": {"workers": 2, "threads": 1, "batch": 4},
            "finalists": {"top": 2, "seeds": 2},
        }
        return hill(**sections | changes)

    return make


def _tune(spec: StudySpec, project: Path, store: str = "store") -> None:
    from pegbox.flows.tune import tune

    tune(spec, project / store)


def _history(project: Path, store: str = "store") -> History:
    return open_history(project / store).history("irises")


def _sizes(project: Path, store: str = "store") -> list[int]:
    """How many trials were trained as one stack, for each segment that was trained."""
    rows = open_history(project / store).sql(
        "SELECT json_extract(body, '$.trained.together')::INTEGER FROM events WHERE type = 'segment_trained'"
    )
    return [size for (size,) in rows.fetchall()]


@pytest.mark.usefixtures("prefect_client")
def test_trials_that_train_together_have_the_values_of_trials_alone(project: Path, irises: Any) -> None:
    _tune(irises(), project)
    _tune(irises(run={"workers": 2, "threads": 1}), project, "alone")

    together, alone = _history(project), _history(project, "alone")
    assert max(_sizes(project)) == 4
    assert set(_sizes(project, "alone")) == {1}
    assert [trial.configuration for trial in together.trials] == [trial.configuration for trial in alone.trials]
    expected = [pytest.approx(trial.value("val_loss"), rel=1e-3) for trial in alone.trials]
    assert [trial.value("val_loss") for trial in together.trials] == expected
    assert together.selection is not None
    assert alone.selection is not None
    assert together.selection.winner == alone.selection.winner
    assert together.selection.test_metrics == pytest.approx(alone.selection.test_metrics, rel=0.02)


@pytest.mark.usefixtures("prefect_client")
def test_a_trial_that_diverges_fails_alone(project: Path, irises: Any) -> None:
    space = {"lr": {"min": 1e-3, "max": 1e30, "log": True}, "optimizer": "sgd", "batch_size": 16}
    known = [{"lr": lr, "optimizer": "sgd", "batch_size": 16} for lr in (0.01, 1e29, 0.02, 0.03)]

    _tune(irises(space=space, search={"method": "random", "enqueue": known}, budget={"trials": 4}), project)

    history = _history(project)
    assert [trial.state is TrialState.COMPLETED for trial in history.trials] == [True, False, True, True]
    failure = history.trials[1].failure
    assert failure is not None
    assert failure.kind is FailureKind.DIVERGED
    assert 4 in _sizes(project)


@pytest.mark.usefixtures("prefect_client")
def test_folds_and_rungs_are_batched_too(project: Path, irises: Any) -> None:
    data = {"source": "sklearn:iris", "target": "target", "split": {"folds": 2, "stratify": True}}
    fidelity = {"schedule": "halving", "min": 1, "max": 3}

    _tune(irises(data=data, fidelity=fidelity), project)

    history = _history(project)
    assert {trial.state for trial in history.trials} <= {TrialState.COMPLETED, TrialState.STOPPED}
    assert history.completed
    assert max(_sizes(project)) > 1


@pytest.mark.long
def test_a_killed_run_goes_on_with_its_batches(project: Path, prefect_api: str, irises: Any) -> None:
    spec = irises(train={"kind": "mlp", "task": "classification", "epochs": 150}, budget={"trials": 8})
    process = DriverProcess(spec, project, prefect_api)
    _wait_for_a_batch(process, project)
    process.kill()
    before = _history(project)

    code, output = DriverProcess(spec, project, prefect_api).finish()

    assert code == 0, output
    history = _history(project)
    assert [trial.state for trial in history.trials] == [TrialState.COMPLETED] * 8
    assert [trial.seed for trial in history.trials[: len(before.trials)]] == [trial.seed for trial in before.trials]
    assert {trial.budget for trial in history.trials} == {150}
    assert history.selection is not None
    assert max(_sizes(project)) > 1


def _wait_for_a_batch(process: DriverProcess, project: Path) -> None:
    """Until a worker trains two segments at the same time."""
    deadline = time.monotonic() + 120
    while len(list((project / "store" / "cache").glob("handover-*.lock"))) < 2:
        assert process.is_running(), process.finish()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
