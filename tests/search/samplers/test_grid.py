"""Grid search."""

from pegbox.schemas.history import History
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Simulation
from pegbox.testing.samplers import SamplerContract
from pegbox.testing.studies import bowl, study


class TestGridSampler(SamplerContract):
    method = "grid"


def grid(space: dict[str, object], trials: int, **options: object) -> list[dict[str, object]]:
    spec = study(space, search={"method": "grid", "options": options}, budget={"trials": trials})
    history = Simulation(strategy_for(spec), History(spec=spec), bowl).run()
    return [dict(trial.configuration) for trial in history.trials]


def test_grid_refines_a_range_evenly() -> None:
    tried = [configuration["x"] for configuration in grid({"x": {"min": 0.0, "max": 8.0}}, 9)]
    assert tried[:1] == [4.0]
    assert sorted(tried[:3]) == [0.0, 4.0, 8.0]
    assert sorted(tried[:5]) == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert sorted(tried) == [float(number) for number in range(9)]


def test_grid_with_points_ends_after_their_product() -> None:
    tried = grid({"x": {"min": 0.0, "max": 1.0}, "y": ["a", "b"]}, 100, points=3)
    assert len(tried) == 6
    assert {configuration["x"] for configuration in tried} == {0.0, 0.5, 1.0}


def test_grid_visits_every_branch_of_a_conditional_tree() -> None:
    space = {
        "optimizer": ["adam", "sgd"],
        "momentum": {"values": [0.0, 0.9], "when": {"optimizer": "sgd"}},
        "nesterov": {"values": [True, False], "when": {"momentum": 0.9}},
    }
    assert len(grid(space, 100)) == 4


def test_grid_leaves_forbidden_combinations_out() -> None:
    space = {"a": [1, 2, 3], "b": [1, 2, 3], "forbid": [{"a": 1, "b": [2, 3]}]}
    tried = grid(space, 100)
    assert len(tried) == 7
    assert {"a": 1, "b": 2} not in tried
