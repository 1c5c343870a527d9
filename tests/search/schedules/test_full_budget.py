"""The schedule without rungs."""

from pegbox.testing.schedules import ScheduleContract


class TestFullSchedule(ScheduleContract):
    schedule = "full"

    def test_every_trial_is_trained_to_the_end_at_once(self) -> None:
        history = self.simulation().run()
        assert {len(trial.evaluations) for trial in history.trials} == {1}
        assert {trial.budget for trial in history.trials} == {9}
