"""What is refused of a population before anything is trained, in words that say what to write instead."""

from typing import Any

import pytest
from tests.search.population.simulated_population import SPACE, population_study

from pegbox.schemas.population import mutable_parameters
from pegbox.search.methods import check_search

FUNCTION = {"kind": "function", "function": "my_project:run", "epochs": 12}


def messages(**changes: Any) -> list[str]:
    return [problem.message for problem in check_search(population_study(**changes))]


def test_population_that_can_be_trained_is_not_refused() -> None:
    assert messages() == []
    assert messages(method="pb2") == []
    assert any("Unknown option 'resample'" in one for one in messages(method="pb2", options={"resample": 0.1}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"options": {"population": 1}}, "greater than or equal to 2"),
        ({"options": {"interval": 12}}, "an interval of 12 epochs leaves no comparison"),
        ({"options": {"interval": 40}}, "an interval of 40 epochs leaves no comparison"),
        ({"options": {"burn_in": 12}}, "a burn_in of 12 lasts as long"),
        ({"options": {"quantile": 0.6}}, "less than or equal to 0.5"),
        ({"options": {"quantile": float("nan")}}, "finite number"),
        ({"options": {"resample": 1.5}}, "less than or equal to 1"),
        ({"options": {"factors": [1.0]}}, "or nothing moves"),
        ({"options": {"factors": [-0.8]}}, "or nothing moves"),
        ({"options": {"populatoin": 3}}, "Did you mean 'population'?"),
        ({"options": {"mutable": ["units"]}}, "units cannot change in mid-training: it makes another network"),
        ({"options": {"mutable": ["lrr"]}}, "Did you mean 'lr'?"),
        ({"options": {"mutable": ["optimizer"]}}, "optimizer cannot change"),
        ({"space": {"units": [8, 16], "layers": [1, 2]}}, "none of the space can"),
        ({"budget": {"epochs": 71}}, "6 members of 12 epochs take 72, and the budget has 71"),
        ({"budget": {"trials": 5}}, "begins as many trials"),
        ({"budget": {"trials": 50, "improvement": 0.1}}, "improvement is foretold"),
        ({"fidelity": {"schedule": "asha"}}, "pbt decides itself who is trained how far"),
        ({"fidelity": {"min": 2}}, "every `interval` epochs. Leave min out"),
        ({"run": {"batch": "auto"}}, "Leave run.batch out"),
        ({"constraints": [{"metric": "parameters", "max": 9}]}, "keeps no constraints"),
        ({"train": FUNCTION}, "what a function can take up in mid-training only you know"),
        ({"train": {"kind": "mlp", "epochs": 12, "patience": 3}}, "Leave patience out"),
        ({"train": {"kind": "command", "command": ["a", "{lr}"], "epochs": 12}}, "names no place for one"),
        ({"train": {"kind": "sklearn", "estimator": "a:b", "epochs": 12}}, "an estimator keeps none"),
        ({"space": {**SPACE, "a": {"min": 0, "max": 1}, "b": {"min": 0, "max": 1}, "sum": {"of": ["a", "b"], "is": 1}}},
         "those of a sum move together"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(changes: dict[str, Any], told: str) -> None:
    found = messages(**changes)
    assert any(told in message for message in found), found


def test_several_objectives_are_refused() -> None:
    changes = {"objective": None, "objectives": [{"metric": "val_loss"}, {"metric": "parameters"}]}
    assert any("takes one objective" in message for message in messages(**changes))


def test_too_many_known_configurations_are_refused() -> None:
    known = [{"lr": 0.1, "dropout": 0.0, "units": 8, "optimizer": "adamw"}] * 7
    search = {"method": "pbt", "options": {"population": 6, "interval": 3}, "enqueue": known}
    assert any("7 known configurations do not fit" in message for message in messages(search=search))


def test_command_that_keeps_checkpoints_may_name_what_it_takes_up() -> None:
    command = ["train", "--lr", "{lr}", "--to", "{checkpoint_dir}", "--from", "{resume_dir}"]
    train = {"kind": "command", "command": command, "epochs": 12}
    assert messages(train=train, options={"mutable": ["lr"]}) == []


def test_loop_and_dropout_are_mutable_and_what_others_hang_on_is_not() -> None:
    spec = population_study()
    assert mutable_parameters(spec.search, spec.train, spec.space) == ("lr", "dropout", "momentum")


def test_arguments_of_an_own_module_are_mutable_where_they_are_named() -> None:
    train = {"kind": "torch", "module": "my_project:Net", "epochs": 12}
    left_out = population_study(train=train)
    named = population_study(train=train, options={"mutable": ["lr", "dropout"]})
    assert mutable_parameters(left_out.search, left_out.train, left_out.space) == ("lr", "momentum")
    assert mutable_parameters(named.search, named.train, named.space) == ("lr", "dropout")
