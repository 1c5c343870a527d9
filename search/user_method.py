"""Samplers and schedules of the user's by import path: `search.method: my_project:MySampler`."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.decision import Continue, Done, Stop, Wait
from pegbox.schemas.errors import Problem, SearchError, suggest
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.strategy import Begin, Sampler, Schedule

LIBRARIES = ("optuna", "hyperopt")
"""What may stand before the colon and is no module of the user's."""


def is_import_path(name: str) -> bool:
    """True for `module:name` of the user's own."""
    module, colon, attribute = name.partition(":")
    return bool(colon and module and attribute) and module not in LIBRARIES


def check_import(path: str, verb: str, place: tuple[str, ...]) -> tuple[Problem, ...]:
    """What is wrong with an import path of something that has a verb; it is imported, because nothing else shows that.

    Args:
        path: `module:name`.
        verb: The method that it must have, `propose` or `decide`.
        place: Where it stands in the study file.
    """
    try:
        found = _imported(path)
    except SearchError as error:
        return (Problem(str(error), place),)
    if callable(getattr(found, verb, None)) or not isinstance(found, type):
        return ()  # a function that makes one is known by what it makes
    return (Problem(f"{path} has no method {verb!r}, which pegbox calls. Write it.", place),)


def user_sampler(path: str, spec: StudySpec, encoding: SpaceEncoding) -> Sampler:
    """A sampler of the user's, held to what every sampler keeps.

    Raises:
        SearchError: It cannot be imported or made.
    """
    return CheckedSampler(path, _made(path, spec, spec.search.options), encoding)


def user_schedule(path: str, spec: StudySpec) -> Schedule:
    """A schedule of the user's, held to what every schedule keeps.

    Raises:
        SearchError: It cannot be imported or made.
    """
    return CheckedSchedule(path, _made(path, spec, spec.fidelity.options), spec.full_budget)


class CheckedSampler:
    """Lets no proposal outside of the space pass; what was tried before gives way to something untried."""

    def __init__(self, path: str, sampler: Any, encoding: SpaceEncoding) -> None:
        self._path, self._sampler = path, sampler
        self._space = encoding.space
        self._novelty = Deduplication(encoding)

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """Its proposals, asked for one at a time.

        Raises:
            SearchError: One is no configuration of the space.
        """
        # One at a time, as built-in samplers are asked by the loop: a user's code need not mind its own batch.
        return self._novelty.draw(history, count, lambda: self._one(history, rng))

    def _one(self, history: History, rng: np.random.Generator) -> Configuration:
        proposed = self._sampler.propose(history, 1, rng)
        if not isinstance(proposed, list | tuple) or len(proposed) != 1 or not isinstance(proposed[0], Mapping):
            raise SearchError(f"{self._path} must propose a list of one configuration, got {proposed!r:.200}.")
        configuration = dict(proposed[0])
        # A forbidden one is no error: it is drawn again, as for samplers of ours that do not look at `forbid` either.
        if not self._space.contains(configuration) and not self._space.is_forbidden(configuration):
            raise SearchError(
                f"{self._path} proposed {configuration!r:.200}, which the space does not hold. Set each active "
                f"parameter of {', '.join(self._space.order)} to a value of its domain."
            )
        return configuration


class CheckedSchedule:
    """Lets no step pass that a study cannot take."""

    def __init__(self, path: str, schedule: Any, full_budget: int) -> None:
        self._path, self._schedule, self._full_budget = path, schedule, full_budget

    def decide(self, history: History, can_begin: bool) -> Begin | Continue | Stop | Wait | Done:
        """Its step.

        Raises:
            SearchError: It is none that a study can take now.
        """
        step = self._schedule.decide(history, can_begin)
        if misfit := self._misfit(step, history, can_begin):
            raise SearchError(f"{self._path} decided {step!r:.200}, but {misfit}")
        checked: Begin | Continue | Stop | Wait | Done = step
        return checked

    def _misfit(self, step: Any, history: History, can_begin: bool) -> str | None:
        """Why a step cannot be taken, as half a sentence; None where it can."""
        match step:
            case Begin() if not can_begin:
                return "no further trial may begin now (can_begin is False)."
            case Begin(to_budget=budget) | Continue(to_budget=budget) if not 1 <= budget <= self._full_budget:
                return f"a trial is trained to between 1 and {self._full_budget} epochs."
            case Continue(trial=number) | Stop(trial=number) if number not in {one.number for one in history.active}:
                return f"trial {number} is not there, or its life is over."
            case Wait() if not history.running:
                return "nothing runs that it could wait for."
            case Begin() | Continue() | Stop() | Wait() | Done():
                return None
        return "a step is Begin, Continue, Stop, Wait or Done."


def _made(path: str, spec: StudySpec, options: Mapping[str, Any]) -> Any:
    make: Callable[..., Any] = _imported(path)
    try:
        return make(spec, **options)
    except TypeError as error:
        raise SearchError(f"{path} is called with the study and its options {dict(options)!r}: {error}.") from error


def _imported(path: str) -> Any:
    module_name, _, name = path.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # as for functions: modules are found from the working directory
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise SearchError(f"{path} cannot be imported from {Path.cwd()}: {error}.") from error
    found: Any = getattr(module, name, None)
    if not callable(found):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        hint = suggest(name, known) if known else "It defines none."
        raise SearchError(f"the module {module_name!r} has no class or function {name!r}. {hint}")
    return found
