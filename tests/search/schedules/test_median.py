"""The median rule."""

from pegbox.schemas.trial import TrialState
from pegbox.search.simulation import Outcome
from pegbox.testing.schedules import ScheduleContract


class TestMedianSchedule(ScheduleContract):
    schedule = "median"

    def test_roughly_half_of_the_later_trials_are_stopped(self) -> None:
        history = self.simulation(budget={"trials": 60}).run()
        stopped = [trial for trial in history.trials if trial.state is TrialState.STOPPED]
        assert 15 < len(stopped) < 50

    def test_equal_trials_are_never_stopped(self) -> None:
        history = self.simulation(lambda *_: Outcome({"loss": 1.0})).run()
        assert len(history.completed) == 30

    def test_nobody_is_stopped_while_it_warms_up(self) -> None:
        history = self.simulation(budget={"trials": 5}).run()
        assert len(history.completed) == 5

    def test_who_breaks_a_constraint_is_stopped_though_its_loss_is_low(self) -> None:
        # The lower the loss the larger: the best three quarters break the limit, so that nobody else is stopped.
        limited = {"constraints": ({"metric": "size", "max": 1e-4},), "budget": {"trials": 40}}
        history = self.simulation(lambda c, *_: Outcome({"loss": -c["lr"], "size": c["lr"]}), **limited).run()
        stopped = [trial for trial in history.trials if trial.state is TrialState.STOPPED]
        assert len(stopped) > 5
        assert all(trial.configuration["lr"] > 1e-4 for trial in stopped)
