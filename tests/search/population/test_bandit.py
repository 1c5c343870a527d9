"""PB2: a model of what helped when chooses what copies are trained with."""

import numpy as np
import pytest
from tests.search.population.simulated_population import SPACE, SimulatedPopulation, population_study

from pegbox.search.population.bandit import FEWEST_STEPS, TimeVaryingBandit, _steps
from pegbox.search.space.encoding import SpaceEncoding

RATE = {"lr": SPACE["lr"]}


def test_steps_are_those_whose_beginning_was_measured() -> None:
    history = SimulatedPopulation(population_study()).run(max_steps=18)
    steps = list(_steps(history))
    assert len(steps) == sum(len(t.evaluations) - (t.parent is None) for t in history.trials if t.evaluations)
    assert all(step.begin < step.end and step.after < step.before for step in steps)


def test_copy_gets_a_rate_near_the_one_that_helped_most() -> None:
    history = SimulatedPopulation(population_study(space=RATE)).run(max_steps=18)
    encoding = SpaceEncoding(history.space)
    parent = min((t for t in history.trials if t.value("val_loss", 9)), key=lambda t: t.value("val_loss", 9) or 1)
    bandit = TimeVaryingBandit(encoding, ("lr",))
    rates = [float(bandit.explore(history, parent, 9, np.random.default_rng(n))["lr"]) for n in range(5)]  # type: ignore[arg-type]
    # The best rate of the tenth epoch is 0.3 * 0.6^9 = 0.003; a draw from the whole range has 0.01 in its middle.
    assert max(rates) < 0.02


def test_first_copies_are_drawn_anew_and_keep_what_is_fixed() -> None:
    history = SimulatedPopulation(population_study("pb2")).run(max_steps=6)
    assert len(list(_steps(history))) < FEWEST_STEPS
    bandit = TimeVaryingBandit(SpaceEncoding(history.space), ("lr", "dropout", "momentum"))
    parent = history.trials[1]
    changed = bandit.explore(history, parent, 3, np.random.default_rng(0))
    assert changed["units"] == parent.configuration["units"]
    assert changed["lr"] != parent.configuration["lr"]


@pytest.mark.parametrize("workers", [1, 3])
def test_population_comes_to_its_end_and_the_same_again(workers: int) -> None:
    first = SimulatedPopulation(population_study("pb2"), workers).run()
    assert len(first.completed) == 6
    assert SimulatedPopulation(population_study("pb2"), workers).run().trials == first.trials
