"""Our Gaussian process as a sampler of Optuna: `optuna.create_study(sampler=BayesSampler())`.

What it proposes follows from the trials of Optuna's study, its seed and the trial's number alone: it keeps nothing that
a storage shared by several processes would have to know.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as Theirs
from pydantic import ValidationError

from pegbox.integrations.component_search import ComponentSearch, ended_trial, failed_trial, rungs_of, running_trial
from pegbox.integrations.optuna_conditions import Condition, inferred_conditions
from pegbox.integrations.optuna_space import space_from_optuna
from pegbox.schemas.base import Configuration, Value
from pegbox.schemas.errors import SpaceExhaustedError
from pegbox.schemas.plan import Constraint, Objective
from pegbox.schemas.space import Space
from pegbox.schemas.trial import Trial

MOST_MODELS = 16
"""Groups and studies whose models are kept: a group that was learnt anew leaves one behind. Picked by hand."""

Params = dict[str, Any]
"""Parameter name to value, in Optuna's kinds."""


class _Parameter(NamedTuple):
    """A parameter, and when it is there."""

    name: str
    distribution: BaseDistribution
    condition: Condition | None


class _Asked(NamedTuple):
    """What a model is made for."""

    study: str
    directions: tuple[StudyDirection, ...]
    constraints: tuple[str, ...]
    group: tuple[_Parameter, ...]


class _Reading(NamedTuple):
    """What a trial is read by beside its own content."""

    place: int
    full: int
    steps: tuple[int, ...]


class BayesSampler(BaseSampler):
    """Log expected improvement over our Gaussian process, for studies of Optuna.

    Several objectives, constraints (`trial.set_constraint`), pruned, failed and running trials all count. The branches
    of a define-by-run objective are learnt from the trials (`optuna_conditions`) and modelled as the conditional space
    that they are. A parameter that no trial has had, and a space of which every value was tried, are drawn at random.

    Args:
        seed: Of the proposals; drawn where it is None.
    """

    def __init__(self, *, seed: int | None = None) -> None:
        self._seed = _drawn_seed() if seed is None else seed
        self._random = RandomSampler(seed=seed)
        self._models: dict[_Asked, _Model] = {}

    def reseed_rng(self) -> None:
        """Draw other numbers from now on: for a copy of the sampler in another process."""
        self._seed = _drawn_seed()
        self._models = {}
        self._random.reseed_rng()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Every parameter that some trial has had, as the last of them declared it."""
        found: dict[str, BaseDistribution] = {}
        for past in study.get_trials(deepcopy=False):
            found.update(past.distributions)
        return {
            name: found[name] for name in sorted(found) if not found[name].single() and _is_searched(name, found[name])
        }

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A value for each parameter that is going to be asked for, as far as earlier trials tell."""
        past = [one for one in study.get_trials(deepcopy=False) if one.number != trial.number]
        chosen: dict[str, Any] = {}
        for group in _groups(past, search_space):
            chosen |= self._propose(study, trial.number, past, group)
        return chosen

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A draw at random: for a parameter that was not proposed."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _propose(self, study: Study, number: int, past: Sequence[FrozenTrial], group: tuple[_Parameter, ...]) -> Params:
        names = tuple(sorted({name for one in past for name in one.constraints}))
        asked = _Asked(study.study_name, tuple(study.directions), names, group)
        if asked not in self._models:
            if len(self._models) >= MOST_MODELS:
                self._models = {}
            self._models[asked] = _Model(asked, self._seed)
        try:
            return self._models[asked].propose(past, number)
        except SpaceExhaustedError:
            return {}  # Optuna goes on after the last value, and so values are drawn again


