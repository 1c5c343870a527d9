"""Ten public training scripts of different makes: at most ten changed lines, tuned under ASHA, killed and resumed."""

import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
from driver_process import history_of
from ruamel.yaml import YAML

import pegbox
from pegbox.schemas.train import CommandTrain, FunctionTrain
from pegbox.schemas.trial import Segment
from pegbox.training.command_trainer import CommandTrainer
from pegbox.training.function_trainer import FunctionTrainer

SCRIPTS = Path(__file__).parents[2] / "examples" / "scripts"
MOST_CHANGED = 10
PROGRAM = {"kind": "command", "command": [sys.executable, "NAME.py", "--lr", "{lr}"]}
STEPWISE = {"kind": "command", "command": [*PROGRAM["command"], "--epochs", "{epochs}"]}
HYDRA = ["lr={lr}", "epochs={epochs}", "keep={checkpoint_dir}/model.pkl", "resume={resume_dir}/model.pkl"]


class Script(NamedTuple):
    """One script, and what a study says of it."""

    name: str
    library: str
    metric: str
    train: dict
    goal: str = "minimize"

    def section(self):
        """The `train` section of a study."""
        command = [part.replace("NAME", self.name) for part in self.train.get("command", ())]
        return self.train | ({"command": command} if command else {}) | {"epochs": 4}


ALL = (
    Script("torch_digits", "torch", "val_loss", STEPWISE),
    Script("lightning_digits", "lightning", "val_loss", PROGRAM),
    Script("transformers_tiny", "transformers", "eval_loss", PROGRAM),
    Script("keras_digits", "keras", "val_loss", PROGRAM),
    Script("skorch_digits", "skorch", "val_loss", PROGRAM),
    Script("xgboost_cancer", "xgboost", "val_logloss", PROGRAM),
    Script("lightgbm_cancer", "lightgbm", "val_binary_logloss", PROGRAM),
    Script("hydra_ridge", "hydra", "val_loss", {"kind": "command", "command": [sys.executable, "NAME.py", *HYDRA]}),
    Script("rl_corridor", "numpy", "reward", STEPWISE, "maximize"),
    Script("jax_line", "jax", "val_loss", {"kind": "function", "function": "jax_line:run"}),
)


each_script = pytest.mark.parametrize("script", ALL, ids=lambda script: script.name)


n_changed = runpy.run_path(str(SCRIPTS.parents[1] / "benchmarks" / "changed_lines.py"))["n_changed"]


@each_script
def test_at_most_ten_lines_are_changed(script):
    before, after = ((SCRIPTS / kind / f"{script.name}.py").read_text().splitlines() for kind in ("original", "tuned"))

    assert n_changed(before, after) <= MOST_CHANGED


def test_changed_lines_are_counted_as_a_person_would():
    assert n_changed(["a", "b", "c"], ["a", "B", "", "c", "d"]) == 2
    assert n_changed(["a", "b", "c", "d"], ["a"]) == 3


@pytest.mark.long
@each_script
def test_a_script_goes_on_from_its_checkpoint(script, tmp_path, monkeypatch):
    if find_spec(script.library) is None:  # not importorskip, which imports: Keras would look for TensorFlow
        pytest.skip(f"{script.library} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    shutil.copy(SCRIPTS / "tuned" / f"{script.name}.py", tmp_path)
    raw = script.section()
    spec = (CommandTrain if raw["kind"] == "command" else FunctionTrain).model_validate(raw)
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
    folder.mkdir()
    shutil.copy(SCRIPTS / "tuned" / f"{script.name}.py", folder)
    study = {
        "name": script.name,
        "train": script.section(),
        "space": {"lr": {"min": 0.005, "max": 0.05, "log": True}},
        "objective": {"metric": script.metric, "goal": script.goal},
        "search": {"method": "sobol"},
        "fidelity": {"schedule": "asha", "min": 1, "max": 4, "factor": 2},
        "budget": {"trials": 4},
        "run": {"workers": 1, "threads": 1},  # with one, which trials go on does not hang on who is faster
        "finalists": {"top": 1, "seeds": 1},
    }
    with (folder / "study.yaml").open("w") as file:
        YAML().dump(study, file)


def journalled(folder, event):
    """How many events of a type the driver has written."""
    files = (folder / ".pegbox" / "journal").glob("*driver*")
    return sum(file.read_text(errors="replace").count(f'"{event}"') for file in files)


def what_came_of(script, folder):
    """Each trial, what it was worth at each rung and on fresh seeds, and the answer; nothing that a clock decides."""
    history = history_of(folder, ".pegbox", script.name)
    trials = [
        (one.configuration, one.state, [(each.budget, each.metrics[script.metric]) for each in measured])
        for one in history.trials
        for measured in [(*one.evaluations, *one.replicates)]
    ]
    return trials, history.selection.winner, history.selection.best.values


def segments_of(script, folder):
    """Those that ended; the kill may have cut one short, which was trained again."""
    query = """SELECT trial, from_budget, to_budget, restarted FROM segments
               WHERE replicate IS NULL AND restarted IS NOT NULL ORDER BY 1, 2"""
    return pegbox.open(folder / ".pegbox").sql(query).fetchall()


@pytest.mark.long  # a minute or two each on an idle machine: most start a program that imports much, twenty times
@pytest.mark.flow
@each_script
def test_a_script_killed_under_asha_and_resumed_gives_the_undisturbed_answer(script, tmp_path, prefect_api):
    if find_spec(script.library) is None:  # not importorskip, which imports: Keras would look for TensorFlow
        pytest.skip(f"{script.library} is not installed")
    command = [str(Path(sys.executable).with_name("pegbox")), "run", "study.yaml"]
    environment = {**os.environ, "PREFECT_API_URL": prefect_api, "OMP_NUM_THREADS": "1"}
    calm, killed = tmp_path / "calm", tmp_path / "killed"

    def run_to_the_end(folder):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    for folder in (calm, killed):
        write_study(script, folder)
    run_to_the_end(calm)
    with subprocess.Popen(command, cwd=killed, env=environment, stderr=subprocess.DEVNULL) as first:
        while journalled(killed, "trial_evaluated") < 3 and first.poll() is None:
            time.sleep(0.05)
        first.send_signal(signal.SIGKILL)
    assert first.returncode == -signal.SIGKILL
    run_to_the_end(killed)

    assert what_came_of(script, killed) == what_came_of(script, calm)
    segments = segments_of(script, killed)
    assert segments == segments_of(script, calm)  # what was done is not done again
    # Some went on from their checkpoints, one to the end, and ASHA let not all of them.
    assert [restarted for _, begun, _, restarted in segments if begun] in ([False], [False] * 2, [False] * 3)
    assert {trial for trial, *_ in segments} == {0, 1, 2, 3}
    assert 1 <= sum(reached == 4 for _, _, reached, _ in segments) < 4
