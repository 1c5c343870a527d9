"""What `auto` stands for."""

from pegbox.search.auto_method import choose_method
from pegbox.testing.samplers import SamplerContract
from pegbox.testing.studies import study


class TestAuto(SamplerContract):
    method = "auto"


def test_a_space_that_fits_into_the_budget_is_tried_whole() -> None:
    choice = choose_method(study({"a": [1, 2, 3], "b": ["x", "y"]}))
    assert choice.method == "grid"
    assert "All 6 configurations" in choice.reason


def test_a_usual_study_is_modelled() -> None:
    assert choose_method(study()).method == "bayes"


def test_thousands_of_trials_are_bred() -> None:
    assert choose_method(study(budget={"trials": 5000})).method == "genetic"


def test_many_trials_of_several_objectives_are_bred() -> None:
    goals = ({"metric": "loss"}, {"metric": "size"})
    assert choose_method(study(budget={"trials": 500}, objectives=goals)).method == "genetic"


def test_a_named_method_is_kept() -> None:
    assert choose_method(study(search={"method": "sobol"})).method == "sobol"
