"""Synchronous successive halving and Hyperband."""

from collections import Counter

from pegbox.schemas.trial import TrialState
from pegbox.testing.schedules import ScheduleContract
from pegbox.testing.studies import study


class TestHalvingSchedule(ScheduleContract):
    schedule = "halving"

    def test_of_nine_trials_three_climb_and_one_ends(self) -> None:
        history = self.simulation(budget={"trials": 9}, workers=4).run()
        assert Counter(trial.budget for trial in history.trials) == {1: 6, 3: 2, 9: 1}

    def test_who_does_not_climb_is_stopped(self) -> None:
        history = self.simulation(budget={"trials": 9}).run()
        assert len([trial for trial in history.trials if trial.state is TrialState.STOPPED]) == 8

    def test_the_best_of_a_rung_climb(self) -> None:
        history = self.simulation(budget={"trials": 9}).run()
        values = sorted((trial.evaluations[0].metrics["loss"], len(trial.evaluations)) for trial in history.trials)
        assert [n_rungs > 1 for _, n_rungs in values] == [True] * 3 + [False] * 6


class TestHyperbandSchedule(ScheduleContract):
    schedule = "hyperband"

    def test_brackets_begin_at_each_rung_in_turn(self) -> None:
        history = self.simulation(budget={"trials": 17}).run()
        assert [trial.evaluations[0].budget for trial in history.trials] == [1] * 9 + [3] * 5 + [9] * 3


def test_rungs_grow_by_the_factor_up_to_the_full_budget() -> None:
    spec = study({"a": [1]}, fidelity={"schedule": "asha", "min": 2, "max": 52}, train=_train(52))
    assert spec.rungs == (2, 6, 18, 52)


def test_a_rung_that_costs_nearly_as_much_as_the_full_budget_is_left_out() -> None:
    spec = study({"a": [1]}, fidelity={"schedule": "asha", "min": 1, "max": 28}, train=_train(28))
    assert spec.rungs == (1, 3, 9, 28)


def _train(epochs: int) -> dict[str, object]:
    return {"kind": "function", "function": "my_project:run", "epochs": epochs}