class _Model:
    """The search over one group of parameters; what it remembers of earlier trials decides nothing."""

    def __init__(self, asked: _Asked, seed: int) -> None:
        self._distributions = {one.name: one.distribution for one in asked.group}
        self._constraints = asked.constraints
        directions = [direction.name.lower() for direction in asked.directions]
        self._goals = [
            Objective.model_validate({"metric": f"value {at}", "goal": goal}) for at, goal in enumerate(directions)
        ]
        limits = [Constraint(metric=_limit(name), max=0.0) for name in asked.constraints]
        space = {one.name: self._domain(one) for one in asked.group}
        self._search = ComponentSearch(space, self._goals, constraints=limits, seed=seed)
        self._kept: dict[int, tuple[_Reading, Trial]] = {}

    def propose(self, past: Sequence[FrozenTrial], number: int) -> Params:
        """The values to try next, of the parameters that are active.

        Raises:
            SpaceExhaustedError: Every combination has been tried.
        """
        full = 1 + max((one.last_step for one in past if one.last_step is not None), default=0)
        steps = rungs_of(one.last_step for one in past if one.state is Theirs.PRUNED and one.last_step is not None)
        trials: list[Trial] = []
        for one in past:
            if self._is_of_space(one):
                trials.append(self._seen(one, _Reading(len(trials), full, steps)))
        configuration = self._search.propose(trials, number, full)
        return {name: _outward(self._distributions[name], value) for name, value in configuration.items()}

    def _domain(self, parameter: _Parameter) -> Any:
        domain = _domain(parameter.distribution)
        if parameter.condition is None:
            return domain
        parent, values = parameter.condition
        return domain | {"when": {parent: [_inward(self._distributions[parent], value) for value in values]}}

    def _is_of_space(self, past: FrozenTrial) -> bool:
        """True where a trial has exactly the parameters that are active in it, within what is asked for now."""
        return all(
            distribution._contains(distribution.to_internal_repr(past.params[name]))
            for name, distribution in self._distributions.items()
            if name in past.params
        ) and self._search.spec.space.contains(self._configuration(past))

    def _configuration(self, past: FrozenTrial) -> Configuration:
        return {
            name: _inward(distribution, past.params[name])
            for name, distribution in self._distributions.items()
            if name in past.params
        }

    def _seen(self, past: FrozenTrial, reading: _Reading) -> Trial:
        """The same object for a trial that has ended, whenever it is asked for: the model goes by identity."""
        kept = self._kept.get(past.number)
        if kept is not None and kept[0] == reading:
            return kept[1]
        trial = self._trial(past, reading)
        if past.state.is_finished():
            self._kept[past.number] = (reading, trial)
        return trial

    def _trial(self, past: FrozenTrial, reading: _Reading) -> Trial:
        running = running_trial(reading.place, self._configuration(past), reading.full)
        if past.state is Theirs.FAIL:
            return failed_trial(running, "the trial failed.")
        if past.state not in {Theirs.COMPLETE, Theirs.PRUNED}:
            return running
        is_complete = past.state is Theirs.COMPLETE
        values: dict[int, Mapping[str, float]] = {}
        if len(self._goals) == 1:  # Optuna prunes by one objective only
            shown = reading.steps if is_complete else (past.last_step,)
            found = {step: past.intermediate_values.get(step) for step in shown if step is not None}
            values = {step + 1: self._metrics([value], past) for step, value in found.items() if value is not None}
        if is_complete:
            values[reading.full] = self._metrics(past.values, past)
        return ended_trial(running, values, is_complete=is_complete)

    def _metrics(self, values: Sequence[float], past: FrozenTrial) -> dict[str, float]:
        limits = {_limit(name): past.constraints[name] for name in self._constraints if name in past.constraints}
        return {goal.metric: value for goal, value in zip(self._goals, values, strict=True)} | limits


def _groups(past: Sequence[FrozenTrial], space: Mapping[str, BaseDistribution]) -> list[tuple[_Parameter, ...]]:
    """The parameters that are modelled together: all whose conditions are known, and the others by their trials."""
    whole = [one for one in past if one.state in {Theirs.COMPLETE, Theirs.PRUNED}]
    if not space:
        return []
    if not whole:
        return [tuple(_Parameter(name, distribution, None) for name, distribution in space.items())]
    conditions = inferred_conditions(whole, space)
    joint = tuple(_Parameter(name, space[name], condition) for name, condition in conditions.items())
    groups: dict[tuple[int, ...], tuple[_Parameter, ...]] = {(): joint} if joint else {}
    for name in sorted(space.keys() - conditions.keys()):
        holders = tuple(one.number for one in whole if name in one.params)
        groups[holders] = (*groups.get(holders, ()), _Parameter(name, space[name], None))
    return [groups[holders] for holders in sorted(groups)]


def _is_searched(name: str, distribution: BaseDistribution) -> bool:
    """False for what our schema refuses, such as a range of eight doubles: values are then drawn at random."""
    try:
        Space.model_validate({"parameters": {name: _domain(distribution)}})
    except ValidationError:
        return False
    return True


def _domain(distribution: BaseDistribution) -> Any:
    """As a study file would write it; choices by their place as a text, since they may be of any kind."""
    if isinstance(distribution, CategoricalDistribution):
        return {"values": [str(place) for place in range(len(distribution.choices))]}
    return space_from_optuna({"": distribution})[""]


def _inward(distribution: BaseDistribution, value: Any) -> Value:
    if isinstance(distribution, CategoricalDistribution):
        return str(int(distribution.to_internal_repr(value)))
    return int(value) if isinstance(distribution, IntDistribution) else float(value)


def _outward(distribution: BaseDistribution, value: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(value)]
    return int(value) if isinstance(distribution, IntDistribution) else float(value)


def _limit(name: str) -> str:
    return f"constraint {name}"


def _drawn_seed() -> int:
    return int(np.random.default_rng().integers(2**31))
