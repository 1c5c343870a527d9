"""Learning from earlier studies, and from a user's guesses."""

from typing import Any

import numpy as np

from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.model.budget_surrogate import SurrogateBuilder
from pegbox.search.model.observations import Observer
from pegbox.search.model.warm_start_mean import WarmStartMean, confirmed, trust
from pegbox.search.simulation import Outcome, Simulation
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.testing.studies import finished, study

SPACE = {name: {"min": 0.0, "max": 1.0} for name in ("x", "y", "z")}


def bowl_at(x: float) -> Any:
    return lambda c, *_: Outcome({"loss": (c["x"] - x) ** 2 + (c["y"] - 0.2) ** 2 + (c["z"] - 0.9) ** 2})


def run(answer: Any, trials: int, earlier: tuple[History, ...] = (), space: dict[str, Any] | None = None) -> History:
    spec = study(space or SPACE, search={"method": "bayes"}, budget={"trials": trials})
    return Simulation(strategy_for(spec, earlier), History(spec=spec), answer).run()


def best(history: History, first: int) -> float:
    return min(trial.value("loss") or 0.0 for trial in history.trials[:first])


def test_a_study_like_an_earlier_one_begins_where_that_ended() -> None:
    earlier = run(bowl_at(0.7), 25)
    assert best(run(bowl_at(0.65), 5, (earlier,)), 5) < 0.25 * best(run(bowl_at(0.65), 5), 5)


def test_a_misleading_past_loses_its_weight() -> None:
    earlier = run(lambda c, *_: Outcome({"loss": -bowl_at(0.7)(c).result["loss"]}), 25)
    assert best(run(bowl_at(0.7), 25, (earlier,)), 25) < 0.01


def test_trust_follows_the_slope_that_the_values_confirm() -> None:
    means = np.linspace(-2, 2, 20)
    assert trust(means, means) > 0.95
    assert trust(means, -means) == 0.0
    assert trust(means[:2] / 20, means[:2]) > 0.9


def test_a_study_that_ranks_no_better_than_chance_has_no_share() -> None:
    x, budgets = np.linspace(-2, 2, 20), np.full(20, 9.0)
    assert confirmed(np.array([x, -x]), 1e-6 * x, budgets).tolist() == [1.0, 0.0]
    assert not confirmed(np.array([-x, -x]), x, budgets).any()


def test_the_order_of_the_worse_half_is_of_no_use() -> None:
    losses, budgets = np.arange(8.0), np.full(8, 9.0)
    wrong_where_bad = np.array([0.0, 1.0, 2.0, 3.0, 7.0, 6.0, 5.0, 4.0])
    assert confirmed(np.array([losses, wrong_where_bad]), losses, budgets).tolist() == [0.5, 0.5]


def test_recommended_points_are_left_once_another_is_better() -> None:
    earlier = run(lambda c, *_: Outcome({"loss": -bowl_at(0.7)(c).result["loss"]}), 25)
    history = run(bowl_at(0.7), 6, (earlier,))
    encoding = SpaceEncoding(history.space)
    recommended = WarmStartMean(encoding, (earlier,)).recommended().round(6).tolist()
    tried = [encoding.encode(trial.configuration).round(6).tolist() for trial in history.trials]
    assert [number for number, point in enumerate(tried) if point in recommended] == [0]


def test_values_of_different_budgets_are_not_ranked() -> None:
    shares = confirmed(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.0, 1.0]), np.array([1.0, 9.0]))
    assert shares.tolist() == [0.5, 0.5]


def test_an_expectation_is_told_around_the_values_that_were_seen() -> None:
    encoding = SpaceEncoding(study(SPACE).space)
    points = encoding.snap(np.random.default_rng(0).random((20, 3)))
    losses = ((points - [0.7, 0.2, 0.9]) ** 2).sum(axis=1)
    expected = WarmStartMean(encoding, [run(bowl_at(0.7), 25)]).expectation(points, losses, np.full(20, 9.0))
    assert expected is not None
    assert abs(expected(points).mean()) < 1e-9
    assert np.corrcoef(expected(points), losses)[0, 1] > 0.95


def is_taught(n_values: int, earlier: History) -> bool:
    """Whether a study with so many values of its own still starts from an earlier one."""
    spec = study(SPACE, search={"method": "sobol"}, budget={"trials": n_values})
    history = Simulation(strategy_for(spec), History(spec=spec), bowl_at(0.6)).run()
    encoding = SpaceEncoding(spec.space)
    builder = SurrogateBuilder(encoding, spec.full_budget, None, WarmStartMean(encoding, (earlier,)))
    return builder.build(Observer(encoding).observe(history)).expected is not None


def test_a_past_is_left_once_own_values_say_more() -> None:
    # Right about the rough shape, and coarse: near the best it says nothing, and its steps are nowhere to be found.
    earlier = run(lambda c, *_: Outcome({"loss": round(4 * bowl_at(0.7)(c).result["loss"]) / 4}), 25)
    assert is_taught(6, earlier)
    assert not is_taught(40, earlier)


