"""Tells whose file it is (W&B, Katib, Hydra, Ray Tune, Optuna, Hyperopt, scikit-learn) and makes a study file of it."""

import ast
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pegbox.integrations.draft import TRIALS, Draft, render
from pegbox.integrations.hydra_sweep import draft_from_hydra, is_hydra_sweep
from pegbox.integrations.hyperopt_space import is_hyperopt_space, space_from_hyperopt
from pegbox.integrations.katib import draft_from_katib, is_katib_experiment
from pegbox.integrations.optuna_probe import MOST_PROBES, import_file, probe_objective, space_from_probes
from pegbox.integrations.optuna_space import is_optuna_space, space_from_optuna
from pegbox.integrations.ray_tune import is_ray_space, space_from_ray
from pegbox.integrations.scikit_learn import (
    draft_from_search,
    is_distributions,
    is_search,
    space_from_distributions,
)
from pegbox.integrations.wandb_sweep import draft_from_wandb, is_wandb_sweep
from pegbox.schemas.errors import ConversionError, suggest
from pegbox.schemas.yaml_text import YamlTextError, parse_yaml

KNOWN = (
    "a sweep of W&B, an experiment of Katib, a Hydra configuration with a sweeper; or, in a Python file, a space of "
    "Ray Tune or Hyperopt, an Optuna objective or its distributions, a search or `param_distributions` of scikit-learn"
)


class Conversion(NamedTuple):
    """A study file made of another tool's."""

    text: str
    value: dict[str, Any]
    """The same as plain values."""
    notes: tuple[str, ...]
    """What could not be taken over, and what was assumed; each stands in the text too."""


def convert(file: Path, name: str | None = None) -> Conversion:
    """Make a study file of another tool's file.

    Args:
        file: YAML, JSON or Python; a Python file is imported.
        name: Of the object in a Python file; needed where it holds several.

    Raises:
        ConversionError: The file cannot be read, or is of no known kind.
    """
    if not file.is_file():
        raise ConversionError(f"{file}: a file is expected, and there is none. Check the path.")
    draft = _from_python(file, name) if file.suffix == ".py" else _from_text(file)
    if not draft.space:
        draft.note("No parameter was found; write the space.", "space")
    return Conversion(render(draft), draft.value(), tuple(text for _, text in draft.notes))


_READERS: tuple[tuple[str, Callable[[Any], bool], Callable[[Any, Draft], Draft]], ...] = (
    ("an experiment of Katib", is_katib_experiment, draft_from_katib),
    # Hydra before W&B: the configuration of a whole program may well have a section `parameters` of its own, and W&B's
    # files are told by nothing else.
    ("a Hydra configuration", is_hydra_sweep, draft_from_hydra),
    ("a sweep of W&B", is_wandb_sweep, draft_from_wandb),
)


def _from_text(file: Path) -> Draft:
    try:
        # Editors of Windows begin a file with a byte order mark, which would become part of the first key.
        raw = parse_yaml(file.read_text(encoding="utf-8-sig")).value
    except YamlTextError as error:
        line = error.problem.line
        raise ConversionError(f"{file}:{line or 1}: {error.problem.message}") from error
    except UnicodeDecodeError as error:
        raise ConversionError(f"{file}: the text must be UTF-8, got {error.object[error.start]:#04x}.") from error
    for what, fits, read in _READERS:
        if fits(raw):
            draft = Draft(source=f"{file.name}, {what},", name=_name_of(file))
            try:
                return read(raw, draft)
            except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
                message = f"{file}: {what} was expected, but it says something else than such files do: {error!s}."
                raise ConversionError(f"{message} Correct it, or write the study by hand: `pegbox init`.") from error
    keys = ", ".join(map(str, list(raw)[:8])) if isinstance(raw, Mapping) else type(raw).__name__
    raise ConversionError(f"{file}: expected {KNOWN}; got {keys}. `pegbox init` writes a study to begin with.")


def _name_of(file: Path) -> str:
    return file.stem.replace(" ", "-") or "study"


def _from_python(file: Path, name: str | None) -> Draft:
    objectives = _objectives(file)
    # Read from the syntax tree and run in a child process: to import a script that ends in `study.optimize` would run
    # the whole tuning here.
    if name in objectives or (name is None and len(objectives) == 1 and not _assigned(file)):
        return _from_objective(file, name or objectives[0])
    try:
        module = import_file(file)
    except Exception as error:  # whatever the user's module meets
        message = f"{file} cannot be imported: {type(error).__name__}: {error}."
        raise ConversionError(f"{message} Run from where it runs, with its libraries installed.") from error
    found = {key: value for key, value in vars(module).items() if not key.startswith("_") and _kind(value)}
    choices = [*found, *objectives]
    if name is None and len(choices) == 1:
        name = choices[0]
    if name is None or name not in choices:
        asked = f"{name!r} is none of them. " if name else ""
        hint = (
            suggest(name, choices) if name and choices else f"It holds {', '.join(choices) or 'nothing of the kind'}."
        )
        raise ConversionError(f"{file}: expected {KNOWN}. {asked}{hint} Name one: `pegbox convert {file}:NAME`.")
    return _from_objective(file, name) if name in objectives else _from_object(file, name, found[name])


