"""What a history tells a model."""

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.methods import strategy_for
from pegbox.search.model.observations import Observations, Observer
from pegbox.search.simulation import Outcome, Simulation
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.trial_cache import SIZE
from pegbox.testing.studies import bowl, failing, finished, study

SPEC = study({"x": {"min": 0.0, "max": 1.0}})


def observe(history: History) -> Observations:
    return Observer(SpaceEncoding(history.space)).observe(history)


def test_completed_trials_are_values_and_failed_ones_are_not() -> None:
    seen = observe(finished(SPEC, [{"x": 0.1}, {"x": 0.2}, {"x": 0.3}], [0.5, None, 0.7]))
    assert seen.points[:, 0].tolist() == [0.1, 0.3]
    assert seen.losses[:, 0].tolist() == [0.5, 0.7]
    assert seen.failed[:, 0].tolist() == [0.2]


def test_maximised_values_are_turned_over() -> None:
    spec = study({"x": {"min": 0.0, "max": 1.0}}, objective={"metric": "loss", "goal": "maximize"})
    assert observe(finished(spec, [{"x": 0.1}], [0.5])).losses.tolist() == [[-0.5]]


def test_a_running_trial_is_pending_at_its_target() -> None:
    trial = Trial(number=0, configuration={"x": 0.4}, seed=0, state=TrialState.RUNNING, to_budget=9)
    seen = observe(History(spec=SPEC, trials=(trial,)))
    assert seen.pending[:, 0].tolist() == [0.4]
    assert seen.pending_budgets.tolist() == [9.0]


def test_a_trial_that_patience_ended_counts_at_the_full_budget() -> None:
    evaluation = Evaluation(budget=4, metrics={"loss": 0.5})
    trial = Trial(
        number=0, configuration={"x": 0.4}, seed=0, state=TrialState.COMPLETED, budget=4, evaluations=(evaluation,)
    )
    assert observe(History(spec=SPEC, trials=(trial,))).budgets.tolist() == [9.0]


def test_a_completed_trial_without_the_metric_counts_as_failed() -> None:
    evaluation = Evaluation(budget=9, metrics={"other": 0.5})
    trial = Trial(
        number=0, configuration={"x": 0.4}, seed=0, state=TrialState.COMPLETED, budget=9, evaluations=(evaluation,)
    )
    assert observe(History(spec=SPEC, trials=(trial,))).failed[:, 0].tolist() == [0.4]


def test_trials_below_the_full_budget_are_unfinished() -> None:
    spec = study(SPEC.space.model_dump(), search={"method": "random"}, fidelity={"schedule": "asha", "max": 9})
    history = Simulation(strategy_for(spec), History(spec=spec), bowl).run()
    below = [trial for trial in history.trials if trial.budget < 9]
    assert len(observe(history).unfinished(9.0)) == len(below) > 0


def test_an_observer_that_saw_another_history_forgets_it() -> None:
    observer = Observer(SpaceEncoding(SPEC.space))
    observer.observe(finished(SPEC, [{"x": 0.9}, {"x": 0.8}], [0.1, 0.2]))
    np.testing.assert_array_equal(observer.observe(finished(SPEC, [{"x": 0.1}], [0.5])).points, [[0.1]])


def test_a_limit_that_fresh_seeds_break_is_broken_at_the_last_rung() -> None:
    spec = study({"x": {"min": 0.0, "max": 1.0}}, constraints=({"metric": "size", "max": 1},))
    rungs = tuple(Evaluation(budget=budget, metrics={"loss": 0.5, "size": 1.0}) for budget in (3, 9))
    fresh = Evaluation(budget=9, metrics={"loss": 0.5, "size": 4.0}, replicate=0)
    trial = Trial(
        number=0, configuration={"x": 0.4}, seed=0, state=TrialState.COMPLETED, budget=9, evaluations=rungs,
        replicates=(fresh,),
    )  # fmt: skip
    assert observe(History(spec=spec, trials=(trial,))).violations.tolist() == [[0.0], [3.0]]


def test_following_a_study_gives_the_arrays_of_a_first_look() -> None:
    # More trials than a block holds, promotions that change early blocks, and failures.
    def answer(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
        return failing(configuration, from_budget, to_budget) if configuration["x"] < 0.1 else bowl(configuration, 0, 9)

    fidelity, budget = {"schedule": "asha", "max": 9}, {"trials": SIZE + 30}
    spec = study(SPEC.space.model_dump(), search={"method": "random"}, fidelity=fidelity, budget=budget)
    simulation, following = (
        Simulation(strategy_for(spec), History(spec=spec), answer, 3),
        Observer(SpaceEncoding(spec.space)),
    )
    while not simulation.done:
        seen, first_look = following.observe(simulation.run(60)), observe(simulation.history)
        assert all(np.array_equal(old, new) for old, new in zip(seen, first_look, strict=True))
    assert len(seen.failed) > 0
    assert len(seen.points) > SIZE


def test_a_finalist_counts_with_all_of_its_trainings() -> None:
    history = finished(SPEC, [{"x": 0.1}, {"x": 0.2}], [0.5, 0.6])
    fresh = tuple(Evaluation(budget=1, metrics={"loss": value}, seconds=1.0, replicate=0) for value in (0.7, 0.9))
    first = history.trials[0]
    assert observe(history).repeated() is None
    seen = observe(
        history.model_copy(update={"trials": (first.model_copy(update={"replicates": fresh}), history.trials[1])})
    )
    np.testing.assert_allclose(seen.losses[:, 0], [0.7, 0.6])
    repeats = seen.repeated()
    assert repeats is not None
    assert repeats.counts.tolist() == [3.0, 1.0]
    np.testing.assert_allclose(repeats.squares, [0.08, 0.0], atol=1e-12)
