"""Builds the methods that keep a model of the losses; apart from `methods`, which must not load scipy."""

from collections.abc import Sequence

from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.options import BayesOptions, FreezeThawOptions
from pegbox.search.samplers.bayes import BayesSampler, BayesSettings
from pegbox.search.schedules.freeze_thaw import FreezeThawPlanner
from pegbox.search.space.encoding import SpaceEncoding


def bayes_for(
    spec: StudySpec, encoding: SpaceEncoding, options: FreezeThawOptions, earlier: Sequence[History]
) -> BayesSampler:
    """The sampler `bayes`."""
    per = options.per if isinstance(options, BayesOptions) else None
    settings = BayesSettings(n_initial=options.initial, per=per)
    return BayesSampler(encoding, spec.full_budget, spec.search_seed, settings, earlier)


def freeze_thaw_for(spec: StudySpec, encoding: SpaceEncoding, earlier: Sequence[History]) -> FreezeThawPlanner:
    """The planner `freeze_thaw`."""
    options = FreezeThawOptions.model_validate(spec.search.options)
    return FreezeThawPlanner(spec, encoding, bayes_for(spec, encoding, options, earlier))
