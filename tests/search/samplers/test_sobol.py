"""Sobol search."""

import numpy as np
import pytest
from scipy.stats import qmc

from pegbox.schemas.history import History
from pegbox.search.methods import strategy_for
from pegbox.search.samplers.sobol_sequence import SobolSequence
from pegbox.search.simulation import Simulation
from pegbox.testing.samplers import SamplerContract
from pegbox.testing.studies import bowl, study


class TestSobolSampler(SamplerContract):
    method = "sobol"


def test_sixteen_points_fill_sixteen_equal_cells() -> None:
    spec = study({"x": {"min": 0.0, "max": 1.0}}, search={"method": "sobol"}, budget={"trials": 16})
    history = Simulation(strategy_for(spec), History(spec=spec), bowl).run()
    cells = sorted(int(float(str(trial.configuration["x"])) * 16) for trial in history.trials)
    assert cells == list(np.arange(16))


def test_another_seed_gives_another_sequence() -> None:
    first, second = (
        Simulation(strategy_for(spec), History(spec=spec), bowl).run()
        for spec in (study(search={"method": "sobol", "seed": 0}), study(search={"method": "sobol", "seed": 1}))
    )
    assert first.trials[0].configuration != second.trials[0].configuration


@pytest.mark.parametrize("n_dims", [1, 7, 64])
def test_points_are_those_of_scipy(n_dims: int) -> None:
    theirs = qmc.Sobol(n_dims, rng=np.random.default_rng(3)).random(64)
    ours = SobolSequence(n_dims, seed=3)
    assert np.array_equal([ours.point(number) for number in range(64)], theirs)


def test_more_dimensions_than_the_table_holds_are_spread_too() -> None:
    wide, narrow = SobolSequence(66, seed=3), SobolSequence(64, seed=3)
    points = np.array([wide.point(number) for number in range(64)])
    assert np.array_equal(points[:, :64], [narrow.point(number) for number in range(64)])
    assert len(np.unique(points[:, 64:])) == 128
    assert np.array_equal(points[5], SobolSequence(66, seed=3).point(5))
