"""The search methods by name: checks what a study asks for and builds its strategy; no method lives here."""

from collections.abc import Callable
from typing import NamedTuple

from pegbox.schemas.base import Configuration, Schema
from pegbox.schemas.errors import Problem, StudyError, suggest
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec
from pegbox.search.asha import AshaSchedule
from pegbox.search.bayes import BayesSampler, BayesSettings
from pegbox.search.budgeted import BudgetedStrategy
from pegbox.search.composed import ComposedPlanner
from pegbox.search.encoding import SpaceEncoding
from pegbox.search.freeze_thaw import FreezeThawPlanner
from pegbox.search.full import FullSchedule
from pegbox.search.genetic import GeneticSampler, GeneticSettings
from pegbox.search.grid import GridSampler
from pegbox.search.halving import HalvingSchedule
from pegbox.search.median import MedianSchedule
from pegbox.search.options import (
    AshaOptions,
    BayesOptions,
    GeneticOptions,
    GridOptions,
    HalvingOptions,
    MedianOptions,
    NoOptions,
    check_options,
)
from pegbox.search.random_sampler import RandomSampler
from pegbox.search.sobol import SobolSampler
from pegbox.search.strategy import Planner, Sampler, Schedule, Strategy

SamplerFactory = Callable[[StudySpec, SpaceEncoding, Schema], Sampler]
ScheduleFactory = Callable[[StudySpec, Schema], Schedule]


class SamplerMethod(NamedTuple):
    """A sampler by name."""

    options: type[Schema]
    build: SamplerFactory


class ScheduleMethod(NamedTuple):
    """A schedule by name."""

    options: type[Schema]
    build: ScheduleFactory


def _grid(spec: StudySpec, encoding: SpaceEncoding, options: Schema) -> Sampler:
    assert isinstance(options, GridOptions)
    return GridSampler(encoding, options.points)


def _bayes(spec: StudySpec, encoding: SpaceEncoding, options: Schema) -> Sampler:
    assert isinstance(options, BayesOptions)
    settings = BayesSettings(n_initial=options.initial)
    return BayesSampler(encoding, spec.full_budget, spec.search_seed, settings)


def _freeze_thaw(spec: StudySpec, encoding: SpaceEncoding) -> Planner:
    options = BayesOptions.model_validate(spec.search.options)
    sampler = BayesSampler(encoding, spec.full_budget, spec.search_seed, BayesSettings(n_initial=options.initial))
    return FreezeThawPlanner(spec, encoding, sampler)


def _genetic(spec: StudySpec, encoding: SpaceEncoding, options: Schema) -> Sampler:
    assert isinstance(options, GeneticOptions)
    return GeneticSampler(encoding, spec.search_seed, GeneticSettings(population=options.population))


def _sobol(spec: StudySpec, encoding: SpaceEncoding, options: Schema) -> Sampler:
    return SobolSampler(encoding, spec.search_seed)


def _asha(spec: StudySpec, options: Schema) -> Schedule:
    assert isinstance(options, AshaOptions)
    return AshaSchedule(spec, options.brackets)


def _halving(spec: StudySpec, options: Schema) -> Schedule:
    assert isinstance(options, HalvingOptions)
    return HalvingSchedule.halving(spec, options.size)


def _median(spec: StudySpec, options: Schema) -> Schedule:
    assert isinstance(options, MedianOptions)
    return MedianSchedule(spec, options.warmup)


SAMPLERS: dict[str, SamplerMethod] = {
    "auto": SamplerMethod(NoOptions, _sobol),
    "bayes": SamplerMethod(BayesOptions, _bayes),
    "genetic": SamplerMethod(GeneticOptions, _genetic),
    "grid": SamplerMethod(GridOptions, _grid),
    "random": SamplerMethod(NoOptions, lambda spec, encoding, options: RandomSampler(encoding)),
    "sobol": SamplerMethod(NoOptions, _sobol),
}
SCHEDULES: dict[str, ScheduleMethod] = {
    "asha": ScheduleMethod(AshaOptions, _asha),
    "full": ScheduleMethod(NoOptions, lambda spec, options: FullSchedule()),
    "halving": ScheduleMethod(HalvingOptions, _halving),
    "hyperband": ScheduleMethod(NoOptions, lambda spec, options: HalvingSchedule.hyperband(spec)),
    "median": ScheduleMethod(MedianOptions, _median),
}
ADAPTED = ("optuna", "hyperopt")


