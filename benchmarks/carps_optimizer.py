"""pegbox as an optimizer of CARP-S, which runs it on its own tasks beside its other optimizers.

    PYTHONPATH=benchmarks python -m carps.run "hydra.searchpath=[file://$PWD/benchmarks/carps]" +optimizer=pegbox \
        +task/subselection/blackbox/dev=subset_bbob_2_12_0 seed=1

What else it needs stands in benchmarks/README.md. CARP-S: Benjamins et al. 2025.
"""

import math
from typing import Any

import numpy as np
from carps.optimizers.optimizer import Optimizer
from carps.utils.exceptions import NotSupportedError
from carps.utils.pareto_front import pareto
from carps.utils.trials import StatusType, TrialInfo, TrialValue
from ConfigSpace import Configuration, ConfigurationSpace, conditions, forbidden
from ConfigSpace import hyperparameters as kinds

from pegbox.schemas.decision import Continue, Done, Start, Stop, Wait
from pegbox.schemas.events import DecisionMade, TrialEvaluated, TrialFailed
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.search.decision_events import decide
from pegbox.search.methods import strategy_for

PARTS = 100
"""Fidelities between fractions, such as a share of the rows, are told in hundredths of the highest."""


class PegboxOptimizer(Optimizer):
    """A search of pegbox that CARP-S asks and tells.

    A trial that goes on to a higher rung is evaluated anew there, since CARP-S counts it so.

    Args:
        task: What is optimised, and with how many trials or minutes.
        loggers: Of CARP-S; they are told each incumbent.
        method: How configurations are proposed: `bayes`, `random`, ...
        schedule: How far they are trained, where the task has a fidelity: `asha`, `hyperband`, ...
        seed: Of the search.
        expects_multiple_objectives, expects_fidelities: True has CARP-S refuse tasks without them.
    """

    def __init__(
        self,
        task: Any,
        loggers: list[Any] | None = None,
        method: str = "bayes",
        schedule: str = "asha",
        seed: int | None = None,
        **expected: bool,
    ) -> None:
        super().__init__(task, loggers, **expected)
        self.fidelity_enabled = True
        self._method, self._schedule, self._seed = method, schedule, seed
        self._configspace: ConfigurationSpace = task.objective_function.configspace
        self._fidelity = task.input_space.fidelity_space
        self._metrics = [f"cost{number}" for number in range(task.output_space.n_objectives)]
        self._upcoming: DecisionMade | None = None
        self._told: list[tuple[TrialInfo, TrialValue]] = []

    def _setup_optimizer(self) -> Any:
        self._history = History(spec=self._spec())
        return strategy_for(self._history.spec)

    def convert_configspace(self, configspace: ConfigurationSpace) -> Space:
        """The space in pegbox's words.

        Raises:
            NotSupportedError: A part of it has none; the message says which.
        """
        return space_of(configspace)

    def continue_optimization(self, start_time: float) -> bool:
        """False also where the search has nothing left to try, as in a space of few configurations."""
        return bool(super().continue_optimization(start_time)) and self._decided() is not None

    def ask(self) -> TrialInfo:
        made = self._decided()
        if made is None:
            raise NotSupportedError("The search has tried all there is; CARP-S asks once more.")
        self._history, self._upcoming = self._history.after(made), None
        return self.convert_to_trial(made)

    def convert_to_trial(self, made: DecisionMade) -> TrialInfo:  # type: ignore[override]
        """What a decision has evaluated."""
        assert isinstance(made.decision, Start | Continue)
        values = dict(self._history.trials[made.trial].configuration)
        budget = self._amount(made.decision.to_budget) if self._fidelity.is_multifidelity else None
        configuration = Configuration(self._configspace, values=values)
        return TrialInfo(config=configuration, budget=budget, name=f"{made.trial}/{made.decision.to_budget}")

    def tell(self, trial_info: TrialInfo, trial_value: TrialValue) -> None:
        number, to_budget = map(int, str(trial_info.name).split("/"))
        costs = [float(cost) for cost in np.atleast_1d(trial_value.cost)]
        study = self._history.spec.name
        if trial_value.status is not StatusType.SUCCESS or not all(map(math.isfinite, costs)):
            failure = Failure(kind=FailureKind.DIVERGED, message=f"{trial_value.status.name}, cost {costs}")
            event = TrialFailed(study=study, trial=number, attempt=1, failure=failure, final=True)
            self._history = self._history.after(event)
            return
        self._told.append((trial_info, trial_value))
        seconds = max(trial_value.virtual_time, trial_value.time, 1e-9)
        metrics = dict(zip(self._metrics, costs, strict=True))
        is_full = to_budget >= self._history.spec.full_budget
        self._history = self._history.after(
            TrialEvaluated(
                study=study,
                trial=number,
                evaluation=Evaluation(budget=to_budget, metrics=metrics, seconds=seconds),
                state=TrialState.COMPLETED if is_full else TrialState.PAUSED,
            )
        )

    def get_current_incumbent(self) -> Any:
        """The best at the highest fidelity that any trial has reached; of several objectives the front."""
        if not self._told:
            return None
        highest = max(info.budget or 0 for info, _ in self._told)
        told = [one for one in self._told if (one[0].budget or 0) == highest]
        if len(self._metrics) == 1:
            return min(told, key=lambda one: float(np.atleast_1d(one[1].cost)[0]))
        is_best = pareto(np.array([value.cost for _, value in told]))
        return [one for one, best in zip(told, is_best, strict=True) if best]

    def _decided(self) -> DecisionMade | None:
        """What is evaluated next, decided once; None where nothing is left."""
        while self._upcoming is None:
            made = decide(self._history, self.solver)
            if isinstance(made, Done | Wait):
                return None
            if isinstance(made.decision, Stop):
                self._history = self._history.after(made)
            else:
                self._upcoming = made
        return self._upcoming

    def _spec(self) -> StudySpec:
        resources = self.task.optimization_resources
        search = {"method": self._method} | ({} if self._seed is None else {"seed": self._seed})
        lowest, highest = self._rungs()
        # CARP-S ends the run itself; of its trials a configuration at the first rung is but a part.
        trials = resources.n_trials and math.ceil(resources.n_trials * highest / lowest)
        budget = {"trials": trials} if trials else {"time": f"{resources.time_budget}m"}
        fidelity = {"of": "budget", "schedule": self._schedule, "min": lowest, "max": highest}
        return StudySpec.model_validate(
            {
                "name": "carps",
                "train": {"kind": "function", "function": "carps_optimizer:evaluate"},
                "space": self.convert_configspace(self._configspace),
                "objectives": [{"metric": metric} for metric in self._metrics],
                "search": search,
                "fidelity": fidelity if self._fidelity.is_multifidelity else {},
                "budget": budget | {"failures": None},
            }
        )

    def _rungs(self) -> tuple[int, int]:
        if not self._fidelity.is_multifidelity:
            return 1, 1
        ends = self._fidelity.min_fidelity, self._fidelity.max_fidelity
        if all(float(end).is_integer() for end in ends):
            return int(ends[0]), int(ends[1])
        return max(1, round(PARTS * ends[0] / ends[1])), PARTS

    def _amount(self, budget: int) -> float:
        """Of the task's own fidelity."""
        lowest, highest = self._fidelity.min_fidelity, self._fidelity.max_fidelity
        exact = budget / self._rungs()[1] * highest
        # A hundredth is rounded, and a task refuses less than its lowest.
        return type(highest)(max(lowest, exact)) if isinstance(highest, float) else round(exact)


