"""Asynchronous successive halving."""

from collections import Counter
from typing import ClassVar

import pytest

from pegbox.schemas.decision import Continue, Done, Wait
from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.schedules.asha import AshaSchedule
from pegbox.search.strategy import Begin
from pegbox.testing.schedules import ScheduleContract
from pegbox.testing.studies import study


class TestAshaSchedule(ScheduleContract):
    schedule = "asha"

    def test_about_a_third_of_each_rung_climbs(self) -> None:
        history = self.simulation(budget={"trials": 81}).run()
        reached = Counter(trial.budget for trial in history.trials)
        assert reached[1] == 54
        assert 9 <= reached[9] <= 12


class TestAshaWithBrackets(ScheduleContract):
    schedule = "asha"
    options: ClassVar = {"brackets": 3}

    def test_each_bracket_begins_at_a_rung_of_its_own(self) -> None:
        history = self.simulation(budget={"trials": 36}).run()
        began = Counter(trial.evaluations[0].budget for trial in history.trials)
        assert sorted(began) == [1, 3, 9]
        assert began[1] > began[3] > began[9]


def at_first_rung(*losses: float) -> History:
    spec = study({"a": {"min": 1, "max": 99, "int": True}}, fidelity={"schedule": "asha", "min": 1, "max": 9})
    trials = [
        Trial(
            number=number,
            configuration={"a": number + 1},
            seed=0,
            state=TrialState.PAUSED,
            budget=1,
            to_budget=1,
            evaluations=(Evaluation(budget=1, metrics={"loss": loss}),),
        )
        for number, loss in enumerate(losses)
    ]
    return History(spec=spec, trials=tuple(trials))


def test_asha_promotes_nobody_of_two() -> None:
    history = at_first_rung(0.5, 0.1)
    assert AshaSchedule(history.spec).decide(history, True) == Begin(to_budget=1)


def test_asha_promotes_the_best_of_three() -> None:
    history = at_first_rung(0.5, 0.1, 0.3)
    assert AshaSchedule(history.spec).decide(history, True) == Continue(trial=1, to_budget=3)


def test_asha_promotes_whoever_is_paused_among_the_best() -> None:
    history = at_first_rung(0.5, 0.1, 0.3, 0.2, 0.6, 0.7)
    climbed = history.trials[1].model_copy(update={"state": TrialState.RUNNING, "to_budget": 3})
    trials = (history.trials[0], climbed, *history.trials[2:])
    history = History(spec=history.spec, trials=trials)
    assert AshaSchedule(history.spec).decide(history, True) == Continue(trial=3, to_budget=3)


def test_too_few_trials_still_send_their_best_to_the_end() -> None:
    history = at_first_rung(0.5, 0.1)
    assert AshaSchedule(history.spec).decide(history, False) == Continue(trial=1, to_budget=3)


def test_nobody_is_sent_while_another_runs_or_one_came_to_the_end() -> None:
    history = at_first_rung(0.5, 0.1)
    for state in (TrialState.RUNNING, TrialState.COMPLETED):
        first = history.trials[0].model_copy(update={"state": state, "to_budget": 9})
        later = History(spec=history.spec, trials=(first, history.trials[1]))
        assert isinstance(AshaSchedule(history.spec).decide(later, False), Wait | Done)


def test_who_breaks_a_constraint_climbs_last() -> None:
    spec = study(
        {"a": {"min": 1, "max": 99, "int": True}},
        fidelity={"schedule": "asha", "min": 1, "max": 9},
        constraints=({"metric": "size", "max": 5.0},),
    )

    def trial(number: int, **metrics: float) -> Trial:
        evaluations = (Evaluation(budget=1, metrics=metrics),)
        here = {"configuration": {"a": number + 1}, "budget": 1, "to_budget": 1, "evaluations": evaluations}
        return Trial(number=number, seed=0, state=TrialState.PAUSED, **here)

    large = History(spec=spec, trials=(trial(0, loss=0.1, size=6.0), trial(1, loss=0.3, size=5.0), trial(2, loss=0.5)))
    assert AshaSchedule(spec).decide(large, True) == Continue(trial=1, to_budget=3)
    unmeasured = History(spec=spec, trials=(trial(0, loss=0.4, size=6.0), trial(1, loss=0.3), trial(2, loss=0.5)))
    assert AshaSchedule(spec).decide(unmeasured, True) == Continue(trial=1, to_budget=3)


@pytest.mark.parametrize(
    ("method", "budget", "n_whole", "n_low", "first"),
    [
        ("bayes", {"epochs": 900}, 0, 8, 1),
        ("bayes", {"epochs": 900}, 0, 9, 9),
        ("bayes", {"epochs": 900}, 3, 26, 1),
        ("bayes", {"epochs": 900}, 14, 9, 9),
        ("bayes", {"trials": 900}, 14, 9, 1),
        ("random", {"epochs": 900}, 14, 9, 1),
    ],
)
def test_whole_trainings_get_half_and_all_at_the_end(
    method: str, budget: dict[str, int], n_whole: int, n_low: int, first: int
) -> None:
    fidelity = {"schedule": "asha", "min": 1, "max": 9}
    spec = study(search={"method": method}, fidelity=fidelity, budget=budget)

    def ended(number: int, at: int) -> Trial:
        evaluations = (Evaluation(budget=at, metrics={"loss": 1.0}),)
        return Trial(
            number=number, configuration={}, seed=0, state=TrialState.STOPPED, budget=at, evaluations=evaluations
        )

    trials = tuple(ended(number, 9 if number < n_whole else 1) for number in range(n_whole + n_low))
    # Of the low ones nobody climbs: all are stopped.
    assert AshaSchedule(spec).decide(History(spec=spec, trials=trials), True) == Begin(to_budget=first)
