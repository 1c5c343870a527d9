"""What is said of a module of the user's before anything of it is run."""

import re

import pytest

from pegbox.schemas.study import StudySpec
from pegbox.training.kinds.registry import check_training

OWN_NET = """
from torch import nn


class Net(nn.Module):
    def __init__(self, n_features, n_classes, width, *, depth=1):
        super().__init__()


class Inherits(Net):
    pass


def focal(outputs, target, gamma):
    pass


def loaders(batch_size, shuffled=True):
    pass


def needy(n_features, mystery):
    pass
"""


def study(train, space, **more):
    raw = {"name": "s", "train": train, "space": space, "objective": {"metric": "val_loss"}, "budget": {"trials": 2}}
    return StudySpec.model_validate(raw | more)


WIDTH = {"width": {"min": 2, "max": 9, "int": True}}


@pytest.mark.parametrize(
    ("train", "space", "says", "path"),
    [
        ({}, WIDTH, None, None),
        ({}, WIDTH | {"lr": {"min": 0.01, "max": 0.1}}, None, None),
        ({"module": "own_net:Inherits"}, {"anything": {"value": 1}}, None, None),
        (
            {},
            {"depth": {"value": 2}},
            "own_net:Net needs the argument 'width', which is not in the space",
            ("train", "module"),
        ),
        (
            {},
            WIDTH | {"widht": {"value": 1}},
            "neither own_net:Net nor the loop takes 'widht'. Did you mean 'width'",
            ("space", "widht"),
        ),
        (
            {},
            WIDTH | {"lr": {"min": 0.0, "max": 0.1}},
            "the loop cannot take lr=0.0: input should be greater than 0",
            ("space", "lr", "min"),
        ),
        ({"module": "own_net:Nte"}, WIDTH, "has no 'Nte'", ("train", "module")),
        ({"module": "own_net:needy"}, {}, "needs the argument 'mystery'", ("train", "module")),
        ({"loss": "own_net:focal"}, WIDTH | {"gamma": {"value": 2}}, None, None),
        ({"loss": "own_net:focal"}, WIDTH, "own_net:focal needs the argument 'gamma'", ("train", "loss")),
        (
            {"loss": "own_net:focal"},
            WIDTH | {"gamma": {"value": 2}, "label_smoothing": {"value": 0.1}},
            "belongs to pegbox's own loss",
            ("space", "label_smoothing"),
        ),
        ({"metrics": {"top": "own_net:top"}}, WIDTH, "has no 'top'", ("train", "metrics", "top")),
        ({"metrics": {"accuracy": "own_net:focal"}}, WIDTH, "measured already", ("train", "metrics", "accuracy")),
        (
            {"loaders": "own_net:loaders"},
            WIDTH | {"n_features": {"value": 2}, "n_classes": {"value": 2}, "batch_size": [2, 4]},
            None,
            None,
        ),
        (
            {"loaders": "own_net:loaders"},
            WIDTH | {"n_classes": {"value": 2}},
            "needs the argument 'n_features'",
            ("train", "module"),
        ),
    ],
)
def test_a_module_is_checked_without_being_run(tmp_path, monkeypatch, train, space, says, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_net.py").write_text(OWN_NET)
    own = {"kind": "torch", "module": "own_net:Net", "epochs": 2} | train
    data = {} if "loaders" in train else {"data": {"source": "sklearn:iris"}}
    spec = study(own, space or {"lr": {"value": 0.1}}, **data)

    problems = check_training(spec)

    assert [(re.search(says or "", one.message) is not None, one.path) for one in problems] == (
        [(True, path)] if says else []
    )


def test_rows_come_from_loaders_or_from_data():
    with pytest.raises(ValueError, match="both give the rows to train on"):
        study({"kind": "torch", "module": "m:Net", "loaders": "m:loaders"}, WIDTH, data={"source": "sklearn:iris"})
    with pytest.raises(ValueError, match="training a torch needs data"):
        study({"kind": "torch", "module": "m:Net"}, WIDTH)
