"""Can a user's function, command or estimator be found, and does it take what the space gives? Runs none of it."""

import ast
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.parameter_groups import gather_groups
from pegbox.schemas.space import Space
from pegbox.schemas.train import CommandTrain, FunctionTrain, SklearnTrain
from pegbox.training.sources import Definition, defined_names, find_definition, find_module, module_file, parse

TRIAL_ARGUMENT = "trial"
"""A function that has an argument of this name is given the trial."""

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w+)\}")
"""A name in braces; doubled braces stand for themselves."""

COMMAND_NAMES = ("trial", "seed", "epochs", "from_epochs", "checkpoint_dir", "resume_dir", "data_dir", "device")
"""Placeholders of a command beside the parameters."""


def check_import_path(import_path: str, place: tuple[str | int, ...]) -> tuple[Problem | None, Definition | None]:
    """What is wrong with `module:name`, and the definition where it could be read."""
    module, _, name = import_path.partition(":")
    if find_module(module) is None:
        message = (
            f"the module {module!r} of {import_path!r} was not found from {Path.cwd()}. "
            "Run from the directory that holds it, or install its package."
        )
        return Problem(message, place), None
    file = module_file(module)
    if file is not None and parse(file) is None:
        return Problem(f"{file} is not valid Python, so {import_path!r} cannot be imported. Correct it.", place), None
    found = find_definition(module, name.split(".")[0])
    if found is None:
        hint = suggest(name, defined_names(module)) if defined_names(module) else "It defines no function."
        return Problem(f"the module {module!r} has no {name!r}. {hint}", place), None
    return None, found.definition if "." not in name else None


def check_function(train: FunctionTrain, space: Space) -> tuple[Problem, ...]:
    """Problems of a function that trains."""
    problem, definition = check_import_path(train.function, ("train", "function"))
    if problem:
        return (problem,)
    if isinstance(definition, ast.FunctionDef):
        return tuple(_check_arguments(definition, train.function, space, ("train", "function")))
    return ()


def _check_arguments(
    function: ast.FunctionDef, import_path: str, space: Space, place: tuple[str | int, ...]
) -> Iterable[Problem]:
    arguments = function.args
    named = [one.arg for one in (*arguments.args, *arguments.kwonlyargs)]
    if is_define_by_run(named, arguments.kwarg is not None):
        yield from _check_suggestions(function, import_path, space)
        return
    handed = space.parameters if arguments.kwarg is not None else gather_groups(space.parameters, named)
    if arguments.kwarg is None:
        known = [name for name in named if name != TRIAL_ARGUMENT]
        for name in handed:
            if name not in known:
                hint = suggest(name, known) if known else "It takes no arguments."
                yield Problem(f"{import_path} takes no argument {name!r}. {hint}", ("space", name))
    with_default = named[len(arguments.args) - len(arguments.defaults) : len(arguments.args)]
    with_default += [
        one.arg for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value is not None
    ]
    always = {name for name, domain in handed.items() if isinstance(domain, Mapping) or not domain.when}
    for name in (*(one.arg for one in arguments.posonlyargs), *named):
        if name not in always and name not in with_default and name != TRIAL_ARGUMENT:
            why = "is conditional in the space" if name in space.parameters else "is not in the space"
            yield Problem(
                f"{import_path} needs the argument {name!r}, which {why}. Give it a default, or add it to the space.",
                place,
            )


def _check_suggestions(function: ast.FunctionDef, import_path: str, space: Space) -> Iterable[Problem]:
    """Parameters that an objective asks its trial for and that the space does not declare."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        if node.func.attr.startswith("suggest_") and isinstance(name, str) and name not in space.parameters:
            message = f"{import_path} asks for {name!r}, which is not in the space. {suggest(name, space.parameters)}"
            yield Problem(f"{message} Declare it.", ("space",))


def is_define_by_run(names: list[str], takes_any: bool) -> bool:
    """True for `def objective(trial)`: it asks the trial for its parameters instead of naming them."""
    return names == [TRIAL_ARGUMENT] and not takes_any


def check_sklearn(train: SklearnTrain, space: Space) -> tuple[Problem, ...]:
    """Problems of an estimator."""
    problem, definition = check_import_path(train.estimator, ("train", "estimator"))
    if problem:
        return (problem,)
    known = _constructor_names(definition)
    return tuple(
        Problem(f"{train.estimator} has no parameter {name!r}. {suggest(name, known)}", ("space", name))
        for name in space.parameters
        if known and name.split("__")[0] not in known
    )


def _constructor_names(definition: Definition | None) -> tuple[str, ...]:
    """Arguments of the class's own `__init__`; empty where it has none, or takes any."""
    for node in definition.body if isinstance(definition, ast.ClassDef) else ():
        if isinstance(node, ast.FunctionDef) and node.name == "__init__" and node.args.kwarg is None:
            return tuple(one.arg for one in (*node.args.args[1:], *node.args.kwonlyargs))
    return ()


def check_command(train: CommandTrain, space: Space, workers: int) -> tuple[Problem, ...]:
    """Problems of a command."""
    return (
        *_check_program(train.command[0]),
        *_check_placeholders(train, space),
        *_check_metrics(train.metrics, workers),
    )


def _check_program(program: str) -> Iterable[Problem]:
    if placeholders(program) or shutil.which(program):
        return
    yield Problem(
        f"the program {program!r} was not found, or may not be executed. Give its path, or install it.",
        ("train", "command", 0),
    )


def placeholders(text: str) -> tuple[str, ...]:
    """The names in braces."""
    return tuple(match[1] for match in PLACEHOLDER.finditer(text) if match[1])


def _check_placeholders(train: CommandTrain, space: Space) -> Iterable[Problem]:
    known = {*space.parameters, *COMMAND_NAMES}
    used: set[str] = set()
    for position, argument in enumerate(train.command):
        for name in placeholders(argument):
            used.add(name)
            if name not in known:
                yield Problem(f"no parameter is named {name!r}. {suggest(name, known)}", ("train", "command", position))
    if not used & set(space.parameters):
        return  # the program reads PEGBOX_CONFIGURATION
    for name in space.parameters:
        if name not in used:
            yield Problem(
                f"the command has no {{{name}}}, so {name} has no effect. Add it to train.command.", ("space", name)
            )


def _check_metrics(metrics: str, workers: int) -> Iterable[Problem]:
    place = ("train", "metrics")
    kind, _, rest = metrics.partition(":")
    if kind == "regex" and rest:
        try:
            groups = re.compile(rest).groupindex
        except re.error as error:
            yield Problem(f"{rest!r} is not a regular expression: {error}. Correct it.", place)
            return
        if not set(groups) - {"step", "epoch"}:
            yield Problem(f"{rest!r} names no metric. Write a named group, such as (?P<loss>\\S+).", place)
    elif kind == "file" and rest:
        if workers > 1 and not placeholders(rest):
            yield Problem(
                f"with {workers} workers all trials would write {rest!r}. Write `file:{{checkpoint_dir}}/{rest}`.",
                place,
            )
    elif metrics not in {"auto", "json", "name=value"}:
        known = "auto, json, name=value, file:<path>, regex:<expression>"
        yield Problem(f"metrics are read as one of {known}, got {metrics!r}. Choose one.", place)
