"""pegbox as an optimizer of CARP-S: its spaces, its loop, several objectives, fidelities and failures."""

import math
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("carps")
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]

from carps.objective_functions.objective_function import ObjectiveFunction  # noqa: E402
from carps.utils.exceptions import NotSupportedError  # noqa: E402
from carps.utils.task import FidelitySpace, InputSpace, OptimizationResources, OutputSpace, Task  # noqa: E402
from carps.utils.trials import StatusType, TrialInfo, TrialValue  # noqa: E402
from ConfigSpace import (  # noqa: E402
    AndConjunction,
    Categorical,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    ForbiddenInClause,
    GreaterThanCondition,
    InCondition,
    Integer,
    NotEqualsCondition,
    OrConjunction,
)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    return import_module("carps_optimizer")


class Bowl(ObjectiveFunction):  # type: ignore[misc]
    """Least at a = .3; what was asked is kept. The half above .8 crashes."""

    def __init__(self, space: ConfigurationSpace, n_objectives: int) -> None:
        super().__init__(None)
        self._space, self._n_objectives = space, n_objectives
        self.asked: list[TrialInfo] = []

    @property
    def configspace(self) -> ConfigurationSpace:
        return self._space

    def _evaluate(self, trial_info: TrialInfo) -> TrialValue:
        self.asked.append(trial_info)
        a = trial_info.config["a"]
        if a > 0.8:
            return TrialValue(cost=math.inf, status=StatusType.CRASHED)
        costs = [(a - 0.3) ** 2, (a - 0.6) ** 2][: self._n_objectives]
        return TrialValue(cost=costs if len(costs) > 1 else costs[0], time=1.0)


def task_of(space: ConfigurationSpace, n_trials: int, n_objectives: int = 1, **fidelity: Any) -> Task:
    names = tuple("qt"[:n_objectives])
    return Task(
        name="bowl",
        objective_function=Bowl(space, n_objectives),
        input_space=InputSpace(space, FidelitySpace(**fidelity)),
        output_space=OutputSpace(n_objectives, names),  # type: ignore[arg-type]
        optimization_resources=OptimizationResources(n_trials=n_trials),
        metadata=None,  # type: ignore[arg-type]
    )


def line() -> ConfigurationSpace:
    return ConfigurationSpace({"a": Float("a", (0.0, 1.0)), "k": Integer("k", (1, 9), log=True)}, seed=0)


def test_it_runs_by_carps_own_loop_and_bears_crashes(module: Any) -> None:
    task = task_of(line(), 20)
    info, value = module.PegboxOptimizer(task, seed=1).run()

    assert len(task.objective_function.asked) == 20
    assert (info.config["a"] - 0.3) ** 2 == pytest.approx(value.cost)
    assert value.cost < 0.01


def test_of_several_objectives_the_incumbent_is_a_front(module: Any) -> None:
    front = module.PegboxOptimizer(task_of(line(), 15, n_objectives=2), seed=1).run()

    assert len(front) > 1
    assert all(0.25 < info.config["a"] < 0.65 for info, _ in front)


@pytest.mark.parametrize(("lowest", "highest"), [(2, 18), (0.1, 1.0)])
def test_a_fidelity_is_climbed_by_rungs(module: Any, lowest: float, highest: float) -> None:
    task = task_of(line(), 6, is_multifidelity=True, fidelity_type="x", min_fidelity=lowest, max_fidelity=highest)
    info, _ = module.PegboxOptimizer(task, method="random", seed=1).run()

    asked = [one.budget for one in task.objective_function.asked]
    assert {min(asked), max(asked)} == {lowest, highest}
    assert all(type(one) is type(highest) for one in asked)
    assert info.budget == highest
    # CARP-S counts each evaluation by its share of a whole one.
    assert 6 <= sum(asked) / highest < 7


def test_a_small_space_is_left_when_all_is_tried(module: Any) -> None:
    task = task_of(ConfigurationSpace({"a": [0.1, 0.2, 0.3]}), 50)

    assert module.PegboxOptimizer(task, method="grid", seed=1).run()[1].cost == pytest.approx(0.0)
    assert len(task.objective_function.asked) == 3


def test_conditions_and_forbidden_values_are_taken_over(module: Any) -> None:
    space = ConfigurationSpace({"kind": ["p", "q", "r"], "deep": Constant("deep", 1), "a": (0.0, 1.0), "b": (1, 4)})
    space.add(Categorical("size", [1, 2, 3], ordered=True))
    space.add(
        AndConjunction(
            InCondition(space["a"], space["kind"], ["p", "q"]), EqualsCondition(space["a"], space["deep"], 1)
        )
    )
    space.add(NotEqualsCondition(space["b"], space["kind"], "p"))
    space.add(
        ForbiddenAndConjunction(ForbiddenEqualsClause(space["kind"], "q"), ForbiddenInClause(space["size"], [1, 2]))
    )
    found = module.space_of(space)

    assert found.parameters["a"].when == {"kind": ("p", "q"), "deep": (1,)}
    assert found.parameters["b"].when == {"kind": ("q", "r")}
    assert type(found.parameters["size"]).__name__ == "Ordinal"
    assert found.forbid == ({"kind": "q", "size": (1, 2)},)


def test_two_conditions_on_one_parent_leave_what_both_want(module: Any) -> None:
    space = ConfigurationSpace({"kind": ["p", "q", "r"], "a": (0.0, 1.0)})
    among = InCondition(space["a"], space["kind"], ["p", "q"])
    space.add(AndConjunction(among, NotEqualsCondition(space["a"], space["kind"], "p")))

    assert module.space_of(space).parameters["a"].when == {"kind": ("q",)}


def test_what_has_no_word_is_refused_by_name(module: Any) -> None:
    one = ConfigurationSpace({"kind": ["p", "q"], "a": (0.0, 1.0), "b": (0.0, 1.0)})
    one.add(GreaterThanCondition(one["b"], one["a"], 0.5))
    with pytest.raises(NotSupportedError, match="GreaterThanCondition"):
        module.space_of(one)

    two = ConfigurationSpace({"kind": ["p", "q"], "a": (0.0, 1.0), "b": (0.0, 1.0)})
    two.add(OrConjunction(EqualsCondition(two["b"], two["kind"], "p"), GreaterThanCondition(two["b"], two["a"], 0.5)))
    with pytest.raises(NotSupportedError, match="OrConjunction"):
        module.space_of(two)

    prior = ConfigurationSpace(
        {"a": Float("a", (0.0, 1.0), distribution=import_module("ConfigSpace").Normal(0.5, 0.1))}
    )
    with pytest.raises(NotSupportedError, match="a is a NormalFloatHyperparameter"):
        module.space_of(prior)
