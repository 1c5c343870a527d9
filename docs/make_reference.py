"""Writes docs/study.schema.json and docs/study-file.md from the schemas: `python docs/make_reference.py`."""

import json
from pathlib import Path
from typing import Any

from pegbox.report.number_format import number
from pegbox.schemas.study_schema import study_schema
from pegbox.search.methods import METHODS, SCHEDULES
from pegbox.training.hyperparameters.optimisation import OptimisationHyperparameters
from pegbox.training.hyperparameters.torch_kinds import TORCH_KINDS

HERE = Path(__file__).parent
HEAD = """# The study file

<!-- Written by docs/make_reference.py from the schemas; change those, not this page. -->

A study file is YAML 1.2. A key that is not listed here is an error; `pegbox validate study.yaml` says which, with its
line and column. For completion in an editor, begin the file with
`# yaml-language-server: $schema=./study.schema.json`; `pegbox init` writes both. A key
`$schema` that names the schema is allowed too, and means nothing else.

Times are seconds, or texts such as `90s`, `30m`, `1h30m`.
"""
SPACE = """
Parameters stand directly under `space:`. A parameter is a range, a list of values, or one fixed value:

<!-- test
printf 'def run(**parameters):\\n    return {"val_loss": 1.0}\\n' > train.py
-->
```yaml
space:
  lr:        {min: 1e-5, max: 1e-1, log: true}            # a real number
  units:     {min: 32, max: 1024, log: true, int: true}   # a whole number
  batch:     {min: 16, max: 256, power_of_two: true}      # 16, 32, 64, 128, 256
  decay:     {min: 1e-6, max: 1e-2, log: true, extra: [0]} # 0 beside a log range
  optimizer: [adamw, sgd]                                 # one of these, without an order
  size:      {values: [s, m, l], ordered: true}           # one of these, with an order
  momentum:  {min: 0.0, max: 0.99, when: {optimizer: sgd}} # only where optimizer is sgd
  smoothing: {normal: {mean: 0.1, std: 0.05}, min: 0}     # mostly near 0.1; `max` where 4 deviations end
  warmup:    {min: 50, max: 5000, log: true, int: true, step: 50} # 50, 100, 150, ..., low ones more densely
  augment:   {subset: [flip, crop, jitter], min: 1}       # some of these, as a list
  order:     {permutation: [norm, act, drop]}             # all of these in some order, as a list
  w_text:    {min: 0.0, max: 1.0}
  w_image:   {min: 0.0, max: 1.0}
  layers:    3                                            # handed to training, not searched
  forbid:
    - {optimizer: sgd, lr: {min: 0.05}}                   # never together
  sum: {of: [w_text, w_image], is: 1}                     # values that share a total
```

Parameters can stand in groups, and groups in groups. Their full name, `model.units`, is what `when`, `forbid`, SQL and
commands know them by. A function that takes an argument `model` is handed `{"units": ...}`; one that takes
`**parameters` is handed the full names. A `when` of a group holds for all of it, and names of its own group come first:

<!-- test
printf 'def run(lr, model):\\n    return {"val_loss": 1.0}\\n' > train.py
-->
```yaml
space:
  lr: {min: 1e-5, max: 1e-1, log: true}
  model:
    parameters:
      kind:  [deep, wide]
      units: {min: 32, max: 1024, log: true, int: true}
      depth: {min: 2, max: 9, int: true, when: {kind: deep}}
```

A text that looks like a range or like several values (`16..128`, `loguniform(1e-4, 1e-1)`, `"sgd, adam"`) is refused
with the form that is meant; `{value: "sgd, adam"}` hands over just these letters. A real range must hold 65,536 numbers
that a double tells apart, and `max - min` must be a number too.
"""
SECTIONS = {
    "data": ("DataSpec",),
    "data.split": ("SplitSpec",),
    "train": (
        "TorchTrain",
        "ModuleTrain",
        "SklearnTrain",
        "FamiliesTrain",
        "FunctionTrain",
        "CommandTrain",
        "CustomTrain",
    ),
    "space": (
        "Float",
        "Integer",
        "Normal",
        "Categorical",
        "Ordinal",
        "Permutation",
        "Subset",
        "Constant",
        "Prior",
        "Sum",
    ),
    "objective": ("Objective",),
    "search": ("SearchSpec",),
    "fidelity": ("FidelitySpec",),
    "budget": ("BudgetSpec",),
    "run": ("RunSpec",),
    "finalists": ("FinalistsSpec",),
    "schedule": ("ScheduleSpec",),
}


