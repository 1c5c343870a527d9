"""Files of other tools as study files: each form is taken over, noted or refused; nothing is dropped in silence."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pegbox.integrations.conversion import Conversion, convert
from pegbox.schemas.errors import ConversionError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.yaml_text import parse_yaml


def _converted(folder: Path, text: str, name: str = "sweep.yaml", of: str | None = None) -> Conversion:
    file = folder / name
    file.write_text(text)
    made = convert(file, of)
    assert json.loads(json.dumps(parse_yaml(made.text).value)) == json.loads(json.dumps(made.value))
    return made


def _space(folder: Path, text: str, name: str = "sweep.yaml", of: str | None = None) -> dict[str, Any]:
    made = _converted(folder, text, name, of)
    StudySpec.model_validate(made.value)
    return made.value["space"]


WANDB = """
program: train.py
method: bayes
metric: {{name: val/loss, goal: minimize}}
run_cap: 20
parameters:
  x: {entry}
"""


@pytest.mark.parametrize(
    ("entry", "domain"),
    [
        ("{value: 5}", {"value": 5}),
        ("{values: [a, b]}", {"values": ["a", "b"]}),
        ("{min: 32, max: 512}", {"min": 32, "max": 512, "int": True}),
        ("{min: 0, max: 0.1}", {"min": 0, "max": 0.1}),
        ("{min: !!float 1e-5, max: 1e-3, distribution: log_uniform_values}", {"min": 1e-5, "max": 1e-3, "log": True}),
        ("{distribution: log_uniform, min: 0, max: 1}", {"min": 1.0, "max": 2.718281828459045, "log": True}),
        (
            "{distribution: q_log_uniform_values, min: 32, max: 256, q: 8}",
            {"min": 32, "max": 256, "log": True, "step": 8, "int": True},
        ),
        ("{distribution: q_uniform, min: 0, max: 1, q: 0.25}", {"min": 0.0, "max": 1.0, "step": 0.25}),
        ("{distribution: inv_log_uniform_values, min: 0.1, max: 10}", {"min": 0.1, "max": 10, "log": True}),
        ("{distribution: normal, mu: 1, sigma: 2}", {"normal": {"mean": 1, "std": 2}}),
        ("{distribution: log_normal, mu: 1, sigma: 2}", {"lognormal": {"mean": 1, "std": 2}}),
        ("{distribution: constant, value: 3}", {"value": 3}),
        ("{distribution: int_uniform, min: 1, max: 9}", {"min": 1, "max": 9, "int": True}),
        ("{values: [[32, 128], [64, 256]]}", {"values": [[32, 128], [64, 256]]}),
    ],
)
def test_each_distribution_of_wandb_has_its_domain(tmp_path: Path, entry: str, domain: dict[str, Any]) -> None:
    assert _space(tmp_path, WANDB.format(entry=entry))["x"] == domain


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{values: [1, 2], probabilities: [0.9, 0.1]}", "equally likely"),
        ("{distribution: beta, a: 2, b: 5}", "beta distribution"),
        ("{distribution: q_log_uniform_values, min: 0.00001, max: 0.003}", "cannot be taken over"),
        ("{distribution: gamma, min: 1, max: 2}", "'gamma'"),
        ("{min: 1, max: 2, step: 3}", "`step: 3` has no counterpart"),
        ("{min: low, max: 2}", "no range"),
        ("{values: }", "no range"),
    ],
)
def test_what_wandb_says_and_pegbox_cannot_is_noted(tmp_path: Path, entry: str, said: str) -> None:
    made = _converted(tmp_path, WANDB.format(entry=entry))
    assert any(said in note for note in made.notes)
    assert said.split(maxsplit=1)[0] in made.text


def test_a_whole_sweep_of_wandb_becomes_a_study(tmp_path: Path) -> None:
    made = _converted(
        tmp_path,
        """
program: fit.py
name: lora
project: p
method: random
metric: {name: eval/loss, goal: maximize, target: 0.9}
command: ["${env}", "${interpreter}", "${program}", "--key=${envvar:KEY}", "{x}", "${args_no_hyphens}"]
early_terminate: {type: hyperband, max_iter: 27, s: 2, eta: 3}
parameters:
  lr: {value: 1e-3}
  opt: {parameters: {kind: {values: [adam, sgd]}, "a.b": {min: 1, max: 3}}}
