"""Ten public training scripts of different makes: at most ten changed lines, tuned under ASHA, killed and resumed."""

import difflib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML

from pegbox.schemas.train import CommandTrain, FunctionTrain
from pegbox.schemas.trial import Segment
from pegbox.training.command_trainer import CommandTrainer
from pegbox.training.function_trainer import FunctionTrainer

SCRIPTS = Path(__file__).parents[2] / "examples" / "scripts"
MOST_CHANGED = 10
PROGRAM = {"kind": "command", "command": f"{sys.executable} NAME.py --lr {{lr}}"}
STEPWISE = {"kind": "command", "command": f"{sys.executable} NAME.py --lr {{lr}} --epochs {{epochs}}"}


class Script(NamedTuple):
    """One script, and what a study says of it."""

    name: str
    library: str
    metric: str
    train: dict
    goal: str = "minimize"


ALL = (
    Script("torch_digits", "torch", "val_loss", STEPWISE),
    Script("lightning_digits", "lightning", "val_loss", PROGRAM),
    Script("transformers_tiny", "transformers", "eval_loss", PROGRAM),
    Script("keras_digits", "keras", "val_loss", PROGRAM),
    Script("skorch_digits", "skorch", "val_loss", PROGRAM),
    Script("xgboost_cancer", "xgboost", "val_logloss", PROGRAM),
    Script("lightgbm_cancer", "lightgbm", "val_binary_logloss", PROGRAM),
    Script(
        "hydra_ridge",
        "hydra",
        "val_loss",
        {
            "kind": "command",
            "command": f"{sys.executable} hydra_ridge.py lr={{lr}} epochs={{epochs}} keep={{checkpoint_dir}}/model.pkl "
            "resume={resume_dir}/model.pkl",
        },
    ),
    Script("rl_corridor", "numpy", "reward", STEPWISE, "maximize"),
    Script("jax_line", "jax", "val_loss", {"kind": "function", "function": "jax_line:run"}),
)


@pytest.mark.parametrize("script", ALL, ids=lambda script: script.name)
def test_at_most_ten_lines_are_changed(script):
    before, after = ((SCRIPTS / kind / f"{script.name}.py").read_text().splitlines() for kind in ("original", "tuned"))

    changed = [line for line in difflib.ndiff(before, after) if line.startswith("+ ") and line[2:].strip()]

    assert len(changed) <= MOST_CHANGED


@pytest.mark.long
@pytest.mark.parametrize("script", ALL, ids=lambda script: script.name)
def test_a_script_goes_on_from_its_checkpoint(script, tmp_path, monkeypatch):
    if find_spec(script.library) is None:
        pytest.skip(f"{script.library} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    shutil.copy(SCRIPTS / "tuned" / f"{script.name}.py", tmp_path)
    raw = {key: value.replace("NAME", script.name) for key, value in script.train.items()}
    raw |= {"command": shlex.split(raw["command"])} if "command" in raw else {}
    spec = (CommandTrain if raw["kind"] == "command" else FunctionTrain).model_validate(raw | {"epochs": 4})
    trainer = CommandTrainer() if raw["kind"] == "command" else FunctionTrainer()

    def train(**changes):
        place = {"study": "s", "trial": 0, "configuration": {"lr": 0.02}, "seed": 1, "train": spec, "code": "c"}
        segment = Segment.model_validate({**place, "objectives": (script.metric,), **changes})
        return trainer.train(segment, None, tmp_path / "kept", lambda step, metrics: None)

    first = train(to_budget=2)
    rest = train(from_budget=2, to_budget=4, checkpoint=first.checkpoint)

    steps = [[one.step for one in each.reports if script.metric in one.metrics] for each in (first, rest)]
    assert steps == [[1, 2], [3, 4]]
    assert not rest.restarted


def write_study(script, folder):
    shutil.copy(SCRIPTS / "tuned" / f"{script.name}.py", folder)
    train = {key: value.replace("NAME", script.name) for key, value in script.train.items()}
    study = {
        "name": script.name,
        "train": train | {"epochs": 4},
        "space": {"lr": {"min": 0.005, "max": 0.05, "log": True}},
        "objective": {"metric": script.metric, "goal": script.goal},
        "search": {"method": "sobol"},
        "fidelity": {"schedule": "asha", "min": 1, "max": 4, "factor": 2},
        "budget": {"trials": 6},
        "finalists": {"top": 1, "seeds": 1},
    }
    with (folder / "study.yaml").open("w") as file:
        YAML().dump(study, file)


def journalled(folder, event):
    """How many events of a type the driver has written."""
    files = (folder / ".pegbox" / "journal").glob("*driver*")
    return sum(file.read_text(errors="replace").count(f'"{event}"') for file in files)


@pytest.mark.long  # half a minute each on an idle machine
@pytest.mark.flow
@pytest.mark.parametrize("script", ALL, ids=lambda script: script.name)
def test_a_script_is_tuned_under_asha_killed_and_resumed(script, tmp_path, prefect_api):
    if find_spec(script.library) is None:
        pytest.skip(f"{script.library} is not installed")
    write_study(script, tmp_path)
    command = [str(Path(sys.executable).with_name("pegbox")), "run", "study.yaml"]
    surroundings = {"cwd": tmp_path, "env": {**os.environ, "PREFECT_API_URL": prefect_api, "OMP_NUM_THREADS": "1"}}

    with subprocess.Popen(command, **surroundings, stderr=subprocess.DEVNULL, start_new_session=True) as first:
        while journalled(tmp_path, "trial_evaluated") < 3 and first.poll() is None:
            time.sleep(0.2)
        first.send_signal(signal.SIGKILL)
    n_before = journalled(tmp_path, "decision_made")
    done = subprocess.run(command, **surroundings, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    query = "SELECT trial, from_budget, to_budget, restarted FROM segments WHERE replicate IS NULL ORDER BY trial"
    asked = subprocess.run(
        [command[0], "sql", query, "--json"], **surroundings, capture_output=True, text=True, check=True
    )
    segments = json.loads(asked.stdout)
    rows = segments["rows"] if isinstance(segments, dict) else segments
    rows = [list(row.values()) if isinstance(row, dict) else row for row in rows]
    assert n_before >= 3
    assert {trial for trial, *_ in rows} == set(range(6))
    # Some went on from their checkpoints, one to the end, and those that ASHA stopped did not.
    continued = [row for row in rows if row[1] > 0]
    assert continued
    assert not any(restarted for *_, restarted in continued)
    assert len({trial for trial, _, reached, _ in rows if reached == 4}) < 6
