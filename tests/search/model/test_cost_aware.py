"""Expected improvement for what it costs."""

from typing import Any

import pytest

from pegbox.schemas.history import History
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.model.cost_aware import share_left
from pegbox.search.simulation import Outcome, Simulation
from pegbox.testing.studies import finished, study

SPACE = {name: {"min": 0.0, "max": 1.0} for name in ("size", "a", "b", "c", "d")}


def training(configuration: Any, *_: int) -> Outcome:
    """Larger is slower, up to a hundred times, and a little better."""
    size, *others = configuration.values()
    loss = sum((other - 0.3) ** 2 for other in others) - 0.3 * size
    return Outcome({"loss": loss, "price": 100**size}, seconds=100**size)


def run(options: dict[str, Any]) -> History:
    spec = study(SPACE, search={"method": "bayes", "options": options}, budget={"trials": 25})
    return Simulation(strategy_for(spec), History(spec=spec), training).run()


def spent_at_first(history: History) -> float:
    return sum(trial.evaluations[-1].seconds for trial in history.completed[:15])


@pytest.mark.parametrize("per", ["seconds", "price"])
def test_cheap_configurations_are_explored_before_dear_ones(per: str) -> None:
    thrifty = run({"per": per})
    assert spent_at_first(thrifty) < 0.5 * spent_at_first(run({}))
    assert min(trial.value("loss") or 0.0 for trial in thrifty.completed) < -0.2


def test_cost_counts_by_what_is_left_of_the_budget() -> None:
    spec = study(SPACE, budget={"trials": 10, "time": 100})
    history = finished(spec, [dict.fromkeys(SPACE, 0.1), dict.fromkeys(SPACE, 0.2)], [0.1, 0.2])
    assert share_left(history) == pytest.approx(0.8)
    assert share_left(history.at(elapsed_seconds=70)) == pytest.approx(0.3)


def test_a_metric_that_nothing_reports_is_no_obstacle() -> None:
    assert len(run({"per": "nothing"}).completed) == 25


def test_only_bayes_takes_it() -> None:
    spec = study(search={"method": "freeze_thaw", "options": {"per": "seconds"}})
    assert "Unknown option 'per'" in check_search(spec)[0].message
