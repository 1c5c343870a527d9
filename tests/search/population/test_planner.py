"""Population based training: who is replaced by whom, and what stays as it was."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.search.population.simulated_population import SimulatedPopulation, population_study

from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial, TrialState
from pegbox.search.limits import committed
from pegbox.search.population.members import Population

FIXED = ("units", "optimizer")


def run(workers: int = 1, failing: tuple[int, ...] = (), **changes: object) -> History:
    return SimulatedPopulation(population_study(**changes), workers, failing).run()  # type: ignore[arg-type]


def copies(history: History) -> list[Trial]:
    return [trial for trial in history.trials if trial.parent is not None]


def best_loss(history: History) -> float:
    return min(trial.value("val_loss") or 1.0 for trial in history.completed)


def test_every_member_is_trained_to_the_full_budget() -> None:
    history = run()
    assert len(Population(history).members) == 6
    assert [member.state for member in Population(history).members] == [TrialState.COMPLETED] * 6


def test_population_costs_what_its_members_cost() -> None:
    assert sum(committed(trial) for trial in run().trials) == 72


def test_the_worst_quarter_is_replaced_each_time() -> None:
    replaced = Counter(trial.inherited for trial in copies(run()))
    assert replaced == {3: 2, 6: 2, 9: 2}


def test_copy_goes_on_from_one_of_the_best() -> None:
    history = run()
    for copy in copies(history):
        parent, replaced = history.trials[copy.parent or 0], history.trials[copy.replaces or 0]
        at = copy.inherited
        assert parent.value("val_loss", at) < replaced.value("val_loss", at)  # type: ignore[operator]


def test_copy_keeps_what_defines_the_network() -> None:
    history = run()
    for copy in copies(history):
        parent = history.trials[copy.parent or 0]
        assert [copy.configuration[name] for name in FIXED] == [parent.configuration[name] for name in FIXED]
        assert copy.configuration["lr"] != parent.configuration["lr"]


def test_copy_goes_on_with_the_random_numbers_of_its_parent() -> None:
    history = run()
    assert all(copy.seed == history.trials[copy.parent or 0].seed for copy in copies(history))


def test_schedule_is_that_of_all_ancestors() -> None:
    history = run()
    last = copies(history)[-1]
    assert [stage.to_budget for stage in last.schedule][-2:] == [last.inherited, 12]
    assert last.earlier[-1].configuration == history.trials[last.parent or 0].configuration


def test_population_finds_a_better_schedule_than_its_members_alone() -> None:
    still = run(options={"burn_in": 11})
    assert copies(still) == []
    assert min(t.value("val_loss") or 1 for t in run().completed) < min(
        t.value("val_loss") or 1 for t in still.completed
    )


def test_failed_member_is_replaced_by_a_copy_of_a_good_one() -> None:
    history = run(failing=(2,))
    assert history.trials[2].state is TrialState.FAILED
    assert [trial.replaces for trial in copies(history)].count(2) == 1
    assert len(history.completed) == 6


def test_place_whose_copies_fail_as_well_is_given_up() -> None:
    history = run(failing=(2, *range(6, 30)))
    given_up = [member for member in Population(history).members if member.state is TrialState.FAILED]
    assert {history.trials[member.replaces or 0].state for member in given_up} == {TrialState.FAILED}
    assert len(history.trials) < 20


def test_population_of_failures_ends() -> None:
    simulation = SimulatedPopulation(population_study(), failing=tuple(range(30)))
    assert len(simulation.run().failed) == 6
    assert simulation.done is not None


def test_failure_of_a_later_stretch_leaves_the_best_their_epochs() -> None:
    history = run(failing=(6, 7, 8))
    assert sum(committed(trial) for trial in history.trials) <= 72
    best = min(history.trials, key=lambda trial: (-trial.budget, trial.value("val_loss") or 9))
    assert best.state is TrialState.COMPLETED


def test_no_copy_is_made_beyond_the_budget_of_trials() -> None:
    history = run(budget={"trials": 7})
    assert len(history.trials) == 7
    assert len(history.completed) == 6


def test_space_of_fewer_values_than_members_is_no_obstacle() -> None:
    history = run(space={"lr": {"values": [0.01, 0.1], "ordered": True}})
    assert len(history.completed) == 6


@settings(max_examples=25)
@given(
    workers=st.integers(1, 9),
    population=st.integers(2, 9),
    interval=st.integers(1, 11),
    quantile=st.floats(0.05, 0.5),
    failing=st.sets(st.integers(0, 12), max_size=4),
)
def test_any_population_comes_to_its_end(
    workers: int, population: int, interval: int, quantile: float, failing: set[int]
) -> None:
    spec = population_study(
        options={"population": population, "interval": interval, "quantile": quantile},
        budget={"epochs": 12 * population},
    )
    simulation = SimulatedPopulation(spec, workers, tuple(failing))
    history = simulation.run()
    assert simulation.done is not None
    assert sum(committed(trial) for trial in history.trials) <= 12 * population
    assert len(Population(history).members) == population
    assert history.completed or history.failed
    for trial in history.trials:
        assert history.space.contains(trial.configuration)
        assert all(one.budget > trial.inherited for one in trial.evaluations)


@pytest.mark.parametrize("workers", [1, 4])
def test_search_that_was_cut_off_goes_on_as_if_it_had_not_been(workers: int) -> None:
    whole = SimulatedPopulation(population_study(), workers)
    whole.run()
    again = SimulatedPopulation(population_study(), workers)
    again.run(max_steps=9)
    # The strategy is made anew, as a resumed run does; the simulated workers go on.
    again._strategy = SimulatedPopulation(population_study())._strategy
    assert again.run().trials == whole.history.trials