def strategy_for(spec: StudySpec) -> Strategy:
    """The strategy that a study asks for.

    Raises:
        StudyError: The study asks for a method or an option that there is not.
    """
    problems = check_search(spec)
    if problems:
        raise StudyError(problems, source=spec.name)
    encoding = SpaceEncoding(spec.space)
    if spec.search.method == "freeze_thaw":
        return BudgetedStrategy(encoding, _freeze_thaw(spec, encoding))
    schedule = SCHEDULES[spec.fidelity.schedule]
    options = schedule.options.model_validate(spec.fidelity.options)
    planner = ComposedPlanner(sampler_for(spec, encoding), schedule.build(spec, options))
    return BudgetedStrategy(encoding, planner)


def sampler_for(spec: StudySpec, encoding: SpaceEncoding | None = None) -> Sampler:
    """The sampler that a study asks for; the study is one that `check_search` finds nothing wrong with."""
    method = SAMPLERS[spec.search.method]
    options = method.options.model_validate(spec.search.options)
    return method.build(spec, encoding or SpaceEncoding(spec.space), options)


def check_search(spec: StudySpec) -> tuple[Problem, ...]:
    """What is wrong with the search, the fidelity and the known configurations of a study; nothing is built."""
    return (*_check_sampler(spec), *_check_schedule(spec), *_check_enqueued(spec), *_check_warm_start(spec))


def _check_sampler(spec: StudySpec) -> tuple[Problem, ...]:
    name, path = spec.search.method, ("search", "method")
    if name.partition(":")[0] in ADAPTED:
        return (
            Problem(
                f"The search method {name!r} is not available yet. Use one of {', '.join(sorted(SAMPLERS))}.", path
            ),
        )
    if name == "freeze_thaw":
        return _check_freeze_thaw(spec)
    if name not in SAMPLERS:
        return (Problem(f"Unknown search method {name!r}. {suggest(name, [*SAMPLERS, 'freeze_thaw'])}", path),)
    return check_options(SAMPLERS[name].options, spec.search.options, ("search", "options"))


def _check_freeze_thaw(spec: StudySpec) -> tuple[Problem, ...]:
    problems = check_options(BayesOptions, spec.search.options, ("search", "options"))
    if spec.objectives:
        problems += (Problem("freeze_thaw takes one objective. Use bayes for several.", ("search", "method")),)
    if spec.fidelity.schedule != "full":
        message = "freeze_thaw decides itself how far to train. Leave the schedule out; min, max and factor hold."
        problems += (Problem(message, ("fidelity", "schedule")),)
    return problems


def _check_schedule(spec: StudySpec) -> tuple[Problem, ...]:
    name, path = spec.fidelity.schedule, ("fidelity", "schedule")
    if name not in SCHEDULES:
        return (Problem(f"Unknown schedule {name!r}. {suggest(name, SCHEDULES)}", path),)
    return check_options(SCHEDULES[name].options, spec.fidelity.options, ("fidelity", "options"))


def _check_warm_start(spec: StudySpec) -> tuple[Problem, ...]:
    if spec.search.warm_start == "none":
        return ()
    return (Problem("Learning from earlier studies is not available yet. Use `none`.", ("search", "warm_start")),)


def _check_enqueued(spec: StudySpec) -> tuple[Problem, ...]:
    return tuple(
        Problem(message, ("search", "enqueue", position))
        for position, configuration in enumerate(spec.search.enqueue)
        if (message := _misfit(spec.space, configuration)) is not None
    )


def _misfit(space: Space, configuration: Configuration) -> str | None:
    """Why a known configuration does not belong to the space; None where it does."""
    for name, value in configuration.items():
        if name not in space.parameters:
            return f"Unknown parameter {name!r}. {suggest(name, space.parameters)}"
        if not space.is_active(name, configuration):
            return f"{name} is not active here, because its condition does not hold. Leave it out."
        if not space.parameters[name].contains(value):
            return f"{name} cannot be {value!r}, because its domain does not hold it."
    missing = [name for name in space.names() if space.is_active(name, configuration) and name not in configuration]
    if missing:
        return f"A known configuration sets every active parameter, but {', '.join(missing)} is missing. Add it."
    return "The configuration is forbidden." if space.is_forbidden(configuration) else None
