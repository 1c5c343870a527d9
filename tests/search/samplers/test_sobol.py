"""Sobol search."""

import numpy as np

from pegbox.schemas.history import History
from pegbox.search.methods import strategy_for
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
