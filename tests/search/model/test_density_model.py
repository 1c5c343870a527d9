"""The density of good configurations, and where it is asked beside the process."""

from typing import Any

import numpy as np
import pytest

from pegbox.schemas.history import History
from pegbox.search.methods import strategy_for
from pegbox.search.model.density_model import DensityModel, second_opinion
from pegbox.search.model.features import FeatureMap
from pegbox.search.model.gaussian_process import Posterior, Prior, fit
from pegbox.search.model.training_data import Data
from pegbox.search.samplers import bayes
from pegbox.search.simulation import Simulation
from pegbox.search.space.axes import Array
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.testing.studies import bowl, study

RNG = np.random.default_rng(0)
LINE = SpaceEncoding(study({"x": {"min": 0.0, "max": 1.0}}).space)


def test_the_ratio_is_highest_among_the_good_ones() -> None:
    points = RNG.random((40, 1))
    model = DensityModel(LINE, points, np.abs(points[:, 0] - 0.3))
    near, far = model.log_ratio(np.array([[0.3], [0.9]]))
    assert near > 0 > far
    assert abs(float(np.median(model.drawn(RNG))) - 0.3) < 0.1


def test_a_value_without_an_order_and_a_family_count_by_how_often_they_were_good() -> None:
    space = {"kind": ["a", "b", "c"], "depth": {"min": 1, "max": 9, "int": True, "when": {"kind": "b"}}}
    encoding = SpaceEncoding(study(space).space)
    points = encoding.snap(RNG.random((60, 2)))
    is_b = ~np.isnan(points[:, 1])
    model = DensityModel(encoding, points, np.where(is_b, 0.0, 1.0) + 0.01 * RNG.random(60))
    assert model.log_ratio(points)[is_b].min() > model.log_ratio(points)[~is_b].max()
    assert np.mean(~np.isnan(model.drawn(RNG)[:, 1])) > 0.6
    # What one point is taken for has nothing to do with the others that are asked about.
    alone = np.concatenate([model.log_ratio(point[None]) for point in points])
    np.testing.assert_allclose(model.log_ratio(points), alone)


def test_what_is_drawn_can_be_tried() -> None:
    encoding = SpaceEncoding(study().space)
    points = encoding.snap(RNG.random((50, encoding.n_dims)))
    drawn = DensityModel(encoding, points, RNG.random(50)).drawn(RNG)
    assert len(drawn) > 0
    assert encoding.allowed(drawn).all()
    np.testing.assert_array_equal(drawn, encoding.snap(drawn))


def of_process(points: Array, losses: Array) -> Posterior:
    features = FeatureMap(LINE)
    data = Data(features.features(points), features.groups, (losses - losses.mean()) / losses.std())
    return Posterior(data, fit(data, Prior(features.n_groups)))


def test_it_is_asked_where_the_process_ranks_worse() -> None:
    points = np.linspace(0.01, 0.99, 30)[RNG.permutation(30)][:, None]
    losses = np.abs(points[:, 0] - 0.3)
    assert second_opinion(LINE, points, losses, of_process(points, losses)) is None
    assert second_opinion(LINE, points, losses, of_process(points, RNG.permutation(losses))) is not None


def test_a_search_that_asks_it_goes_on_in_step_after_a_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def heard(encoding: SpaceEncoding, points: Array, losses: Array, posterior: Posterior) -> DensityModel:
        asked.append(True)
        return DensityModel(encoding, points, losses)

    monkeypatch.setattr(bayes, "second_opinion", heard)
    spec = study(search={"method": "bayes"}, budget={"trials": 30})
    whole = Simulation(strategy_for(spec), History(spec=spec), bowl).run()
    part = Simulation(strategy_for(spec), History(spec=spec), bowl).run(20)
    resumed = Simulation(strategy_for(spec), part, bowl).run()
    assert asked
    assert [trial.configuration for trial in resumed.trials] == [trial.configuration for trial in whole.trials]


LIMITED = {"constraints": ({"metric": "size", "max": 1.0},)}
THRIFTY = {"search": {"method": "bayes", "options": {"per": "seconds"}}}


RUNGS = {"fidelity": {"schedule": "asha", "max": 9}}
SEVERAL = {"objectives": ({"metric": "loss"}, {"metric": "size"})}


@pytest.mark.parametrize("changes", [LIMITED, THRIFTY, RUNGS, SEVERAL])
def test_it_is_silent_where_it_knows_nothing_of_what_counts(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> DensityModel:
        raise AssertionError("It knows nothing of limits, costs, rungs and trades.")

    monkeypatch.setattr(bayes, "second_opinion", never)
    spec = study(**({"search": {"method": "bayes"}, "budget": {"trials": 16}} | changes))
    assert len(Simulation(strategy_for(spec), History(spec=spec), bowl).run().trials) == 16


def test_it_is_silent_where_there_is_a_past(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> DensityModel:
        raise AssertionError("The process predicts what a past leaves unexplained.")

    spec = study(search={"method": "bayes"}, budget={"trials": 16})
    earlier = Simulation(strategy_for(spec), History(spec=spec), bowl).run()
    monkeypatch.setattr(bayes, "second_opinion", never)
    assert len(Simulation(strategy_for(spec, (earlier,)), History(spec=spec), bowl).run().trials) == 16
