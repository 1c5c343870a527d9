"""A study that keeps few checkpoints: what it leaves, and that running again needs none of the others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pegbox.flows import checkpoint_cleanup
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]


@pytest.fixture
def irises(hill: Callable[..., StudySpec]) -> Callable[..., StudySpec]:
    """A study of networks that keeps one trial's checkpoints; keywords replace or add top-level sections."""

    def make(**changes: Any) -> StudySpec:
        sections: dict[str, Any] = {
            "name": "irises",
            "data": {"source": "sklearn:iris", "target": "target", "split": {"test": 0.2, "valid": 0.2}},
            "train": {"kind": "mlp", "task": "classification", "epochs": 4},
            "space": {"lr": {"min": 1e-3, "max": 1e-1, "log": True}, "units": 4},
            "objective": {"metric": "val_loss"},
            "fidelity": {"schedule": "halving", "min": 1, "max": 4, "factor": 2},
            "search": {"method": "sobol"},  # proposes the same whichever worker is first
            "budget": {"trials": 8},
            "run": {"workers": 2, "threads": 1, "checkpoints": 1},
            "finalists": {"top": 2, "seeds": 2},
        }
        return hill(**sections | changes)

    return make


def _tune(spec: StudySpec, project: Path) -> History:
    from pegbox.flows.tune import tune

    tune(spec, project / "store")
    return open_history(project / "store").history(spec.name)


def _checkpoints(project: Path) -> set[Path]:
    return set((project / "store" / "checkpoints").glob("*.pt"))


def _n_trained(project: Path) -> int:
    rows = open_history(project / "store").sql("SELECT count(*) FROM segments WHERE NOT cached")
    return int(rows.fetchall()[0][0])


def test_only_the_best_and_the_winner_keep_their_checkpoints(
    project: Path, irises: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_cleanup, "LOOK_SECONDS", 0.0)

    history = _tune(irises(), project)

    assert history.selection is not None
    best = min(history.completed, key=lambda trial: trial.value("val_loss") or 9.0)
    kept = _checkpoints(project)
    assert history.selection.checkpoint in kept
    assert set(best.checkpoints.values()) <= kept
    going_on = [path for trial in history.active for path in trial.checkpoints.values()]
    winner = history.trials[history.selection.winner]
    assert len(kept) == len({*best.checkpoints.values(), *winner.checkpoints.values(), *going_on}) + 2
    beside = set((project / "store" / "checkpoints").glob("*.npz"))
    assert {path.with_suffix(".pt") for path in beside} <= kept


@pytest.mark.long
def test_the_same_command_needs_no_checkpoint_that_is_gone(project: Path, irises: Any) -> None:
    first = _tune(irises(), project)
    trained = _n_trained(project)

    second = _tune(irises(), project)

    assert _n_trained(project) == trained
    assert second.selection == first.selection


@pytest.mark.long
def test_a_larger_budget_goes_on_from_what_is_kept(project: Path, irises: Any) -> None:
    _tune(irises(), project)

    history = _tune(irises(budget={"trials": 12}), project)

    assert len(history.trials) == 12
    assert not history.failed
    assert history.selection is not None
    assert history.selection.checkpoint in _checkpoints(project)


@pytest.mark.long
def test_checkpoints_that_a_user_deleted_are_made_again(project: Path, irises: Any) -> None:
    _tune(irises(run={"workers": 2, "threads": 1}), project)
    for path in _checkpoints(project):
        path.unlink()

    twin = _tune(irises(name="twin"), project)

    assert not twin.failed
    assert twin.selection is not None
    assert twin.selection.checkpoint in _checkpoints(project)


@pytest.mark.long
def test_another_study_of_the_same_content_trains_again_what_is_gone(project: Path, irises: Any) -> None:
    first = _tune(irises(), project)

    twin = _tune(irises(name="twin", run={"workers": 2, "threads": 1}), project)

    assert not twin.failed
    assert {trial.state for trial in twin.completed} == {TrialState.COMPLETED}
    assert [trial.configuration for trial in twin.trials] == [trial.configuration for trial in first.trials]
    assert twin.selection is not None
    assert twin.selection.checkpoint in _checkpoints(project)
