"""Builds the planner of a population from its study."""

from pegbox.schemas.population import Pb2Options, PbtOptions, mutable_parameters
from pegbox.schemas.study import StudySpec
from pegbox.search.population.first_members import FirstMembers
from pegbox.search.population.perturbation import Perturbation
from pegbox.search.population.planner import PopulationPlanner
from pegbox.search.space.encoding import SpaceEncoding


def population_planner(spec: StudySpec, encoding: SpaceEncoding) -> PopulationPlanner:
    """The planner of a study that `check_search` finds nothing wrong with."""
    mutable = mutable_parameters(spec.search, spec.train, spec.space)
    first = FirstMembers(encoding, spec.search_seed)
    if spec.search.method == "pb2":
        from pegbox.search.population.bandit import TimeVaryingBandit  # here: its model takes a second to load

        return PopulationPlanner(
            spec, Pb2Options.model_validate(spec.search.options), first, TimeVaryingBandit(encoding, mutable)
        )
    options = PbtOptions.model_validate(spec.search.options)
    explorer = Perturbation(encoding, mutable, options.resample, options.factors)
    return PopulationPlanner(spec, options, first, explorer)
