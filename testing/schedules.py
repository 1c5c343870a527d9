"""What every schedule keeps; a new schedule's test inherits this class and names it."""

from typing import Any, ClassVar

import numpy as np
import pytest

from pegbox.schemas.decision import Wait
from pegbox.schemas.history import History
from pegbox.schemas.trial import TrialState
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.studies import bowl, failing, study


class ScheduleContract:
    """Inherit, set `schedule` (and `options`), done."""

    schedule: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}

    def simulation(self, objective: Any = bowl, workers: int = 1, **changes: Any) -> Simulation:
        fidelity = {"schedule": self.schedule, "min": 1, "max": 9, "options": self.options}
        settings = {"search": {"method": "random"}, "fidelity": fidelity, "budget": {"trials": 30}} | changes
        spec = study(None, **settings)
        return Simulation(strategy_for(spec), History(spec=spec), objective, workers)

    @pytest.mark.parametrize("workers", [1, 3, 8])
    def test_a_study_ends_with_a_completed_trial_and_nothing_running(self, workers: int) -> None:
        simulation = self.simulation(workers=workers)
        history = simulation.run(max_steps=200)
        assert simulation.done is not None
        assert history.completed
        assert not history.running

    def test_the_limit_of_trials_is_kept(self) -> None:
        history = self.simulation(workers=4).run(max_steps=200)
        assert len(history.trials) == 30

    def test_epochs_are_never_overdrawn(self) -> None:
        history = self.simulation(workers=4, budget={"epochs": 70}).run(max_steps=200)
        assert sum(trial.budget for trial in history.trials) <= 70

    def test_budgets_only_rise(self) -> None:
        history = self.simulation().run(max_steps=200)
        budgets = [[evaluation.budget for evaluation in trial.evaluations] for trial in history.trials]
        assert all(budget == sorted(set(budget)) for budget in budgets)

    def test_a_study_that_only_fails_ends(self) -> None:
        simulation = self.simulation(failing, workers=3)
        history = simulation.run(max_steps=200)
        assert simulation.done is not None
        assert all(trial.state is TrialState.FAILED for trial in history.trials)

    def test_missing_values_never_stop_the_study(self) -> None:
        simulation = self.simulation(lambda *_: Outcome({}), workers=3)
        simulation.run(max_steps=300)
        assert simulation.done is not None

    def test_equal_values_never_stop_the_study(self) -> None:
        simulation = self.simulation(lambda *_: Outcome({"loss": 1.0}), workers=3)
        assert simulation.run(max_steps=300).completed

    def test_several_objectives_are_ranked_together(self) -> None:
        objectives = ({"metric": "loss"}, {"metric": "size", "goal": "maximize"})
        assert self.simulation(objectives=objectives, workers=2).run(max_steps=300).completed

    def test_a_full_budget_of_one_epoch_is_one_rung(self) -> None:
        fidelity = {"schedule": self.schedule, "min": 1, "max": 1, "options": self.options}
        history = self.simulation(fidelity=fidelity).run(max_steps=200)
        assert {trial.budget for trial in history.trials} == {1}

    def test_it_waits_only_while_a_trial_runs(self) -> None:
        simulation = self.simulation(workers=3)
        for _ in range(40):
            history = simulation.run(max_steps=1)
            rng = np.random.default_rng([0, history.n_decisions])
            decision = strategy_for(history.spec).next(history, rng)
            assert not isinstance(decision, Wait) or history.running

    def test_a_fresh_strategy_decides_the_same(self) -> None:
        simulation = self.simulation(workers=3)
        history = simulation.run(max_steps=25)
        decisions = [strategy_for(history.spec).next(history, np.random.default_rng(0)) for _ in range(2)]
        assert decisions[0] == decisions[1]
