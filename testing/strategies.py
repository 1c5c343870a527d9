"""What every strategy keeps; a new strategy's test inherits this class and says how a study asks for it."""

import json
from typing import Any, ClassVar

import numpy as np
import pytest

from pegbox.schemas.decision import Done, Wait
from pegbox.schemas.history import History
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Objective, Outcome, Simulation
from pegbox.testing.studies import (
    MIXED,
    bowl,
    equal_loss,
    failing,
    loss_now_and_then,
    loss_of_any_size,
    study,
)


class StrategyContract:
    """Inherit, set `search` (and `fidelity`), done."""

    search: ClassVar[dict[str, Any]]
    fidelity: ClassVar[dict[str, Any]] = {}
    space: ClassVar[dict[str, Any]] = MIXED

    def simulation(self, objective: Any = bowl, workers: int = 1, **changes: Any) -> Simulation:
        spec = study(
            self.space,
            **{"search": self.search, "fidelity": self.fidelity, "budget": {"trials": 12, "failures": None}} | changes,
        )
        return Simulation(strategy_for(spec), History(spec=spec), objective, workers)

    @pytest.mark.parametrize("workers", [1, 4, 8])
    def test_a_study_ends_with_nothing_running(self, workers: int) -> None:
        simulation = self.simulation(workers=workers)
        history = simulation.run(max_steps=150)
        assert simulation.done is not None
        assert len(history.trials) == 12
        assert not history.running

    def test_free_workers_never_get_the_same_configuration(self) -> None:
        history = self.simulation(workers=8).run(max_steps=150)
        keys = {json.dumps(dict(trial.configuration), sort_keys=True) for trial in history.trials}
        assert len(keys) == len(history.trials)

    def test_a_running_trial_is_never_continued(self) -> None:
        simulation = self.simulation(workers=8)
        for _ in range(20):
            history = simulation.run(max_steps=1)
            decision = strategy_for(history.spec).next(history, np.random.default_rng(1))
            running = {trial.number for trial in history.running}
            assert getattr(decision, "trial", None) not in running

    @pytest.mark.parametrize("answer", [loss_of_any_size, equal_loss, loss_now_and_then])
    def test_a_study_of_odd_values_ends(self, answer: Objective) -> None:
        simulation = self.simulation(answer, workers=4)
        history = simulation.run(max_steps=150)
        assert simulation.done is not None
        assert len(history.trials) == 12

    def test_epochs_are_never_overdrawn(self) -> None:
        history = self.simulation(workers=4, budget={"epochs": 50}).run(max_steps=150)
        assert sum(trial.budget for trial in history.trials) <= 50

    def test_known_configurations_come_first(self) -> None:
        known = dict(self.simulation().run(max_steps=20).trials[2].configuration)
        history = self.simulation(search={**self.search, "enqueue": [known]}).run(max_steps=1)
        assert dict(history.trials[0].configuration) == known

    def test_a_study_that_only_fails_ends(self) -> None:
        simulation = self.simulation(failing)
        assert len(simulation.run(max_steps=150).failed) == 12

    def test_values_that_are_never_measured_end_too(self) -> None:
        simulation = self.simulation(lambda *_: Outcome({}), workers=2)
        simulation.run(max_steps=150)
        assert simulation.done is not None

    def test_a_finished_study_stays_finished(self) -> None:
        history = self.simulation().run(max_steps=150)
        assert isinstance(strategy_for(history.spec).next(history, np.random.default_rng(5)), Done)

    def test_it_waits_only_while_a_trial_runs(self) -> None:
        simulation = self.simulation(workers=3)
        for _ in range(12):
            history = simulation.run(max_steps=1)
            decision = strategy_for(history.spec).next(history, np.random.default_rng([0, history.n_decisions]))
            assert not isinstance(decision, Wait) or history.running

    def test_a_resumed_study_decides_as_an_uninterrupted_one(self) -> None:
        whole = self.simulation().run(max_steps=150)
        half = self.simulation().run(max_steps=9)
        resumed = Simulation(strategy_for(half.spec), half, bowl).run(max_steps=150)
        assert [trial.configuration for trial in resumed.trials] == [trial.configuration for trial in whole.trials]
        assert [trial.budget for trial in resumed.trials] == [trial.budget for trial in whole.trials]

    def test_deciding_changes_nothing(self) -> None:
        history = self.simulation(workers=3).run(max_steps=8)
        before = history.model_dump_json()
        strategy_for(history.spec).next(history, np.random.default_rng(0))
        assert history.model_dump_json() == before