def write_reference(folder: Path = HERE) -> None:
    """Write both files."""
    schema = study_schema()
    (folder / "study.schema.json").write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    (folder / "study-file.md").write_text(reference(schema), encoding="utf-8")


def reference(schema: dict[str, Any]) -> str:
    """The page."""
    parts = [HEAD, "## The whole file\n", _table(schema)]
    for section, names in SECTIONS.items():
        parts.append(f"## {section}\n{SPACE if section == 'space' else ''}")
        for name in names:
            definition = schema["$defs"][name]
            if len(names) > 1:
                parts.append(f"### {_heading(name, definition)}\n")
            parts += [f"{_sentence(definition['description'])}\n", _table(definition)]
        if section == "space":
            parts += _hyperparameters()
        parts += _options(section)
    return "\n".join(parts)


def _options(section: str) -> list[str]:
    """The arguments of each search method, or of each schedule; of the methods of Optuna and Hyperopt theirs tell."""
    parts = []
    for name, kind in {"search": METHODS, "fidelity": SCHEDULES}.get(section, {}).items():
        if kind.model_fields:
            parts += [f"### {section}, options of {name}\n", _table(kind.model_json_schema())]
    return parts


def _hyperparameters() -> list[str]:
    """What a space may hold for the models that pegbox builds."""
    shared = OptimisationHyperparameters.model_json_schema()
    parts = ["### Hyperparameters of every torch kind\n", f"{_sentence(shared['description'])}\n", _table(shared)]
    for kind, hyperparameters in TORCH_KINDS.items():
        own = hyperparameters.model_json_schema()
        own["properties"] = {key: value for key, value in own["properties"].items() if key not in shared["properties"]}
        parts += [f"### Hyperparameters of kind {kind}\n", f"{_sentence(own['description'])}\n", _table(own)]
    return parts


def _heading(name: str, definition: dict[str, Any]) -> str:
    kind = definition["properties"].get("kind")
    if kind:
        return f"train, kind {' | '.join(kind.get('enum') or [kind['const']])}"
    return f"space, {name.lower()}"


def _table(section: dict[str, Any]) -> str:
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    required = set(section.get("required", ()))
    for key, value in section["properties"].items():
        default = "required" if key in required else _default(value)
        rows.append(
            f"| `{key}` | {_type(value)} | {default} | {_sentence(value.get('description', ''))}{_example(value)} |"
        )
    return "\n".join(rows) + "\n"


def _default(value: dict[str, Any]) -> str:
    default = value.get("default")
    if default is None or default in ({}, []) or isinstance(default, dict):
        return ""
    return f"`{json.dumps(default)}`" if not isinstance(default, str) else f"`{default}`"


def _type(value: dict[str, Any]) -> str:
    if "const" in value:
        return f"`{json.dumps(value['const'])}`" if not isinstance(value["const"], str) else f"`{value['const']}`"
    if "enum" in value:
        return " \\| ".join(f"`{one}`" for one in value["enum"])
    if "$ref" in value or "oneOf" in value:
        return "section"
    if "anyOf" in value:
        kinds = dict.fromkeys(_type(one) for one in value["anyOf"] if one.get("type") != "null")
        return " or ".join(kinds)
    words = {"integer": "whole number", "string": "text", "boolean": "true, false", "object": "mapping"}
    kind = words.get(value.get("type", ""), value.get("type", "value"))
    if kind == "array":
        return "list"
    return kind + _bounds(value)


def _bounds(value: dict[str, Any]) -> str:
    words = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {number(value[key])}" for key, sign in words.items() if key in value]
    return f" {', '.join(bounds)}" if bounds else ""


def _sentence(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _example(value: dict[str, Any]) -> str:
    examples = [one for one in value.get("examples", []) if isinstance(one, str)]
    if not examples:
        return ""
    return " For example " + ", ".join(f"`{one}`" for one in examples).replace("|", "\\|") + "."


if __name__ == "__main__":
    write_reference()
