"""Studies of every kind (sampler, schedule, engine, trainer), killed at random moments: none answers otherwise."""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver_process import DriverProcess, history_of

from pegbox.report.replay_audit import replay_study
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

pytestmark = [pytest.mark.flow, pytest.mark.long, pytest.mark.timeout(3600)]

Hill = Callable[..., StudySpec]

KILLS = 4
"""Of each kind, at random moments."""
HILL = """
import argparse
import time

from torch import nn


class Net(nn.Module):
    def __init__(self, n_features, n_classes, width=8):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_features, width), nn.Dropout(0.2), nn.Linear(width, n_classes))

    def forward(self, x):
        return self.layers(x)


def run(x, trial):
    for step in range(trial.from_budget + 1, trial.budget + 1):
        time.sleep(0.03)
        trial.report(step, value=(x - 0.3) ** 2 + 1 / step)
    return {"value": (x - 0.3) ** 2 + 1 / trial.budget}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--x", type=float)
    parser.add_argument("--epochs", type=int)
    given = parser.parse_args()
    for epoch in range(1, given.epochs + 1):
        time.sleep(0.03)
        print(f"epoch={epoch} value={(given.x - 0.3) ** 2 + 1 / epoch}", flush=True)
"""
IRIS = {"source": "sklearn:iris", "target": "target"}
LOSS = {"metric": "val_loss"}
RATE = {"lr": {"min": 1e-3, "max": 1e-1, "log": True}}
KINDS: dict[str, dict[str, Any]] = {
    **{
        method: {"search": {"method": method, "seed": 3}}
        for method in ("sobol", "bayes", "genetic", "auto", "optuna:TPESampler", "hyperopt:tpe")
    },
    "freeze_thaw": {"search": {"method": "freeze_thaw", "seed": 3}, "fidelity": {"min": 1}},
    **{schedule: {"fidelity": {"schedule": schedule, "min": 1}} for schedule in ("median", "halving", "hyperband")},
    "ray": {"run": {"workers": 1, "threads": 1, "engine": "ray"}},
    "dask": {"run": {"workers": 1, "threads": 1, "engine": "dask"}},
    "command": {
        "train": {
            "kind": "command",
            "command": [sys.executable, "hill.py", "--x={x}", "--epochs={epochs}"],
            "epochs": 9,
        }
    },
    "sklearn": {
        "data": IRIS,
        "train": {"kind": "sklearn", "estimator": "sklearn.ensemble:GradientBoostingClassifier"},
        "space": {"learning_rate": {"min": 0.01, "max": 1.0, "log": True}, "n_estimators": 20},
        "objective": LOSS,
        "fidelity": {"schedule": "full"},
    },
    "network": {"data": IRIS, "train": {"kind": "mlp", "epochs": 9}, "space": RATE, "objective": LOSS},
    "module": {
        "data": IRIS,
        "train": {"kind": "torch", "module": "hill:Net", "epochs": 9},
        "space": RATE,
        "objective": LOSS,
    },
    "families": {
        "data": IRIS,
        "train": {
            "kind": "families",
            "epochs": 9,
            "families": {
                "boosting": {"kind": "sklearn", "estimator": "sklearn.ensemble:HistGradientBoostingClassifier"},
                "mlp": {"kind": "mlp"},
            },
        },
        "space": {
            "family": ["boosting", "mlp"],
            "boosting.learning_rate": {"min": 0.01, "max": 1.0, "log": True, "when": {"family": "boosting"}},
            "mlp.lr": {**RATE["lr"], "when": {"family": "mlp"}},
        },
        "objective": LOSS,
        "fidelity": {"schedule": "full"},
    },
    "folds": {
        "data": {**IRIS, "split": {"folds": 3}},
        "train": {"kind": "mlp", "epochs": 3},
        "space": RATE,
        "objective": LOSS,
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_study_of_any_kind_gives_the_undisturbed_answer(
    project: Path, prefect_api: str, hill: Hill, kind: str
) -> None:
    (project / "hill.py").write_text(HILL)
    spec = hill(
        **{
            "train": {"kind": "function", "function": "hill:run", "epochs": 9},
            "fidelity": {"schedule": "asha", "min": 1},
            "budget": {"trials": 12},
            "run": {"workers": 1, "threads": 1},
            **KINDS[kind],
        }
    )

    moments = random.Random(kind)
    killed = [_kill_once(spec, project, prefect_api, moments) for _ in range(KILLS)]

    assert any(killed)
    for store in ("store", "undisturbed"):
        code, output = DriverProcess(spec, project, prefect_api, store=store).finish()
        assert code == 0, output
    assert _told(project, "store") == _told(project, "undisturbed")
    assert _doubled(project) == []
    assert replay_study(project / "store", "hill").is_exact


def _kill_once(spec: StudySpec, project: Path, api: str, moments: random.Random) -> bool:
    """Go on with the run and kill it a random moment after it has recorded something; False where it had ended."""
    process = DriverProcess(spec, project, api)
    before = _recorded(project)
    while process.is_running() and _recorded(project) == before:
        time.sleep(0.01)
    time.sleep(moments.uniform(0.0, 3.0))
    was_running = process.is_running()
    process.kill()
    return was_running


def _recorded(project: Path) -> int:
    """Bytes of the journals."""
    return sum(path.stat().st_size for path in (project / "store" / "journal").glob("*.jsonl"))


def _told(project: Path, store: str) -> object:
    """Everything that must not depend on interruptions."""
    history = history_of(project, store)
    assert history.selection is not None
    lives = [
        (one.configuration, one.seed, one.state, [(each.budget, each.fold, each.metrics) for each in one.evaluations])
        for one in history.trials
    ]
    return lives, history.selection.winner, history.selection.configuration


def _doubled(project: Path) -> list[tuple[Any, ...]]:
    with open_history(project / "store") as file:
        doubled = file.sql(
            "SELECT study, trial, budget, replicate, fold FROM evaluations GROUP BY ALL HAVING count(*) > 1"
        ).fetchall()
        return doubled + file.sql("FROM quarantine").fetchall()
