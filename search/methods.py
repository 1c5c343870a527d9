"""The search methods by name: checks what a study asks for and builds its strategy; no method lives here.

Methods are imported when they are built, so that checking a study loads neither scipy nor another library.
"""

from collections.abc import Sequence

# What is imported here is loaded whenever a study is checked; scipy alone takes a second.
from pegbox.schemas.base import Schema
from pegbox.schemas.errors import Problem, StudyError, suggest
from pegbox.schemas.history import History
from pegbox.schemas.population import POPULATION_METHODS, Pb2Options, PbtOptions
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import FamiliesTrain
from pegbox.search.auto_method import choose_method
from pegbox.search.budgeted import BudgetedStrategy
from pegbox.search.composed import ComposedPlanner
from pegbox.search.options import (
    AshaOptions,
    BayesOptions,
    FreezeThawOptions,
    GeneticOptions,
    GridOptions,
    HalvingOptions,
    MedianOptions,
    NoOptions,
    check_options,
)
from pegbox.search.population.checks import check_population
from pegbox.search.samplers.early_families import EarlyFamilies
from pegbox.search.schedules.fold_stopping import FoldStopping, judges_folds
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.space.enqueued import check_enqueued, check_priors
from pegbox.search.space.scales import by_magnitude
from pegbox.search.strategy import Ending, Planner, Sampler, Schedule, Strategy
from pegbox.search.user_method import check_import, is_import_path, user_sampler, user_schedule
from pegbox.search.warm_start_sources import check_warm_start

METHODS: dict[str, type[Schema]] = {
    "auto": NoOptions,
    "bayes": BayesOptions,
    "freeze_thaw": FreezeThawOptions,
    "genetic": GeneticOptions,
    "grid": GridOptions,
    "pb2": Pb2Options,
    "pbt": PbtOptions,
    "random": NoOptions,
    "sobol": NoOptions,
}
"""Our own methods and the schemas of their arguments; beside them stand `optuna:<Sampler>`, `hyperopt:<algorithm>` and
import paths of the user's."""
SCHEDULES: dict[str, type[Schema]] = {
    "asha": AshaOptions,
    "auto": NoOptions,
    "full": NoOptions,
    "halving": HalvingOptions,
    "hyperband": NoOptions,
    "median": MedianOptions,
}
LEARNING = ("bayes", "freeze_thaw", "genetic")
"""Our own methods that go by how far apart configurations are; the others cover the space as it is declared."""


def strategy_for(spec: StudySpec, earlier: Sequence[History] = ()) -> Strategy:
    """The strategy that a study asks for.

    Args:
        spec: The study.
        earlier: Histories of earlier studies that `bayes` and `freeze_thaw` learn from; other methods do not.

    Raises:
        StudyError: The study asks for a method or an option that there is not.
    """
    # Checked again, since a study may be built in Python and never have met `validate`.
    problems = check_search(spec)
    if problems:
        raise StudyError(problems, source=spec.name)
    encoding = SpaceEncoding(searched_space(spec))
    strategy = BudgetedStrategy(encoding, _planner(spec, encoding, earlier), _ending(spec, encoding))
    return FoldStopping(strategy) if judges_folds(spec) else strategy


def sampler_for(spec: StudySpec) -> Sampler:
    """The sampler that a study asks for; the study is one that `check_search` finds nothing wrong with."""
    return _sampler(spec, SpaceEncoding(searched_space(spec)))


def searched_space(spec: StudySpec) -> Space:
    """The space on the scales that the study's method searches it on: those declared, but for wide ranges."""
    # By the study alone: where `auto` changes its mind later, it is between methods that learn, which share a scale.
    return by_magnitude(spec.space) if choose_method(spec).method in LEARNING else spec.space


def check_search(spec: StudySpec) -> tuple[Problem, ...]:
    """What is wrong with the search, the fidelity and the known configurations of a study; nothing is built."""
    return (
        *_check_method(spec),
        *_check_schedule(spec),
        *_check_improvement(spec),
        *check_enqueued(spec),
        *check_priors(spec, choose_method(spec).method),
        *check_warm_start(spec),
    )


def _ending(spec: StudySpec, encoding: SpaceEncoding) -> Ending | None:
    """What ends the search beside the limits that are counted."""
    if spec.budget.improvement is None:
        return None
    from pegbox.search.model.expected_gain import ExpectedGain

    return ExpectedGain(encoding, spec.full_budget)


def _planner(spec: StudySpec, encoding: SpaceEncoding, earlier: Sequence[History]) -> Planner:
    if spec.search.method in POPULATION_METHODS:
        from pegbox.search.population.build import population_planner

        return population_planner(spec, encoding)
    if spec.search.method != "freeze_thaw":
        return ComposedPlanner(_sampler(spec, encoding, earlier), _schedule(spec))
    from pegbox.search.model_methods import freeze_thaw_for

    return freeze_thaw_for(spec, encoding, earlier)


def _sampler(spec: StudySpec, encoding: SpaceEncoding, earlier: Sequence[History] = ()) -> Sampler:
    sampler = _deciding_sampler(spec, encoding, earlier)
    return EarlyFamilies(sampler, spec.train, encoding) if isinstance(spec.train, FamiliesTrain) else sampler


def _deciding_sampler(spec: StudySpec, encoding: SpaceEncoding, earlier: Sequence[History]) -> Sampler:
    if spec.search.method != "auto":
        return _named_sampler(spec.search.method, spec, encoding, earlier)
    from pegbox.search.samplers.auto import AutoSampler

    return AutoSampler(spec, lambda method: _named_sampler(method, spec, encoding, earlier))