def space_of(configspace: ConfigurationSpace) -> Space:
    """A space of ConfigSpace in pegbox's words.

    Raises:
        NotSupportedError: A part of it has none; the message says which.
    """
    parameters = {name: _domain(one) for name, one in configspace.items()}
    for condition in configspace.conditions:
        for part in condition.components if isinstance(condition, conditions.AndConjunction) else [condition]:
            parent, wanted = _when(part)
            when = parameters[part.child.name].setdefault("when", {})
            # All of them must hold, so two of the same parent leave what both want.
            when[parent] = [value for value in wanted if value in when.get(parent, wanted)]
    return Space.model_validate(
        {"parameters": parameters, "forbid": [_forbidden(one) for one in configspace.forbidden_clauses]}
    )


def _domain(one: kinds.Hyperparameter) -> dict[str, Any]:
    if isinstance(one, kinds.UniformFloatHyperparameter):
        return {"min": float(one.lower), "max": float(one.upper), "log": one.log}
    if isinstance(one, kinds.UniformIntegerHyperparameter):
        return {"min": int(one.lower), "max": int(one.upper), "int": True, "log": one.log}
    if isinstance(one, kinds.CategoricalHyperparameter):
        return {"values": [_plain(value) for value in one.choices]}
    if isinstance(one, kinds.OrdinalHyperparameter):
        return {"values": [_plain(value) for value in one.sequence], "ordered": True}
    if isinstance(one, kinds.Constant):
        return {"value": _plain(one.value)}
    raise NotSupportedError(f"{one.name} is a {type(one).__name__}, which pegbox has no word for.")


def _when(condition: Any) -> tuple[str, list[Any]]:
    """The parent of a condition, and which of its values are wanted."""
    if isinstance(condition, conditions.EqualsCondition):
        return condition.parent.name, [_plain(condition.value)]
    if isinstance(condition, conditions.InCondition):
        return condition.parent.name, [_plain(value) for value in condition.values]
    if isinstance(condition, conditions.NotEqualsCondition) and hasattr(condition.parent, "choices"):
        others = (value for value in condition.parent.choices if value != condition.value)
        return condition.parent.name, [_plain(value) for value in others]
    raise NotSupportedError(f"{condition} is a {type(condition).__name__}, which pegbox has no word for.")


def _forbidden(clause: Any) -> dict[str, Any]:
    if isinstance(clause, forbidden.ForbiddenAndConjunction):
        return {name: bound for part in clause.components for name, bound in _forbidden(part).items()}
    if isinstance(clause, forbidden.ForbiddenEqualsClause):
        return {clause.hyperparameter.name: _plain(clause.value)}
    if isinstance(clause, forbidden.ForbiddenInClause):
        return {clause.hyperparameter.name: [_plain(value) for value in clause.values]}
    raise NotSupportedError(f"{clause} is a {type(clause).__name__}, which pegbox has no word for.")


def _plain(value: Any) -> Any:
    """A value without numpy."""
    return value.item() if hasattr(value, "item") else value
