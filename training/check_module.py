"""Can a user's module, loss and metrics be found, and do they take what the space gives? Runs none of it."""

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pegbox.schemas.base import ImportPath
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.parameter_groups import gather_groups
from pegbox.schemas.space import Space
from pegbox.schemas.train import ModuleTrain
from pegbox.training.check_code import check_import_path
from pegbox.training.check_space import check_domains
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.measured_metrics import METRICS
from pegbox.training.sources import Definition
from pegbox.training.user_arguments import GIVEN_TO_A_LOSS, OF_THE_LOSS, OFFERED, Taken, loop_names, untaken


class Part(NamedTuple):
    """One import path of the section `train`, with what could be read of it."""

    key: str
    path: ImportPath
    taken: Taken | None
    """None where only running it would tell."""


def check_module(train: ModuleTrain, space: Space) -> tuple[Problem, ...]:
    """Problems of a study that trains a module of the user's."""
    broken, parts = _read_parts(train)
    return (
        *broken,
        *_check_metric_names(train),
        *check_domains(space, loop_names(train) & set(space.parameters), OptimisationHyperparameters, "the loop"),
        *(() if broken else (*_check_untaken(train, space, parts), *_check_needed(train, space, parts))),
    )


def _read_parts(train: ModuleTrain) -> tuple[list[Problem], list[Part]]:
    paths = {"module": train.module, "loss": train.loss, "loaders": train.loaders}
    problems: list[Problem] = []
    parts: list[Part] = []
    for key, path in paths.items():
        if path is None:
            continue
        problem, definition = check_import_path(path, ("train", key))
        problems += [problem] if problem else []
        parts.append(Part(key, path, _taken(definition, GIVEN_TO_A_LOSS if key == "loss" else 0)))
    for name, path in train.metrics.items():
        problem, _ = check_import_path(path, ("train", "metrics", name))
        problems += [problem] if problem else []
    return problems, parts


def _taken(definition: Definition | None, n_given: int) -> Taken | None:
    """The arguments that a definition shows; None for a class that inherits its constructor."""
    function = definition
    if isinstance(definition, ast.ClassDef):
        n_given = 1  # self
        own = [one for one in definition.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
        if not own:
            return None
        function = own[0]
    if not isinstance(function, ast.FunctionDef):
        return None
    arguments = function.args
    positional = [one.arg for one in arguments.args]
    n_needed = len(positional) - len(arguments.defaults)
    needed = positional[:n_needed] + [
        one.arg for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value is None
    ]
    names = [*positional, *(one.arg for one in arguments.kwonlyargs)]
    own_names = names[n_given:]
    return Taken(tuple(own_names), tuple(one for one in needed if one in own_names), arguments.kwarg is not None)


def _check_metric_names(train: ModuleTrain) -> Iterator[Problem]:
    known = {name.removeprefix("val_") for names in METRICS.values() for name in names}
    for name in train.metrics:
        if name in known:
            message = f"the metric {name!r} is measured already. Give yours another name."
            yield Problem(message, ("train", "metrics", name))


def _check_untaken(train: ModuleTrain, space: Space, parts: list[Part]) -> Iterator[Problem]:
    takers = [part.taken for part in parts if part.taken is not None]
    if len(takers) < len(parts):
        return
    for name in untaken(space.parameters, train, takers):
        if train.loss and name in OF_THE_LOSS:
            message = f"{name} belongs to pegbox's own loss, and train.loss is {train.loss}. Take it there by name."
            yield Problem(message, ("space", name))
            continue
        known = sorted({*loop_names(train), *(one for taker in takers for one in taker.names)} - set(OFFERED))
        yield Problem(f"neither {train.module} nor the loop takes {name!r}. {suggest(name, known)}", ("space", name))


def _check_needed(train: ModuleTrain, space: Space, parts: list[Part]) -> Iterator[Problem]:
    for part in parts:
        taken = part.taken or Taken((), ())
        handed = gather_groups(space.parameters, taken.names)
        always = {name for name, domain in handed.items() if isinstance(domain, Mapping) or not domain.when}
        always |= set(_offered(train, part))
        for name in taken.needed:
            if name not in always:
                why = "is conditional in the space" if name in space.parameters else "is not in the space"
                message = f"{part.path} needs the argument {name!r}, which {why}. Give it a default, or add it there."
                yield Problem(message, ("train", part.key))


def _offered(train: ModuleTrain, part: Part) -> tuple[str, ...]:
    """What is given by name beside the parameters of the space."""
    if part.key != "module" or train.loaders:
        return ("batch_size",) if part.key == "loaders" else ()
    return tuple(name for name in OFFERED if not (name == "n_classes" and train.task == "regression"))
