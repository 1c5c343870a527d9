"""Spaces of other libraries as the space of a study file."""

import math

import optuna
import pytest
from hyperopt import hp

from pegbox.integrations.hyperopt_space import space_from_hyperopt
from pegbox.integrations.optuna_space import space_from_optuna
from pegbox.schemas.errors import ConversionError
from pegbox.schemas.space import Space


def test_the_distributions_of_an_optuna_study_become_a_space() -> None:
    study = optuna.create_study()
    trial = study.ask()
    trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    trial.suggest_int("units", 16, 256, step=16)
    trial.suggest_int("layers", 1, 5)
    trial.suggest_categorical("optimizer", ["adamw", "sgd"])
    trial.suggest_float("fixed", 0.5, 0.5)
    raw = space_from_optuna(trial.distributions)
    assert raw == {
        "lr": {"min": 1e-5, "max": 1e-1, "log": True},
        "units": {"min": 16, "max": 256, "step": 16, "int": True},
        "layers": {"min": 1, "max": 5, "int": True},
        "optimizer": ["adamw", "sgd"],
        "fixed": {"value": 0.5},
    }
    assert Space.model_validate(raw).order == ("lr", "units", "layers", "optimizer", "fixed")


def test_what_is_no_distribution_is_an_error() -> None:
    with pytest.raises(ConversionError, match="x: expected a distribution of Optuna, got 3"):
        space_from_optuna({"x": 3})


def test_ranges_of_hyperopt_become_ranges() -> None:
    raw = space_from_hyperopt(
        {
            "lr": hp.loguniform("lr", math.log(1e-4), math.log(1e-1)),
            "dropout": hp.uniform("dropout", 0, 0.5),
            "layers": hp.uniformint("layers", 1, 4),
            "units": hp.quniform("units", 16, 64, 16),
            "seed": hp.randint("seed", 10),
            "activation": hp.choice("activation", ["relu", "tanh"]),
        }
    )
    assert raw["lr"] == {"min": pytest.approx(1e-4), "max": pytest.approx(1e-1), "log": True}
    assert raw["dropout"] == {"min": 0, "max": 0.5}
    assert raw["layers"] == {"min": 1, "max": 4, "int": True}
    assert raw["units"] == {"min": 16, "max": 64, "step": 16, "int": True}
    assert raw["seed"] == {"min": 0, "max": 9, "int": True}
    assert raw["activation"] == ["relu", "tanh"]
    Space.model_validate(raw)


def test_nested_choices_of_hyperopt_become_conditions() -> None:
    raw = space_from_hyperopt(
        hp.choice(
            "model",
            [
                {"name": "svm", "C": hp.lognormal("C", 0, 1)},
                {"name": "forest", "kind": hp.choice("kind", [1, {"depth": hp.randint("depth", 2, 9)}])},
            ],
        )
    )
    assert raw["model"] == [0, 1]
    assert raw["C"]["when"] == {"model": 0}
    assert raw["kind"] == {"values": [0, 1], "when": {"model": 1}}
    assert raw["depth"] == {"min": 2, "max": 8, "int": True, "when": {"kind": 1}}
    assert Space.model_validate(raw).is_active("depth", {"model": 1, "kind": 1})