def _named_sampler(method: str, spec: StudySpec, encoding: SpaceEncoding, earlier: Sequence[History]) -> Sampler:
    library, _, name = method.partition(":")
    if library == "optuna":
        from pegbox.search.samplers.optuna_sampler import OptunaSampler

        return OptunaSampler(encoding, name, spec.search.options, spec.search_seed)
    if library == "hyperopt":
        from pegbox.search.samplers.hyperopt_sampler import HyperoptSampler

        return HyperoptSampler(encoding, name, spec.search.options)
    if is_import_path(method):
        return user_sampler(method, spec, encoding)
    options = METHODS[method].model_validate(spec.search.options)
    if isinstance(options, BayesOptions):
        from pegbox.search.model_methods import bayes_for

        return bayes_for(spec, encoding, options, earlier)
    return _own_sampler(spec, encoding, options, method)


def _own_sampler(spec: StudySpec, encoding: SpaceEncoding, options: Schema, method: str) -> Sampler:
    if isinstance(options, GeneticOptions):
        from pegbox.search.samplers.genetic import GeneticSampler, GeneticSettings

        return GeneticSampler(encoding, spec.search_seed, GeneticSettings(population=options.population))
    if isinstance(options, GridOptions):
        from pegbox.search.samplers.grid import GridSampler

        return GridSampler(encoding, options.points)
    if method == "sobol":
        from pegbox.search.samplers.sobol import SobolSampler

        return SobolSampler(encoding, spec.search_seed)
    from pegbox.search.samplers.random_sampler import RandomSampler

    return RandomSampler(encoding)


def _schedule(spec: StudySpec) -> Schedule:
    if is_import_path(spec.fidelity.schedule):
        return user_schedule(spec.fidelity.schedule, spec)
    from pegbox.search.schedules.asha import AshaSchedule
    from pegbox.search.schedules.full_budget import FullSchedule
    from pegbox.search.schedules.halving import HalvingSchedule
    from pegbox.search.schedules.median import MedianSchedule

    name = spec.trial_schedule.name
    if spec.fidelity.schedule == "auto" and name == "asha":
        from pegbox.search.schedules.auto_schedule import AutoSchedule

        return AutoSchedule(spec)
    match SCHEDULES[name].model_validate(spec.fidelity.options):
        case AshaOptions(brackets=brackets):
            return AshaSchedule(spec, brackets)
        case HalvingOptions(size=size):
            return HalvingSchedule.halving(spec, size)
        case MedianOptions(warmup=warmup):
            return MedianSchedule(spec, warmup)
        case _:
            return HalvingSchedule.hyperband(spec) if name == "hyperband" else FullSchedule()


def _check_method(spec: StudySpec) -> tuple[Problem, ...]:
    method, path = spec.search.method, ("search", "method")
    library, _, name = method.partition(":")
    if library == "optuna":
        from pegbox.search.samplers.optuna_sampler import check_optuna

        return check_optuna(name, spec.search.options, bool(spec.constraints))
    if library == "hyperopt":
        from pegbox.search.samplers.hyperopt_sampler import check_hyperopt

        return (*check_hyperopt(name, spec.search.options), *_check_one_objective(spec), *_check_no_constraints(spec))
    if is_import_path(method):
        return check_import(method, "propose", path)
    if method not in METHODS:
        known = [*METHODS, "optuna:TPESampler", "hyperopt:tpe", "my_project:MySampler"]
        return (Problem(f"Unknown search method {method!r}. {suggest(method, known)}", path),)
    problems = check_options(METHODS[method], spec.search.options, ("search", "options"))
    if method == "freeze_thaw" and spec.trial_schedule.name != "full":
        message = "freeze_thaw decides itself how far to train. Leave the schedule out; min, max and factor hold."
        problems += (Problem(message, ("fidelity", "schedule")),)
    if method == "freeze_thaw" or method in POPULATION_METHODS:
        problems += (*_check_one_objective(spec), *_check_no_constraints(spec))
    return (*problems, *check_population(spec)) if method in POPULATION_METHODS and not problems else problems


def _check_one_objective(spec: StudySpec) -> tuple[Problem, ...]:
    if len(spec.goals) == 1:
        return ()
    message = f"{spec.search.method} takes one objective, got {len(spec.goals)}. Use bayes or genetic for several."
    return (Problem(message, ("search", "method")),)


def _check_no_constraints(spec: StudySpec) -> tuple[Problem, ...]:
    if not spec.constraints:
        return ()
    return (Problem(f"{spec.search.method} keeps no constraints. Use bayes or genetic.", ("search", "method")),)


def _check_improvement(spec: StudySpec) -> tuple[Problem, ...]:
    if spec.budget.improvement is None or len(spec.goals) == 1:
        return ()
    message = f"improvement is that of one objective, got {len(spec.goals)}. Use stagnation for several."
    return (Problem(message, ("budget", "improvement")),)


def _check_schedule(spec: StudySpec) -> tuple[Problem, ...]:
    name = spec.fidelity.schedule
    if is_import_path(name):
        return check_import(name, "decide", ("fidelity", "schedule"))
    if name not in SCHEDULES:
        return (Problem(f"Unknown schedule {name!r}. {suggest(name, SCHEDULES)}", ("fidelity", "schedule")),)
    return check_options(SCHEDULES[name], spec.fidelity.options, ("fidelity", "options"))