def _objectives(file: Path) -> list[str]:
    """Functions of one argument that ask it for suggestions."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise ConversionError(f"{file}: {error}. Correct the file.") from error
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and len(node.args.args) == 1 and _suggests(node)
    ]


def _suggests(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr.startswith("suggest_") for node in ast.walk(function))


def _assigned(file: Path) -> bool:
    """True if the module may hold a space beside its functions: a name that sounds of one is assigned."""
    tree = ast.parse(file.read_bytes())
    names = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    return any("space" in one.lower() or "param" in one.lower() for one in names)


def _kind(value: Any) -> str | None:
    # Modules and classes of these libraries have the same attributes as what is looked for, and are imported
    # everywhere.
    if inspect.ismodule(value) or inspect.isclass(value):
        return None
    if is_wandb_sweep(value):
        return "a sweep of W&B"
    if is_search(value):
        return "a search of scikit-learn"
    if is_optuna_space(value):
        return "distributions of Optuna"
    if is_hyperopt_space(value):
        return "a space of Hyperopt"
    if is_ray_space(value):
        return "a space of Ray Tune"
    return "distributions of scikit-learn" if is_distributions(value) else None


def _from_object(file: Path, name: str, value: Any) -> Draft:
    kind = _kind(value)
    draft = Draft(source=f"{name} in {file.name}, {kind},", name=_name_of(file))
    if is_wandb_sweep(value):
        return draft_from_wandb(value, draft)
    if is_search(value):
        return draft_from_search(value, draft)
    if is_optuna_space(value):
        draft.space = space_from_optuna(value)
    elif is_hyperopt_space(value):
        draft.space = space_from_hyperopt(value, draft)
    elif is_ray_space(value):
        draft.space = space_from_ray(value, draft)
    else:
        draft.space = space_from_distributions(value, draft)
    # A name that is likely and a note that it is a guess: a study file without a training would not even be valid to
    # edit.
    draft.train = {"kind": "function", "function": f"{file.stem}:run"}
    draft.note("A space alone does not say what is trained: name your function, estimator or command.", "train")
    draft.objective = {"metric": "loss", "goal": "minimize"}
    draft.note("Nor what is measured; write the metric that training returns.", "objective")
    draft.budget = {"trials": TRIALS}
    draft.note("Choose how many trials to pay for.", "budget")
    return draft


def _from_objective(file: Path, name: str) -> Draft:
    draft = Draft(source=f"{name} in {file.name}, an objective of Optuna,", name=_name_of(file))
    probed = probe_objective(file, name)
    if not any(probed.paths):
        cause = probed.error or "it asked its trial for nothing"
        raise ConversionError(f"{file}: {name} was run with a probing trial and ended: {cause}. Mend it first.")
    draft.space = space_from_probes(probed, draft)
    if probed.error:
        draft.note(
            f"A probe of the objective failed ({probed.error}): what it asks for afterwards is missing.", "space"
        )
    if probed.unfinished:
        draft.note("Probes were ended when they began to train: what is asked for later is missing.", "space")
    if not probed.is_complete:
        draft.note(f"After {MOST_PROBES} probes some combinations of choices were not tried.", "space")
    draft.train = {"kind": "function", "function": f"{file.stem}:{name}"}
    direction = _direction(file)
    draft.objective = {"metric": "value", "goal": direction or "minimize"}
    draft.note("What the objective returns has no name in Optuna; here it is `value`.", "objective")
    if direction is None:
        draft.note("The file creates no study with a direction; minimize is Optuna's default.", "objective", "goal")
    draft.budget = {"trials": _n_trials(file) or TRIALS}
    if not _n_trials(file):
        draft.note("The file does not say how many trials; choose.", "budget")
    return draft


def _keywords(file: Path, function: str) -> dict[str, Any]:
    """Constant keyword arguments of the first call of a method or function, by name."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        called = getattr(node, "func", None)
        if isinstance(node, ast.Call) and function in {getattr(called, "attr", None), getattr(called, "id", None)}:
            return {
                one.arg: one.value.value for one in node.keywords if one.arg and isinstance(one.value, ast.Constant)
            }
    return {}


def _direction(file: Path) -> str | None:
    direction = _keywords(file, "create_study").get("direction")
    return direction if direction in {"minimize", "maximize"} else None


def _n_trials(file: Path) -> int | None:
    n_trials = _keywords(file, "optimize").get("n_trials")
    # A constant alone is taken: what is computed is known only when the script runs.
    return n_trials if isinstance(n_trials, int) else None
