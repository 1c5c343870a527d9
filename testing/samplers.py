"""What every sampler keeps; a new sampler's test inherits this class and names its method."""

from typing import Any, ClassVar

import numpy as np
import pytest

from pegbox.schemas.errors import SpaceExhaustedError
from pegbox.schemas.history import History
from pegbox.search.methods import sampler_for, strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.studies import bowl, ended, failing, finished, study

UNIT = {"min": 0.0, "max": 1.0}


class SamplerContract:
    """Inherit, set `method` (and `options`), done."""

    method: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}

    def search(self, seed: int = 0) -> dict[str, Any]:
        return {"method": self.method, "options": self.options, "seed": seed}

    def run(
        self, space: dict[str, Any] | None = None, trials: int = 16, objective: Any = bowl, **changes: Any
    ) -> History:
        workers = changes.pop("workers", 1)
        spec = study(space, search=self.search(), budget={"trials": trials, "failures": None}, **changes)
        return Simulation(strategy_for(spec), History(spec=spec), objective, workers).run()

    def propose(self, history: History, count: int = 1, seed: int = 0) -> list[Any]:
        return sampler_for(history.spec).propose(history, count, np.random.default_rng(seed))

    def test_every_proposal_belongs_to_the_space(self) -> None:
        history = self.run(trials=24)
        assert len(history.trials) == 24
        assert all(history.space.contains(trial.configuration) for trial in history.trials)

    def test_no_configuration_is_tried_twice(self) -> None:
        history = self.run({"a": {"min": 1, "max": 4, "int": True}, "b": ["x", "y", "z"]}, trials=12)
        assert len({tuple(trial.configuration.values()) for trial in history.trials}) == 12

    def test_a_finite_space_is_tried_to_its_last_configuration(self) -> None:
        space = {"a": ["x", "y"], "b": {"min": 1, "max": 3, "int": True, "when": {"a": "x"}}}
        history = self.run(space, trials=10)
        assert len(history.trials) == 4

    def test_an_exhausted_space_is_an_error(self) -> None:
        spec = study({"a": [1, 2]}, search=self.search())
        with pytest.raises(SpaceExhaustedError, match="2 configurations"):
            self.propose(finished(spec, [{"a": 1}, {"a": 2}], [0.1, 0.2]))

    def test_the_same_history_and_seed_give_the_same_proposal(self) -> None:
        history = self.run(trials=14)
        assert self.propose(history) == self.propose(history)

    def test_a_sampler_that_saw_other_histories_proposes_the_same(self) -> None:
        history = self.run(trials=14)
        sampler = sampler_for(history.spec)
        sampler.propose(self.run(trials=13, objective=failing), 1, np.random.default_rng(1))
        sampler.propose(history, 2, np.random.default_rng(2))
        assert sampler.propose(history, 1, np.random.default_rng(0)) == self.propose(history)

    def test_the_order_in_which_trials_end_makes_no_difference(self) -> None:
        spec = study(search=self.search(), budget={"trials": 20})
        history = Simulation(strategy_for(spec), History(spec=spec), bowl, workers=3).run(max_steps=12)
        ends = [ended(trial) for trial in history.running]
        assert self.propose(history.after(*ends)) == self.propose(history.after(*reversed(ends)))

    def test_proposing_changes_nothing(self) -> None:
        history = self.run(trials=14)
        before = history.model_dump_json()
        self.propose(history, 3)
        assert history.model_dump_json() == before

    def test_several_proposals_differ(self) -> None:
        history = self.run(trials=14)
        first, second, third = self.propose(history, 3)
        assert first != second != third != first

    def test_running_trials_are_not_proposed_again(self) -> None:
        history = self.run({"a": {"min": 1, "max": 12, "int": True}}, trials=12, workers=6)
        assert sorted(int(str(trial.configuration["a"])) for trial in history.trials) == list(range(1, 13))

    def test_a_study_that_only_fails_still_gets_proposals(self) -> None:
        history = self.run(trials=16, objective=failing)
        assert len(history.failed) == 16

    def test_equal_values_are_no_obstacle(self) -> None:
        history = self.run(trials=18, objective=lambda *_: Outcome({"loss": 1.0, "size": 1.0}))
        assert len(history.completed) == 18

    def test_a_value_that_was_not_measured_is_no_obstacle(self) -> None:
        history = self.run(trials=16, objective=lambda c, *_: Outcome({} if c["layers"] == 2 else {"loss": 1.0}))
        assert len(history.completed) == 16

    def test_enormous_values_are_no_obstacle(self) -> None:
        history = self.run(
            trials=18, objective=lambda c, *_: Outcome({"loss": 1e30 if c["dropout"] > 0.3 else float(c["lr"])})
        )
        assert len(history.completed) == 18

    def test_one_value_far_below_the_rest_is_no_obstacle(self) -> None:
        history = self.run(
            trials=18, objective=lambda c, *_: Outcome({"loss": -1e30 if c["dropout"] < 0.1 else float(c["lr"])})
        )
        assert len(history.completed) == 18

    def test_a_space_of_one_point_is_tried_once(self) -> None:
        history = self.run({"a": 3, "b": ["only"]}, trials=5)
        assert [dict(trial.configuration) for trial in history.trials] == [{"a": 3, "b": "only"}]

    def test_ten_thousand_choices_are_no_obstacle(self) -> None:
        history = self.run({"a": [f"c{number}" for number in range(10_000)]}, trials=14)
        assert len({trial.configuration["a"] for trial in history.trials}) == 14

    def test_fifty_dimensions_are_no_obstacle(self) -> None:
        history = self.run({f"x{number}": UNIT for number in range(50)}, trials=14)
        assert len(history.completed) == 14

    def test_twelve_decades_are_searched_on_their_scale(self) -> None:
        history = self.run({"a": {"min": 1e-12, "max": 1.0, "log": True}}, trials=20)
        assert min(float(str(trial.configuration["a"])) for trial in history.trials) < 1e-6

    def test_maximising_mirrors_minimising(self) -> None:
        space = {"x": UNIT, "y": UNIT}
        low = self.run(space, objective=lambda c, *_: Outcome({"loss": (c["x"] - 0.3) ** 2 + c["y"]}))
        high = self.run(
            space,
            objective=lambda c, *_: Outcome({"loss": -((c["x"] - 0.3) ** 2) - c["y"]}),
            objectives=({"metric": "loss", "goal": "maximize"},),
        )
        assert [t.configuration for t in low.trials] == [t.configuration for t in high.trials]

    def test_several_objectives_are_no_obstacle(self) -> None:
        history = self.run(trials=16, objectives=({"metric": "loss"}, {"metric": "size", "goal": "maximize"}))
        assert len(history.completed) == 16
