"""Can a user's function or estimator be found, and does it take what the space gives? Runs none of it."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.parameter_groups import gather_groups
from pegbox.schemas.plan import EPOCHS
from pegbox.schemas.space import Space
from pegbox.schemas.train import FunctionTrain, SklearnTrain
from pegbox.training.sources import Definition, defined_names, find_definition, find_module, module_file, parse

TRIAL_ARGUMENT = "trial"
"""A function that has an argument of this name is given the trial."""


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


def check_function(train: FunctionTrain, space: Space, fidelity: str = EPOCHS) -> tuple[Problem, ...]:
    """Problems of a function that trains.

    Args:
        train: The function.
        space: What it is handed.
        fidelity: What of it is the amount of a fidelity; it may be read as `trial.budget` instead.
    """
    problem, definition = check_import_path(train.function, ("train", "function"))
    if problem:
        return (problem,)
    if isinstance(definition, ast.FunctionDef):
        named = [one.arg for one in (*definition.args.args, *definition.args.kwonlyargs)]
        if reads_budget_of_trial(named, fidelity) and not is_define_by_run(named, takes_any=False):
            space = space.model_copy(
                update={"parameters": {name: one for name, one in space.parameters.items() if name != fidelity}}
            )
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


def reads_budget_of_trial(names: list[str], fidelity: str) -> bool:
    """True for `def run(lr, trial)`: the amount of a fidelity that it does not name it knows as `trial.budget`."""
    return TRIAL_ARGUMENT in names and fidelity not in names


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