def test_trials_that_were_stopped_early_teach_too() -> None:
    fidelity = {"schedule": "asha", "min": 1, "factor": 3}
    spec = study(SPACE, search={"method": "random"}, fidelity=fidelity, budget={"trials": 60})
    earlier = Simulation(
        strategy_for(spec),
        History(spec=spec),
        lambda c, _, to: Outcome({"loss": bowl_at(0.7)(c).result["loss"] + 1 / to}),
    ).run()
    started = run(bowl_at(0.7), 1, (earlier,)).trials[0].configuration
    assert abs(float(str(started["x"])) - 0.7) < 0.25
    assert len(earlier.completed) < 12


def test_a_mean_of_many_seeds_outweighs_one_lucky_training() -> None:
    # The loss is x, but at x = 1 two trials met: one was lucky once, and one was trained on 21 seeds.
    places = [*np.linspace(0, 0.8, 9).tolist(), 1.0, 1.0]
    earlier = finished(study(SPACE), [{"x": x, "y": 0.2, "z": 0.9} for x in places], [*places[:-1], -3.0])
    fresh = tuple(Evaluation(budget=9, metrics={"loss": 1 + 0.3 * (-1) ** n}, replicate=n) for n in range(20))
    trials = list(earlier.trials)
    trials[-2] = trials[-2].model_copy(update={"replicates": fresh})
    encoding = SpaceEncoding(earlier.space)
    points = np.array([encoding.encode(trial.configuration) for trial in trials])
    past = WarmStartMean(encoding, [earlier.model_copy(update={"trials": tuple(trials)})])
    found = past.expectation(points[:9], np.array(places[:9]), np.full(9, 9.0))
    assert found is not None
    at_zero, *_, at_one = found(points)
    assert at_one > at_zero


def test_an_overlapping_space_is_enough() -> None:
    space = {"x": SPACE["x"], "y": SPACE["y"], "w": {"min": 0.0, "max": 1.0}}
    earlier = run(lambda c, *_: Outcome({"loss": (c["x"] - 0.7) ** 2 + (c["y"] - 0.2) ** 2}), 20, space=space)
    started = run(bowl_at(0.7), 3, (earlier,)).trials[0].configuration
    assert abs(float(str(started["x"])) - 0.7) < 0.15
    assert abs(float(str(started["y"])) - 0.2) < 0.15


def test_no_point_is_recommended_that_broke_a_limit() -> None:
    def limited(most: float) -> History:
        spec = study(SPACE, budget={"trials": 25}, constraints=({"metric": "size", "max": most},))
        answer = bowl_at(0.7)
        return Simulation(
            strategy_for(spec, ()), History(spec=spec), lambda c, *_: Outcome(answer(c).result | {"size": c["x"]})
        ).run()

    encoding = SpaceEncoding(study(SPACE).space)
    recommended = WarmStartMean(encoding, (limited(0.4),)).recommended()

    assert len(recommended)
    assert all(encoding.decode(point)["x"] <= 0.4 for point in recommended)
    assert WarmStartMean(encoding, (limited(-1.0),)).recommended().shape == (0, 3)


def test_a_study_of_another_space_is_not_listened_to() -> None:
    earlier = run(lambda c, *_: Outcome({"loss": c["q"]}), 10, space={"q": SPACE["x"]})
    assert WarmStartMean(SpaceEncoding(study(SPACE).space), (earlier,)).is_empty


def test_a_guess_is_tried_first_and_bends_the_search() -> None:
    guess = {"value": 0.7, "confidence": "high"}
    space = {"x": SPACE["x"] | {"prior": guess}, "kind": {"values": ["a", "b"], "prior": {"value": "b"}}}
    history = run(lambda *_: Outcome({"loss": 1.0}), 12, space=space)
    assert dict(history.trials[0].configuration) == {"x": 0.7, "kind": "b"}
    assert np.mean([trial.configuration["kind"] == "b" for trial in history.trials]) > 0.5


def test_a_wrong_guess_is_overcome() -> None:
    space = SPACE | {"x": SPACE["x"] | {"prior": {"value": 0.1, "confidence": "high"}}}
    assert best(run(bowl_at(0.8), 30, space=space), 30) < 0.01


def test_a_method_that_takes_no_guesses_says_so() -> None:
    space = {"x": SPACE["x"] | {"prior": {"value": 0.7}}}
    assert "takes no guesses" in check_search(study(space, search={"method": "random"}))[0].message


def test_a_guess_outside_of_its_domain_is_a_problem() -> None:
    space = {"x": SPACE["x"] | {"prior": {"value": 7}}}
    assert "The guess 7 is not a value of x" in check_search(study(space, search={"method": "bayes"}))[0].message
