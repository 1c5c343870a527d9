"""Optuna's samplers behind our seam: each proposal rebuilds a study of Optuna from our history, and keeps none."""

import inspect
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import Problem, SearchError, suggest
from pegbox.schemas.history import History
from pegbox.schemas.plan import Constraint, Objective
from pegbox.schemas.trial import Trial, TrialState
from pegbox.search.objectives import losses_of
from pegbox.search.samplers.optuna_distributions import OptunaTerms
from pegbox.search.samplers.optuna_hub import PREFIX, hub_sampler
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.trial_cache import TrialCache

READS_VALUES_ONLY = ("TPESampler", "GPSampler", "RandomSampler", "BruteForceSampler")
"""Samplers that need no more than parameters and values; the others keep notes in the study, and are asked again for
each trial of the history, so that they write them."""
KEEPS_CONSTRAINTS = ("GPSampler", "NSGAIIISampler", "NSGAIISampler", "TPESampler")
MOST_TRIALS = 1000
"""Trials that are handed over: the latest; what rebuilding costs is bounded by it."""
LIBRARY_TRIES = 4
"""Asks in which the library may repeat what was tried, before uniform draws take its place; picked by hand."""


class OptunaSampler:
    """Any sampler of optuna.samplers, or of OptunaHub, that is built from plain arguments."""

    def __init__(self, encoding: SpaceEncoding, name: str, arguments: Mapping[str, Any], seed: int) -> None:
        self._encoding, self._name, self._arguments, self._seed = encoding, name, dict(arguments), seed
        self._terms = OptunaTerms(encoding)
        self._novelty = Deduplication(encoding)
        self._goals: tuple[Objective, ...] = ()
        self._constraints: tuple[Constraint, ...] = ()
        self._frozen = TrialCache(self._freeze)

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """What the library suggests; uniform draws where it only repeats itself."""
        with _quiet():
            study = self._study(history, rng)
            tries = iter(range(LIBRARY_TRIES * count))

            def sample() -> Configuration:
                if next(tries, None) is None:
                    return self._encoding.decode(rng.random(self._encoding.n_dims))
                return self._terms.suggest(study.ask())

            return self._novelty.draw(history, count, sample)

    def _study(self, history: History, rng: np.random.Generator) -> Any:
        import optuna

        keeps_notes = self._name not in READS_VALUES_ONLY
        # A sampler that is asked again for each trial must draw what it drew then, so it keeps the study's seed. The
        # others begin anew at each decision, and would draw the same numbers every time with a fixed one.
        seed = self._seed if keeps_notes else int(rng.integers(2**31))
        study = optuna.create_study(
            directions=["minimize"] * len(history.objectives), sampler=_build(self._name, self._arguments, seed)
        )
        if (self._goals, self._constraints) != (history.objectives, history.spec.constraints):
            self._goals, self._constraints = history.objectives, history.spec.constraints
            self._frozen = TrialCache(self._freeze)
        frozen = self._frozen.rows(history.trials)[-MOST_TRIALS:]
        if keeps_notes:
            self._replay(study, frozen)
        else:
            study.add_trials(frozen)
        return study

    def _replay(self, study: Any, frozen: list[Any]) -> None:
        for past in frozen:
            # Enqueued, so that asking goes through the sampler, which takes its notes, and still gives what was tried.
            study.enqueue_trial(past.params)
            asked = study.ask()
            self._terms.suggest(asked)
            for name, violation in past.constraints.items():
                asked.set_constraint(name, violation)
            if past.state.is_finished():
                study.tell(asked, past.values, state=past.state)

    def _freeze(self, trial: Trial) -> Any:
        from optuna.trial import TrialState as Their
        from optuna.trial import create_trial

        losses = losses_of(trial, self._goals)
        state = Their.RUNNING
        if trial.state is TrialState.FAILED or (trial.state.is_finished and losses is None):
            state = Their.FAIL
        elif trial.state is TrialState.COMPLETED:
            state = Their.COMPLETE
        elif losses is not None and len(losses) == 1 and trial.state in {TrialState.PAUSED, TrialState.STOPPED}:
            state = Their.PRUNED
        frozen = create_trial(
            state=state,
            values=losses if state is Their.COMPLETE else None,
            params=self._terms.outward(trial.configuration),
            distributions=self._terms.distributions(trial.configuration),
            intermediate_values={trial.budget: losses[0]} if state is Their.PRUNED and losses else None,
        )
        if state is Their.COMPLETE:
            for number, constraint in enumerate(self._constraints):
                violation = trial.violation(constraint)
                # Infinite where it was not measured: unknown must not pass for kept.
                frozen.set_constraint(str(number), math.inf if violation is None else violation)
        return frozen


def check_optuna(name: str, arguments: Mapping[str, Any], has_constraints: bool) -> tuple[Problem, ...]:
    """What is wrong with the name or the arguments of one of Optuna's samplers, or with limits that it cannot keep."""
    path = ("search", "method")
    try:
        import optuna
    except ImportError:
        return (Problem("Optuna is not installed. Run `pip install 'pegbox[optuna]'`.", path),)
    known = [one for one in dir(optuna.samplers) if one.endswith("Sampler") and not one.startswith("Base")]
    if name not in known and not name.startswith(PREFIX):
        return (Problem(f"Unknown sampler {name!r} of Optuna. {suggest(name, known)}", path),)
    try:
        kind = _kind(name)
    except SearchError as error:
        return (Problem(str(error), path),)
    if has_constraints and name not in KEEPS_CONSTRAINTS:
        message = f"{name} of Optuna keeps no constraints. Use bayes, genetic, or {' or '.join(KEEPS_CONSTRAINTS)}."
        return (Problem(message, path),)
    accepted = set(inspect.signature(kind).parameters) - {"seed"}
    unknown = [one for one in arguments if one not in accepted]
    if unknown:
        return tuple(
            Problem(f"Unknown option {one!r} of {name}. {suggest(one, accepted)}", ("search", "options", one))
            for one in unknown
        )
    try:
        with _quiet():
            _build(name, arguments, 0)
    except (TypeError, ValueError, ImportError) as error:
        return (Problem(f"{name} cannot be built with these options: {error}.", ("search", "options")),)
    return ()


def _build(name: str, arguments: Mapping[str, Any], seed: int) -> Any:
    kind = _kind(name)
    takes_seed = "seed" in inspect.signature(kind).parameters
    return kind(**arguments, **({"seed": seed} if takes_seed else {}))


def _kind(name: str) -> type[Any]:
    """The class of a sampler; that of an OptunaHub package where the name begins with `hub/`."""
    import optuna

    kind: type[Any] = (
        hub_sampler(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else getattr(optuna.samplers, name)
    )
    return kind


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's log lines and its warnings about experimental features."""
    import optuna

    # Put back afterwards: the level is the process's, and a user's own training may use Optuna as well.
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
