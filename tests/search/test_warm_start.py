"""Learning from earlier studies, and from a user's guesses."""

from typing import Any

import numpy as np
from contracts.studies import study

from pegbox.schemas.history import History
from pegbox.search.encoding import SpaceEncoding
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.search.warm_start import EarlierStudies, trust

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


def test_studies_are_weighted_by_how_well_they_rank() -> None:
    histories = (run(bowl_at(0.7), 20), run(bowl_at(0.1), 20))
    new = run(bowl_at(0.72), 12)
    encoding = SpaceEncoding(new.space)
    points = np.array([encoding.encode(trial.configuration) for trial in new.trials])
    losses = np.array([trial.value("loss") for trial in new.trials])
    weights = EarlierStudies(encoding, histories).weights(points, losses)
    assert weights[0] > 0.6
    assert abs(weights.sum() - 1) < 1e-12


def test_an_overlapping_space_is_enough() -> None:
    space = {"x": SPACE["x"], "y": SPACE["y"], "w": {"min": 0.0, "max": 1.0}}
    earlier = run(lambda c, *_: Outcome({"loss": (c["x"] - 0.7) ** 2 + (c["y"] - 0.2) ** 2}), 20, space=space)
    started = run(bowl_at(0.7), 3, (earlier,)).trials[0].configuration
    assert abs(float(str(started["x"])) - 0.7) < 0.15
    assert abs(float(str(started["y"])) - 0.2) < 0.15


def test_a_study_of_another_space_is_not_listened_to() -> None:
    earlier = run(lambda c, *_: Outcome({"loss": c["q"]}), 10, space={"q": SPACE["x"]})
    assert EarlierStudies(SpaceEncoding(study(SPACE).space), (earlier,)).is_empty


def test_trust_follows_the_slope_that_the_values_confirm() -> None:
    mean = np.linspace(-2, 2, 20)
    assert trust(mean, mean) > 0.95
    assert trust(mean, -mean) == 0.0


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