""",
    )
    assert made.value["name"] == "lora"
    assert made.value["objective"] == {"metric": "eval/loss", "goal": "maximize", "target": 0.9}
    assert made.value["train"]["command"] == ["python", "fit.py", "--key=${env:KEY}", "{{x}}", "{args_no_hyphens}"]
    assert (made.value["train"]["epochs"], made.value["fidelity"]) == (27, {"schedule": "asha", "min": 3, "factor": 3})
    assert list(made.value["space"]["opt"]["parameters"]) == ["kind", "a.b"]
    assert any("project: p" in note for note in made.notes)
    assert any("no run_cap" in note for note in made.notes)


KATIB = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: tune}
spec:
  objective: {type: maximize, goal: 0.99, objectiveMetricName: Validation-accuracy}
  algorithm: {algorithmName: bayesian-optimization, algorithmSettings: [{name: random_state, value: "10"}]}
  parallelTrialCount: 3
  maxTrialCount: 12
  maxFailedTrialCount: 3
  parameters:
    - {name: lr, parameterType: double, feasibleSpace: {min: "0.01", max: "0.05", distribution: logUniform}}
    - {name: layers, parameterType: int, feasibleSpace: {min: "1", max: "5", step: "2"}}
    - {name: opt, parameterType: categorical, feasibleSpace: {list: [sgd, adam]}}
    - {name: batch, parameterType: discrete, feasibleSpace: {list: ["16", "32"]}}
  trialTemplate:
    trialParameters: [{name: learningRate, reference: lr}]
    trialSpec:
      kind: Job
      spec:
        template:
          spec:
            containers:
              - image: img
                command: [python, "-u", t.py]
                args: ["--lr=${trialParameters.learningRate}", "--n=${trialParameters.layers}", "{}"]
"""


def test_an_experiment_of_katib_becomes_a_study(tmp_path: Path) -> None:
    made = _converted(tmp_path, KATIB)
    assert made.value["space"] == {
        "lr": {"min": 0.01, "max": 0.05, "log": True},
        "layers": {"min": 1, "max": 5, "step": 2, "int": True},
        "opt": {"values": ["sgd", "adam"]},
        "batch": {"values": [16, 32], "ordered": True},
    }
    assert made.value["train"]["command"] == ["python", "-u", "t.py", "--lr={lr}", "--n={layers}", "{{}}"]
    assert made.value["objective"] == {"metric": "Validation-accuracy", "goal": "maximize", "target": 0.99}
    assert made.value["search"] == {"method": "bayes", "seed": 10}
    assert (made.value["budget"], made.value["run"]) == ({"trials": 12}, {"workers": 3})
    assert any("image was img" in note for note in made.notes)


HYDRA = """
defaults: [{{override hydra/sweeper: optuna}}, {{override hydra/sweeper/sampler: tpe}}]
optimized_metric: val/acc_best
hydra:
  mode: MULTIRUN
  sweeper:
    direction: maximize
    n_trials: 30
    n_jobs: 1
    params: {{model.x: "{text}"}}
"""


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("interval(0.001, 0.5)", {"min": 0.001, "max": 0.5}),
        ("interval(4, 64)", {"min": 4, "max": 64, "int": True}),
        ("tag(log, interval(0.0001, 0.1))", {"min": 0.0001, "max": 0.1, "log": True}),
        ("int(interval(1, 8))", {"min": 1, "max": 8, "int": True}),
        ("choice(0.9,0.91)", {"values": [0.9, 0.91]}),
        ("choice(adam, 'sgd', null)", {"values": ["adam", "sgd", None]}),
        ("range(1, 10, step=2)", {"min": 1, "max": 9, "step": 2, "int": True}),
        ("range(-5.5, 5.5, 0.5)", {"min": -5.5, "max": 5.0, "step": 0.5}),
        ("range(4)", {"min": 0, "max": 3, "int": True}),
        ("32,64,128", {"values": [32, 64, 128]}),
        ("shuffle(1,2)", {"values": [1, 2]}),
        ("mobile", {"value": "mobile"}),
    ],
)
def test_each_sweep_of_hydra_has_its_domain(tmp_path: Path, text: str, domain: dict[str, Any]) -> None:
    made = _converted(tmp_path, HYDRA.format(text=text))
    StudySpec.model_validate(made.value)
    assert made.value["space"] == {"model.x": domain}
    assert made.value["objective"] == {"metric": "val/acc_best", "goal": "maximize"}
    assert made.value["search"] == {"method": "optuna:TPESampler"}


