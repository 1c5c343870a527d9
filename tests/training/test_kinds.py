"""What is said of a study before anything is trained, and what counts as the code of a trial."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from pegbox.schemas.plan import RunSpec
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import TrainSpec
from pegbox.training.kinds.record import own_code, own_files
from pegbox.training.kinds.registry import check_training, code_of, preload_for, trainer_for

TRAIN = TypeAdapter(TrainSpec)


def study_of(train, **run):
    """As much of a study as its code is read from."""
    return StudySpec.model_construct(train=TRAIN.validate_python(train), run=RunSpec(**run))


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def study(train, space, metric="val_loss", **more):
    data = (
        None if train["kind"] in {"function", "command", "custom"} else {"source": "sklearn:digits", "target": "target"}
    )
    raw = {"name": "s", "train": train, "space": space, "objective": {"metric": metric}, "budget": {"trials": 1}}
    return StudySpec.model_validate(raw | {"data": data} | more)


def problems(*arguments, **more):
    return [(".".join(map(str, one.path)), one.message) for one in check_training(study(*arguments, **more))]


MLP = {"kind": "mlp", "task": "classification"}
GOOD = {
    "lr": {"min": 1e-5, "max": 1e-1, "log": True},
    "batch_size": [32, 64],
    "layers": {"min": 1, "max": 5, "int": True},
    "units": {"min": 32, "max": 1024, "log": True, "int": True},
    "dropout": {"min": 0.0, "max": 0.6},
    "optimizer": ["adamw", "sgd"],
    "momentum": {"min": 0.0, "max": 0.99, "when": {"optimizer": "sgd"}},
    "weight_decay": {"min": 1e-6, "max": 1e-2, "log": True, "extra": [0]},
    "norm": ["none", "batch", "layer"],
    "clip": [None, 1.0],
}


def test_the_space_of_the_design_is_accepted():
    assert problems(MLP, GOOD) == []


def test_units_of_one_width_a_layer_are_accepted():
    assert problems(MLP, {"units": [[64, 32], [128, 64, 32]]}) == []


@pytest.mark.parametrize(
    ("space", "path", "message"),
    [
        ({"learning_rte": 0.1}, "space.learning_rte", "mlp has no hyperparameter 'learning_rte'"),
        ({"batchsize": [1]}, "space.batchsize", "Did you mean 'batch_size'?"),
        ({"dropout": {"min": 0.0, "max": 1.5}}, "space.dropout.max", "mlp cannot take dropout=1.5"),
        ({"lr": {"min": -1.0, "max": 1.0}}, "space.lr.min", "mlp cannot take lr=-1.0"),
        ({"optimizer": ["adamw", "adamax"]}, "space.optimizer", "mlp cannot take optimizer=adamax"),
        ({"norm": "group"}, "space.norm", "'none', 'batch' or 'layer'"),
        ({"layers": {"min": 1.0, "max": 5.0}}, "space.layers", "Add `int: true`"),
        ({"units": [[64, 0]]}, "space.units", "mlp cannot take units=[64, 0]"),
        ({"weight_decay": {"min": 0.1, "max": 1.0, "extra": [-1.0]}}, "space.weight_decay.extra.0", "-1.0"),
    ],
)
def test_a_space_that_cannot_be_built_is_named(space, path, message):
    (found,) = problems(MLP, space)

    assert found[0] == path
    assert message in found[1]


def test_a_metric_that_is_not_measured_is_named_with_the_nearest():
    (found,) = problems(MLP, {"lr": 0.1}, metric="val_acuracy")

    assert found == (
        "objective.metric",
        "the kind 'mlp' for classification does not measure 'val_acuracy'. Did you mean 'val_accuracy'? "
        "Known: parameters, val_accuracy, val_balanced_accuracy, val_f1, val_loss, val_pr_auc, val_roc_auc.",
    )


def test_without_a_task_metrics_of_both_are_accepted():
    assert problems({"kind": "mlp"}, {"lr": 0.1}, metric="val_r2") == []


def test_cuda_where_there_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    (found,) = problems(MLP | {"device": "cuda"}, {"lr": 0.1})

    assert found[0] == "train.device"


@pytest.mark.parametrize("device", ["mps", "xpu"])
def test_a_device_is_refused_by_name_where_there_is_none(monkeypatch, device):
    monkeypatch.setattr("pegbox.training.resources.sys.platform", "linux")
    monkeypatch.setattr("pegbox.training.resources.CARDS", Path("none"))

    (found,) = problems(MLP | {"device": device}, {"lr": 0.1})

    assert found == (
        "train.device",
        f"device is {device}, but this machine shows none. Write `device: auto`, or run where there is one.",
    )


def test_how_it_runs_is_checked():
    (found,) = problems(MLP, {"lr": 0.1}, run={"memory": "4 apples"})

    assert found[0] == "run.memory"


@pytest.mark.parametrize("batch", [2, "auto"])
def test_networks_of_the_kind_mlp_may_be_trained_together(batch):
    assert problems(MLP, {"lr": 0.1, "optimizer": ["sgd", "rmsprop"]}, run={"batch": batch}) == []


@pytest.mark.parametrize(
    ("train", "space", "run", "reason"),
    [
        ({"kind": "resnet"}, {"lr": 0.1}, {}, "only models of the kinds mlp and torch"),
        (MLP | {"precision": "mixed"}, {"lr": 0.1}, {}, "train.precision is 'mixed'"),
        (MLP, {"optimizer": ["radam", "rmsprop"]}, {}, "space.optimizer has none of them"),
        (MLP, {"lr": 0.1}, {"engine": "ray"}, "run.engine is 'ray'"),
        (MLP, {"lr": 0.1}, {"limit": "gpu"}, "a place of run.limit"),
    ],
)
def test_what_cannot_be_trained_together_is_refused_by_name(train, space, run, reason):
    (found,) = problems(train, space, run={"batch": "auto", **run})

    assert found[0] == "run.batch"
    assert reason in found[1]


def write(directory, name, code):
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(code))


def function(path):
    return {"kind": "function", "function": path}


def test_a_function_that_takes_the_space_is_accepted(directory):
    write(directory, "user/__init__.py", "from user.train import run")
    write(directory, "user/train.py", "def run(lr, units=3, *, trial): ...")

    assert problems(function("user.train:run"), {"lr": 0.1}) == []
    assert problems(function("user:run"), {"lr": 0.1}) == []


@pytest.mark.parametrize(
    ("code", "path", "message"),
    [
        ("def walk(lr): ...", "train.function", "the module 'user_code' has no 'run'. Known: walk."),
        ("def run(rate): ...", "space.lr", "takes no argument 'lr'. Known: rate."),
        ("def run(lr, depth): ...", "train.function", "needs the argument 'depth', which is not in the space"),
        ("def run(lr:", "train.function", "is not valid Python"),
        ("def run(trial): trial.suggest_float('rl', 0, 1)", "space", "asks for 'rl', which is not in the space"),
    ],
)
def test_a_function_that_cannot_be_called_is_named(directory, code, path, message):
    write(directory, "user_code.py", code)

    found = problems(function("user_code:run"), {"lr": 0.1})

    assert found[0][0] == path
    assert message in found[0][1]


def test_a_function_takes_what_it_likes_with_any_names(directory):
    write(directory, "user_code.py", "def run(**anything): ...\ndef other(trial): return trial.configuration['lr']")

    assert problems(function("user_code:run"), {"lr": 0.1}) == []
    assert problems(function("user_code:other"), {"lr": 0.1}) == []


def test_a_module_that_is_not_there_is_named(directory):
    (found,) = problems(function("nowhere.train:run"), {"lr": 0.1})

    assert "'nowhere.train' of 'nowhere.train:run' was not found" in found[1]


def test_checking_runs_no_code_of_the_user(directory):
    write(directory, "user_code.py", "raise SystemExit('ran')\ndef run(lr): ...")

    assert problems(function("user_code:run"), {"lr": 0.1}) == []


def command(*arguments, **more):
    return {"kind": "command", "command": [sys.executable, *arguments], **more}


@pytest.mark.parametrize(
    ("train", "path", "message"),
    [
        ({"kind": "command", "command": ["no-such-program", "{lr}"]}, "train.command.0", "was not found"),
        (command("{lr}", "{rate}"), "train.command.2", "no parameter is named 'rate'"),
        (command("{lr}", metrics="xml"), "train.metrics", "got 'xml'"),
        (command("{lr}", metrics="regex:("), "train.metrics", "is not a regular expression"),
        (command("{lr}", metrics="regex:loss"), "train.metrics", "names no metric"),
    ],
)
def test_a_command_that_cannot_work_is_named(train, path, message):
    (found,) = problems(train, {"lr": 0.1})

    assert found[0] == path
    assert message in found[1]


def test_a_parameter_that_a_command_never_sees_is_named():
    (found,) = problems(command("{lr}"), {"lr": 0.1, "units": 3})

    assert found[0] == "space.units"


def test_one_file_for_many_workers_is_refused():
    (found,) = problems(command("{lr}", metrics="file:m.json"), {"lr": 0.1}, run={"workers": 2})

    assert "file:{checkpoint_dir}/m.json" in found[1]


def fingerprint(train):
    return code_of(study_of(train)).fingerprint


def test_the_code_of_a_function_is_its_module_and_what_it_imports_from_here(directory):
    write(directory, "user_code.py", "import user_model\ndef run(lr): ...")
    write(directory, "user_model.py", "x = 1")
    write(directory, "unrelated.py", "x = 1")
    before = fingerprint(function("user_code:run"))

    write(directory, "unrelated.py", "x = 2")
    assert fingerprint(function("user_code:run")) == before

    write(directory, "user_model.py", "x = 2")
    assert fingerprint(function("user_code:run")) != before


def test_the_code_of_a_command_is_the_files_it_names(directory):
    write(directory, "train.py", "import helper")
    write(directory, "helper.py", "x = 1")
    before = fingerprint(command("train.py"))

    write(directory, "helper.py", "x = 2")

    assert fingerprint(command("train.py")) != before


def test_the_code_of_a_torch_kind_is_equal_from_call_to_call():
    assert fingerprint(MLP) == fingerprint(MLP)
    assert any(part.name == "torch" for part in code_of(study_of(MLP)).parts)


def test_a_function_that_imports_torch_has_it_preloaded(directory):
    write(directory, "user_code.py", "import user_model\ndef run(lr): ...")
    write(directory, "user_model.py", "from torch import nn")

    assert "torch" in preload_for(TRAIN.validate_python(function("user_code:run")))


@pytest.mark.parametrize("train", [MLP, function("a:b"), {"kind": "command", "command": ["a"]}])
def test_each_kind_has_a_trainer(train):
    trainer = trainer_for(TRAIN.validate_python(train))

    assert callable(trainer.train)
    assert callable(trainer.evaluate)


def test_checking_a_study_loads_neither_torch_nor_scikit_learn():
    code = "import sys, pegbox.training.kinds.registry; print({'torch', 'sklearn', 'numpy'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout in {"set()\n", "{'numpy'}\n"}


@pytest.mark.parametrize(
    ("kind", "space", "is_told"),
    [
        ("resnet", {"batch_size": [1, 16]}, True),
        ("resnet", {"batch_size": {"min": 1, "max": 8, "int": True}}, True),
        ("mlp", {"batch_size": [1, 16], "norm": ["none", "batch"]}, True),
        ("resnet", {"batch_size": [2, 16]}, False),
        ("resnet", {"batch_size": 1, "norm": "layer"}, False),
        ("mlp", {"batch_size": [1, 16]}, False),
        (
            "mlp",
            {"batch_size": [1, 16], "norm": ["none", "batch"], "forbid": [{"batch_size": 1, "norm": "batch"}]},
            False,
        ),
    ],
)
def test_a_batch_of_one_row_under_batch_norm_is_told(kind, space, is_told):
    spec = StudySpec.model_validate(
        {
            "name": "x",
            "data": {"source": "sklearn:iris"},
            "train": {"kind": kind},
            "space": {"lr": {"min": 1e-3, "max": 1e-1, "log": True}, **space},
            "objective": {"metric": "val_loss"},
            "budget": {"trials": 3},
        }
    )

    told = [problem.message for problem in check_training(spec)]

    assert [("batch of one row" in message) for message in told] == ([True] if is_told else [])


def loaded_by(*modules):
    """The files of the training room that are loaded with some of its modules, as Python itself says."""
    program = (
        f"import sys, {', '.join(modules)}\nfor name, module in sys.modules.items():\n    print(name, module.__file__)"
    )
    program = program.replace("module.__file__", "getattr(module, '__file__', None)")
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    found = dict(line.split(" ", 1) for line in said.splitlines() if line.startswith("pegbox.training."))
    return {Path(file).resolve() for file in found.values() if not file.endswith("__init__.py")}


@pytest.mark.parametrize(
    "trainers",
    [("torch_trainer", "stacked_trainer"), ("sklearn_trainer",)],
)
def test_the_code_of_a_trainer_is_all_that_it_loads(trainers):
    counted = set(own_files(*trainers))

    assert loaded_by(*(f"pegbox.training.{name}" for name in trainers)) <= counted
    assert not {"registry.py", "check_code.py", "pool.py"} & {file.name for file in counted}


@pytest.mark.parametrize(
    ("train", "name"), [(MLP, "loop.py"), (MLP, "registry.py"), ({"kind": "sklearn"}, "metrics.py")]
)
def test_a_change_of_what_a_trainer_loads_changes_its_fingerprint(monkeypatch, train, name):
    train = {"estimator": "sklearn.linear_model:Ridge", **train} if train["kind"] == "sklearn" else train
    before, read = fingerprint(train), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: read(file) + (b"\nadded = 1" if file.name == name else b""))
    own_code.cache_clear()

    changed = fingerprint(train)
    own_code.cache_clear()  # what was read here is nobody else's

    assert (changed != before) == (name != "registry.py")


def test_code_in_folders_without_an_init_file_is_found(directory):
    (directory / "lib" / "nets").mkdir(parents=True)
    write(directory, "user_code.py", "from lib.nets.small import build\ndef run(lr): ...")
    write(directory, "lib/nets/small.py", "x = 1")
    before = fingerprint(function("user_code:run"))

    write(directory, "lib/nets/small.py", "x = 2")

    assert fingerprint(function("user_code:run")) != before


FAMILIES = {
    "kind": "families",
    "task": "classification",
    "families": {
        "forest": {"kind": "sklearn", "estimator": "sklearn.ensemble:RandomForestClassifier"},
        "mlp": {"kind": "mlp"},
    },
}


def of_families(space, train=None, **more):
    return problems(FAMILIES | (train or {}), {"family": ["forest", "mlp"]} | space, **more)


def test_families_are_checked_each_as_a_study_of_its_own():
    forest, mlp = {"family": "forest"}, {"family": "mlp"}

    assert of_families({"forest.max_features": {"min": 0.1, "max": 1.0, "when": forest}}) == []
    found = of_families(
        {
            "forest.max_featurs": {"values": [0.1, 0.2], "when": forest},
            "mlp.dropout": {"min": 0.0, "max": 2.0, "when": mlp},
            "units": {"values": [8, 16], "when": mlp},
        }
    )
    assert [path for path, _ in found] == ["space.forest.max_featurs", "space.mlp.dropout.max"]
    assert "has no parameter 'max_featurs'. Did you mean 'max_features'?" in found[0][1]
    assert "mlp cannot take dropout=2.0" in found[1][1]


def test_an_estimator_that_is_not_installed_is_named_at_its_family():
    lost = {"kind": "sklearn", "estimator": "no_such_library:Forest"}

    ((path, message),) = of_families({}, {"families": {"forest": lost, "mlp": {"kind": "mlp"}}})

    assert path == "train.families.forest.estimator"
    assert "the module 'no_such_library' of 'no_such_library:Forest' was not found" in message


def test_a_metric_of_some_families_is_no_objective():
    ((path, message),) = of_families({}, metric="parameters")

    assert path == "objective.metric"
    assert "the kind 'families' for classification does not measure 'parameters'" in message


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"fidelity": {"schedule": "asha"}}, "fidelity.schedule"),
        ({"search": {"method": "freeze_thaw"}}, "search.method"),
        ({"search": {"method": "pbt"}}, "search.method"),
    ],
)
def test_what_compares_trials_in_mid_training_is_no_search_among_families(more, place):
    ((path, message),) = of_families({}, {"epochs": 9}, **more)

    assert path == place
    assert "an estimator is fitted whole and a network has hardly begun" in message


def test_families_may_be_compared_on_equal_rows():
    assert of_families({}, {"epochs": 9}, fidelity={"of": "rows", "schedule": "asha", "min": 100, "max": 900}) == []


def test_code_of_families_is_that_of_each():
    parts = {str(part) for part in code_of(study_of(FAMILIES)).parts}

    assert {"package sklearn", "package torch", "pegbox sklearn_trainer", "pegbox torch_trainer"} <= parts
    assert {"torch", "pegbox.training.sklearn_trainer"} <= set(preload_for(TRAIN.validate_python(FAMILIES)))
