"""Ending a search by what it can still be expected to gain."""

from typing import Any

import numpy as np

from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.studies import bowl, study

PLANE = {"a": {"min": 0.0, "max": 1.0}, "b": {"min": 0.0, "max": 1.0}}


def searched(answer: Any = bowl, **changes: Any) -> Simulation:
    spec = study(PLANE, **{"search": {"method": "sobol"}, **changes})
    simulation = Simulation(strategy_for(spec), History(spec=spec), answer)
    simulation.run(max_steps=500)
    return simulation


def noisy(noise: float, waves: float = 0.0) -> Any:
    rng = np.random.default_rng(0)

    def answer(configuration: dict[str, float], *_: Any) -> Outcome:
        value = (configuration["a"] - 0.3) ** 2 + (configuration["b"] - 0.6) ** 2
        value += waves * np.sin(9 * configuration["a"]) * np.sin(9 * configuration["b"])
        return Outcome({"loss": value + noise * rng.standard_normal()})

    return answer


def test_search_ends_where_gains_would_drown_in_the_noise() -> None:
    simulation = searched(noisy(0.1), budget={"trials": 200, "improvement": "noise"})
    assert simulation.done is not None
    assert "less than its noise of" in simulation.done.reason
    assert 20 <= len(simulation.history.completed) < 60


def test_less_noise_lets_the_search_go_on_for_longer() -> None:
    # Waves, because a bowl alone is known after twenty trials.
    rough = searched(noisy(0.1, waves=0.2), budget={"trials": 80, "improvement": "noise"})
    fine = searched(noisy(0.001, waves=0.2), budget={"trials": 80, "improvement": "noise"})
    assert len(fine.history.completed) > len(rough.history.completed)


def test_search_ends_below_the_improvement_that_is_asked_for() -> None:
    simulation = searched(noisy(0.0), budget={"trials": 100, "improvement": 0.01})
    assert simulation.done is not None
    assert "less than the 0.01 that the study asks for" in simulation.done.reason


def test_noise_over_fresh_seeds_counts_where_it_is_known() -> None:
    simulation = searched(noisy(0.1), budget={"trials": 21})
    exact = tuple(Evaluation(budget=27, metrics={"loss": 0.5 + 1e-6 * seed}, replicate=seed) for seed in range(3))
    trials = list(simulation.history.trials)
    trials[0] = trials[0].model_copy(update={"replicates": exact})
    spec = study(PLANE, search={"method": "sobol"}, budget={"trials": 40, "improvement": "noise"})
    known = History(spec=spec, trials=tuple(trials), n_decisions=simulation.history.n_decisions)
    assert len(Simulation(strategy_for(spec), known, noisy(0.1)).run().trials) == 40


def test_values_that_are_all_equal_end_the_search() -> None:
    simulation = searched(lambda *_: Outcome({"loss": 1.0}), budget={"trials": 50, "improvement": 0.1})
    assert simulation.done is not None
    assert simulation.done.reason == "All 20 values of loss are the same: there is nothing to gain."


def test_improvement_of_several_objectives_is_refused() -> None:
    objectives = [{"metric": "loss"}, {"metric": "cost"}]
    spec = study(PLANE, objective=None, objectives=objectives, budget={"trials": 9, "improvement": 0.1})
    (problem,) = check_search(spec)
    assert problem.path == ("budget", "improvement")
