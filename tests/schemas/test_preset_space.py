from typing import Any

import pytest

from pegbox.schemas.domains import Constant
from pegbox.schemas.preset_space import draw_published
from pegbox.schemas.presets import PRESETS
from pegbox.schemas.space import DrawnPreset, Space
from pegbox.schemas.study import StudySpec


def study(space: dict[str, Any], trials: int = 100, **changes: Any) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "drawn",
            "train": {"kind": "function", "function": "my_project.train:run", "epochs": 9},
            "space": space,
            "objective": {"metric": "val_loss"},
            "budget": {"trials": trials},
            **changes,
        }
    )


def names(space: dict[str, Any], trials: int = 100, **changes: Any) -> list[str]:
    return list(draw_published(study(space, trials, **changes)).space.parameters)


def test_few_trials_search_the_learning_rate_alone() -> None:
    assert names({"preset": "mlp"}, trials=9) == ["lr"]


def test_larger_budget_adds_parameters_in_the_order_of_their_worth() -> None:
    assert names({"preset": "mlp"}, trials=20) == ["lr", "units", "dropout", "weight_decay"]
    assert names({"preset": "mlp"}, trials=500) == list(PRESETS["mlp"])


def test_budget_of_epochs_counts_whole_trials() -> None:
    assert names({"preset": "mlp"}, budget={"epochs": 9 * 15}) == ["lr", "units", "dropout"]


def test_parameter_beside_the_preset_replaces_its_range() -> None:
    space = draw_published(study({"preset": "mlp", "lr": {"min": 0.1, "max": 1.0}}, trials=10)).space
    assert space.parameters["lr"].contains(0.5)
    assert list(space.parameters) == ["units", "lr"]


def test_constant_beside_the_preset_takes_no_place_of_the_budget() -> None:
    space = draw_published(study({"preset": "mlp", "units": 128}, trials=10)).space
    assert list(space.parameters) == ["lr", "dropout", "units"]
    assert isinstance(space.parameters["units"], Constant)


def test_parameter_that_a_condition_names_is_drawn() -> None:
    space = {"preset": "rnn", "forget_bias": {"min": 0.0, "max": 2.0, "when": {"cell": "lstm"}}}
    assert names(space, trials=5) == ["lr", "cell", "forget_bias"]


def test_known_configuration_widens_the_range_that_would_leave_it_out() -> None:
    spec = study({"preset": "logistic_regression"}, search={"enqueue": [{"C": 1e6}]})
    assert draw_published(spec).space.contains({"C": 1e6})


def test_drawn_space_is_read_back_as_it_is() -> None:
    drawn = draw_published(study({"preset": "transformer"}))
    assert StudySpec.model_validate_json(drawn.model_dump_json()) == drawn
    assert draw_published(drawn) is drawn
    assert drawn.space.preset == DrawnPreset(kind="transformer")


@pytest.mark.parametrize("kind", PRESETS)
def test_every_preset_can_be_drawn(kind: str) -> None:
    assert names({"preset": kind}, trials=500) == list(PRESETS[kind])


def test_unknown_preset_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="Did you mean 'mlp'"):
        Space.model_validate({"preset": "mlpp"})
