"""A configuration of several families names one of them, and a space that hands one what is another's is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from pegbox.schemas.families import space_of, what_is_trained
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import SklearnTrain, TorchTrain

FOREST = {"kind": "sklearn", "estimator": "sklearn.ensemble:RandomForestClassifier"}
TRAIN: dict[str, Any] = {
    "kind": "families",
    "task": "classification",
    "epochs": 9,
    "families": {"forest": FOREST, "mlp": {"kind": "mlp", "patience": 3}},
}
SPACE: dict[str, Any] = {
    "family": ["forest", "mlp"],
    "forest": {"when": {"family": "forest"}, "parameters": {"max_features": {"min": 0.1, "max": 1.0}}},
    "mlp": {
        "when": {"family": "mlp"},
        "parameters": {
            "optimizer": ["adamw", "sgd"],
            "momentum": {"min": 0.0, "max": 0.9, "when": {"optimizer": "sgd"}},
        },
    },
    "n_jobs": {"value": 1, "when": {"family": "forest"}},
}


def study(train: dict[str, Any] | None = None, space: dict[str, Any] | None = None, **further: Any) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "several",
            "data": {"source": "sklearn:iris"},
            "train": TRAIN | (train or {}),
            "space": SPACE if space is None else space,
            "objective": {"metric": "val_loss"},
            "budget": {"trials": 4},
            **further,
        }
    )


def test_configuration_trains_its_family_under_its_own_names() -> None:
    train = study().train

    network = what_is_trained(train, {"family": "mlp", "mlp.optimizer": "sgd", "mlp.momentum": 0.5})
    forest = what_is_trained(train, {"family": "forest", "forest.max_features": 0.5, "n_jobs": 1})

    assert network.configuration == {"optimizer": "sgd", "momentum": 0.5}
    assert network.train == TorchTrain(kind="mlp", patience=3, epochs=9, task="classification")
    assert forest.configuration == {"max_features": 0.5, "n_jobs": 1}
    # Whole in its first epoch, however many a network has.
    assert isinstance(forest.train, SklearnTrain)
    assert (forest.train.epochs, forest.train.task, forest.family) == (1, "classification", "forest")


def test_study_of_one_kind_is_left_as_it_is() -> None:
    train = TorchTrain(kind="mlp")

    assert what_is_trained(train, {"lr": 0.1}) == (train, {"lr": 0.1}, None)


def test_space_of_a_family_holds_its_own_parameters_and_conditions() -> None:
    space = study(space=SPACE | {"forbid": [{"mlp.optimizer": "sgd", "mlp.momentum": 0.0}, {"family": "forest"}]}).space

    of_mlp, of_forest = space_of(space, "mlp"), space_of(space, "forest")

    assert list(of_mlp.parameters) == ["optimizer", "momentum"]
    assert of_mlp.parameters["momentum"].when == {"optimizer": "sgd"}
    assert of_mlp.forbid == ({"optimizer": "sgd", "momentum": 0.0},)
    assert (list(of_forest.parameters), of_forest.forbid) == (["max_features", "n_jobs"], ())


def test_study_of_families_comes_back_from_the_store() -> None:
    spec = study()

    assert StudySpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("train", "space", "words"),
    [
        ({"families": {"forest": FOREST}}, None, "at least 2 items"),
        ({"families": {"forest": {**FOREST, "epochs": 3}, "mlp": {"kind": "mlp"}}}, None, "forest has 3 of its own"),
        ({"families": {"a b": FOREST, "mlp": {"kind": "mlp"}}}, None, "letters, digits and _, got 'a b'"),
        ({"families": {"f": FOREST, "mlp": {"kind": "mlp", "task": "regression"}}}, None, "one task"),
        ({"families": {"f": {"kind": "function", "function": "a:b"}, "mlp": {"kind": "mlp"}}}, None, "function"),
        (None, {"mlp.lr": [0.1, 0.2]}, "Write `family: [forest, mlp]`"),
        (None, {"family": "forest"}, "Write `family: [forest, mlp]`"),
        (None, {"family": ["forest", "mlp", "mpl"]}, "no family 'mpl'. Did you mean 'mlp'?"),
        (None, {"family": ["forest", "x"]}, "no family 'x'"),
        (None, {"family": ["mlp"]}, "no trial is ever of the family 'forest'"),
        (None, {"family": ["forest", "mlp"], "preset": "mlp"}, "a preset is for one kind of model"),
        (None, {"family": ["forest", "mlp"], "mlp.lr": [0.1, 0.2]}, "Write `when: {family: mlp}`"),
        (
            None,
            {"family": ["forest", "mlp"], "mlp.lr": {"values": [0.1, 0.2], "when": {"family": ["mlp", "forest"]}}},
            "mlp.lr belongs to the family 'mlp'",
        ),
    ],
)
def test_what_does_not_decide_among_families_is_refused(
    train: dict[str, Any] | None, space: dict[str, Any] | None, words: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        study(train, space)

    assert words in str(refused.value)


def test_trials_of_families_are_compared_at_their_end() -> None:
    schedule = study(fidelity={"schedule": "auto"}).trial_schedule

    assert schedule.name == "full"
    assert "an estimator is fitted whole" in str(schedule.reason)