@pytest.mark.parametrize("text", ["float(0.01, 10.0)", "interval(a, b)", "extend_list(3)"])
def test_a_sweep_of_hydra_that_is_not_known_is_noted(tmp_path: Path, text: str) -> None:
    made = _converted(tmp_path, HYDRA.format(text=text))
    assert any(f"{text} is not known" in note for note in made.notes)


def test_the_ax_and_nevergrad_sweepers_are_read(tmp_path: Path) -> None:
    ax = """
hydra/sweeper:
  ax_config:
    max_trials: 10
    experiment: {objective_name: err, minimize: true}
    params:
      x: {type: range, bounds: [1, 8]}
      y: {type: range, bounds: [1.0e-4, 0.1], log_scale: true}
      z: {type: choice, values: [a, b]}
"""
    space = {
        "x": {"min": 1, "max": 8, "int": True},
        "y": {"min": 1e-4, "max": 0.1, "log": True},
        "z": {"values": ["a", "b"]},
    }
    assert _space(tmp_path, ax) == space
    nevergrad = """
hydra:
  sweeper:
    optim: {budget: 100, num_workers: 10, maximize: true}
    parametrization: {db: [mnist, cifar], lr: {init: 0.02, lower: 0.001, upper: 1.0, log: true}}
"""
    made = _converted(tmp_path, nevergrad)
    assert made.value["space"]["lr"] == {"min": 0.001, "max": 1.0, "log": True, "prior": {"value": 0.02}}
    assert made.value["objective"]["goal"] == "maximize"


OPTUNA = """
import optuna, sys

def objective(trial):
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    layers = trial.suggest_int("layers", 1, 3)
    for layer in range(layers):
        trial.suggest_int(f"units_{layer}", 4, 128, step=4)
    if trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd":
        trial.suggest_float("momentum", 0.0, 0.99)
    print("noise")
    trial.report(1.0, 0)
    while True:
        pass

if __name__ == "__main__":
    optuna.create_study(direction="maximize").optimize(objective, n_trials=77)
"""


def test_an_objective_of_optuna_is_recorded_with_its_conditions(tmp_path: Path) -> None:
    made = _converted(tmp_path, OPTUNA, "probe_me.py")
    assert made.value["train"] == {"kind": "function", "function": "probe_me:objective"}
    assert (made.value["objective"]["goal"], made.value["budget"]) == ("maximize", {"trials": 77})
    assert made.value["space"]["units_2"] == {"min": 4, "max": 128, "step": 4, "int": True, "when": {"layers": 3}}
    assert made.value["space"]["momentum"]["when"] == {"optimizer": "sgd"}
    StudySpec.model_validate(made.value)


def test_an_objective_that_fails_says_of_what(tmp_path: Path) -> None:
    text = "def objective(trial):\n    trial.suggest_float('x', 0, 1)\n    raise RuntimeError('no data')\n"
    made = _converted(tmp_path, text, "fails_later.py")
    assert any("RuntimeError: no data" in note for note in made.notes)
    text = "def objective(trial):\n    open('missing.csv')\n    trial.suggest_float('x', 0, 1)\n"
    with pytest.raises(ConversionError, match=r"missing\.csv"):
        _converted(tmp_path, text, "fails_at_once.py")


def test_spaces_of_python_files_are_read(tmp_path: Path) -> None:
    hyperopt = (
        "from hyperopt import hp\nimport math\nspace = {'c': hp.lognormal('c', 0, 1), 'q': hp.quniform('q', 2, 9, 2)}\n"
    )
    assert _space(tmp_path, hyperopt, "space_of_hyperopt.py") == {
        "c": {"lognormal": {"mean": 0, "std": 1}},
        "q": {"min": 2, "max": 8, "step": 2, "int": True},
    }
    search = """
from scipy.stats import loguniform, norm, randint
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RandomizedSearchCV
search = RandomizedSearchCV(
    LogisticRegression(), {"C": loguniform(1e-3, 10), "max_iter": randint(10, 20), "l1_ratio": norm(0.5, 0.1)}, n_iter=9
)
"""
    made = _converted(tmp_path, search, "search_of_sklearn.py")
    assert made.value["space"] == {
        "C": {"min": 1e-3, "max": 10.0, "log": True},
        "max_iter": {"min": 10, "max": 19, "int": True},
        "l1_ratio": {"normal": {"mean": 0.5, "std": 0.1}},
    }
    assert made.value["budget"] == {"trials": 9}


