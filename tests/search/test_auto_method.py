"""What `auto` stands for."""

from typing import Any

import numpy as np
import pytest

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.auto_method import MOST_MODELLED, Choice, Pace, choose_method
from pegbox.search.methods import check_search, sampler_for, strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.samplers import SamplerContract
from pegbox.testing.studies import bowl, finished, study

SMALL = {"a": [1, 2, 3], "b": ["x", "y"]}
UNIT = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}


class TestAuto(SamplerContract):
    method = "auto"


def chosen(space: dict[str, Any] | None, pace: Pace | None = None, **changes: Any) -> Choice:
    return choose_method(study(space, **changes), pace)


def test_a_space_that_fits_into_the_budget_is_tried_whole() -> None:
    choice = chosen(SMALL)
    assert choice.method == "grid"
    assert "All 6 configurations" in choice.reason


def test_a_space_that_fits_into_the_epochs_is_tried_whole() -> None:
    assert chosen(SMALL, budget={"epochs": 54}).method == "grid"


def test_a_space_that_the_epochs_do_not_reach_around_is_modelled() -> None:
    assert chosen(SMALL, budget={"epochs": 53}).method == "bayes"


@pytest.mark.parametrize("budget", [{"time": "2h"}, {"cost": 5}, {"stagnation": 20}, {"improvement": "noise"}])
@pytest.mark.parametrize("space", [None, SMALL, {"a": [1, 2, 3], "x": UNIT["x"]}])
@pytest.mark.parametrize("more", [{}, {"trials": 50}, {"epochs": 900}])
def test_a_budget_that_may_end_anywhere_is_modelled(space: Any, budget: Any, more: Any) -> None:
    assert chosen(space, budget=budget | more).method == "bayes"


@pytest.mark.parametrize("budget", [{"time": "2h"}, {"epochs": 200}, {"stagnation": 20}, {"improvement": "noise"}])
@pytest.mark.parametrize("schedule", ["full", "asha"])
def test_a_study_without_a_number_of_trials_does_as_bayes_does(budget: dict[str, Any], schedule: str) -> None:
    def trials_of(method: str) -> list[Configuration]:
        fidelity = {"schedule": schedule, "min": 1}
        spec = study(UNIT, budget=budget, search={"method": method}, fidelity=fidelity)
        history = Simulation(strategy_for(spec), History(spec=spec), bowl).run(max_steps=14)
        return [trial.configuration for trial in history.trials]

    assert trials_of("auto") == trials_of("bayes")


def test_a_reason_says_what_is_not_known_yet() -> None:
    assert "how many fit into the budget is not known yet" in chosen(None, budget={"time": "2h"}).reason


def test_a_usual_study_is_modelled() -> None:
    assert choose_method(study()) == Choice("bayes", "A model of the trials so far needs the fewest of them.")


def test_time_is_told_in_trials_once_some_have_ended() -> None:
    choice = chosen(None, Pace(5, seconds=60.0), budget={"time": "2h"})
    assert choice == Choice("bayes", "A model of the trials so far needs the fewest of them.")


def test_trials_shorter_than_a_decision_are_bred_where_thousands_fit() -> None:
    choice = chosen(None, Pace(5, seconds=0.01), budget={"time": "2h"})
    assert choice.method == "genetic"
    assert "about 720,000 of them" in choice.reason


def test_workers_train_several_trials_in_the_time_of_one() -> None:
    pace, workers = Pace(5, seconds=0.1), {"workers": 4}
    assert chosen(None, pace, budget={"time": "2h"}).method == "bayes"
    assert chosen(None, pace, budget={"time": "2h"}, run=workers).method == "genetic"


def test_short_trials_are_modelled_where_they_are_few() -> None:
    assert chosen(None, Pace(5, seconds=0.001), budget={"trials": 50}).method == "bayes"


def test_cost_is_told_in_trials() -> None:
    assert chosen(None, Pace(5, seconds=0.001, cost=0.1), budget={"cost": 500}).method == "genetic"
    assert chosen(None, Pace(5, seconds=0.001, cost=1.0), budget={"cost": 500}).method == "bayes"


def test_what_comes_after_thousands_of_trials_is_bred() -> None:
    budget = {"stagnation": 100}
    assert chosen(None, Pace(MOST_MODELLED - 1, seconds=9.0), budget=budget).method == "bayes"
    assert chosen(None, Pace(MOST_MODELLED, seconds=9.0), budget=budget).method == "genetic"


def test_several_objectives_are_bred_sooner() -> None:
    goals = ({"metric": "loss"}, {"metric": "size"})
    assert chosen(None, Pace(400, seconds=9.0), budget={"trials": 500}, objectives=goals).method == "genetic"
    assert chosen(None, Pace(400, seconds=9.0), budget={"trials": 500}).method == "bayes"


def test_auto_takes_no_options_of_the_schedule_that_it_may_choose() -> None:
    spec = study(UNIT, fidelity={"schedule": "auto", "options": {"warmup": 3}})
    assert [problem.path for problem in check_search(spec)] == [("fidelity", "options", "warmup")]


def test_a_named_method_is_kept() -> None:
    assert chosen(None, search={"method": "sobol"}).method == "sobol"


def test_the_pace_is_that_of_completed_trials() -> None:
    def paid(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
        return Outcome({"loss": 1.0, "cost": 3.0}, seconds=4.0)

    spec = study(UNIT, search={"method": "random"}, budget={"trials": 5, "cost": 100})
    history = Simulation(strategy_for(spec), History(spec=spec), paid).run()
    assert Pace.of(history) == Pace(5, seconds=4.0, cost=3.0)
    assert Pace.of(finished(spec, [{"x": 0.1, "y": 0.2}], [None])) == Pace(1)


def test_auto_changes_its_mind_as_short_trials_end() -> None:
    def proposal(method: str, history: History) -> list[Configuration]:
        spec: StudySpec = history.spec.model_copy(
            update={"search": history.spec.search.model_copy(update={"method": method})}
        )
        return sampler_for(spec).propose(history, 1, np.random.default_rng(3))

    def instant(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
        return Outcome(bowl(configuration, from_budget, to_budget).result, seconds=0.001)

    spec = study(UNIT, search={"method": "auto"}, budget={"time": "1h"})
    begun = Simulation(strategy_for(spec), History(spec=spec), instant).run(max_steps=1)
    history = Simulation(strategy_for(spec), begun, instant).run(max_steps=30)
    assert proposal("auto", History(spec=spec)) == proposal("bayes", History(spec=spec))
    assert proposal("auto", history) == proposal("genetic", history) != proposal("bayes", history)