def test_a_space_of_ray_tune_is_read(tmp_path: Path) -> None:
    pytest.importorskip("ray.tune")
    text = """
from ray import tune
space = {
    "lr": tune.loguniform(1e-4, 1e-1), "n": tune.randint(1, 10), "q": tune.quniform(0, 1, 0.25),
    "g": tune.grid_search([1, 2]),
    "net": {"h": tune.choice([4, 8]), "act": "relu"}, "z": tune.randn(10, 2), "f": tune.sample_from(lambda spec: 1),
}
"""
    made = _converted(tmp_path, text, "space_of_ray.py")
    StudySpec.model_validate(made.value)
    assert made.value["space"]["n"] == {"min": 1, "max": 9, "int": True}
    assert made.value["space"]["net"] == {"parameters": {"h": {"values": [4, 8]}, "act": {"value": "relu"}}}
    assert "f" not in made.value["space"]
    assert any(note.startswith("f is computed") for note in made.notes)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "x: 1\n", "expected a sweep of W&B"),
        ("a.yaml", "[1, 2]", "got list"),
        ("a.yaml", "a: [1", "a.yaml:1"),
        ("a.yaml", "", "got NoneType"),
        ("two.py", "import scipy.stats as s\na = {'x': [1, 2]}\nb = {'x': [3, 4]}\n", "It holds a, b"),
        ("bad.py", "def f(:\n", "Correct the file"),
        ("none.py", "x = 3\n", "nothing of the kind"),
        ("broken.py", "import nothing_of_this_name\n", "cannot be imported"),
    ],
)
def test_a_file_of_no_known_kind_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(ConversionError, match=said):
        _converted(tmp_path, text, name)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="there is none"):
        convert(tmp_path / "missing.yaml")


_letters = st.characters(categories=("L", "N", "P", "S"), max_codepoint=0xFFFF)  # control characters break YAML's lines
_scalars = st.one_of(st.none(), st.booleans(), st.integers(-99, 99), st.floats(-10, 10), st.text(_letters, max_size=6))
_keys = st.sampled_from(
    ["min", "max", "values", "value", "distribution", "q", "mu", "sigma", "parameters", "probabilities"]
)
_entries = st.dictionaries(
    _keys,
    st.one_of(
        _scalars,
        st.lists(_scalars, max_size=3),
        st.sampled_from(["uniform", "q_normal", "log_uniform", "inv_log_uniform"]),
    ),
)
_sweeps = st.fixed_dictionaries(
    {
        "parameters": st.dictionaries(
            st.text(_letters, min_size=1, max_size=5), st.one_of(_scalars, _entries), max_size=3
        )
    },
    optional={
        "method": _scalars,
        "metric": st.one_of(_scalars, st.fixed_dictionaries({"name": _scalars, "goal": _scalars})),
        "early_terminate": st.one_of(_scalars, st.fixed_dictionaries({"type": st.just("hyperband"), "eta": _scalars})),
        "command": st.one_of(st.none(), st.lists(st.text(_letters, max_size=8), max_size=3)),
        "run_cap": _scalars,
    },
)


@settings(max_examples=80)
@given(sweep=_sweeps)
def test_any_sweep_is_converted_or_refused(tmp_path_factory: pytest.TempPathFactory, sweep: dict[str, Any]) -> None:
    file = tmp_path_factory.mktemp("fuzz") / "sweep.yaml"
    file.write_text(json.dumps(sweep, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    try:
        made = convert(file)
    except ConversionError as error:
        assert str(file) in str(error)  # noqa: PT017 - both ways are right
    else:
        assert set(made.value.get("space", {})) == set(sweep["parameters"])
