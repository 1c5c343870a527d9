"""Validation messages: what pydantic finds wrong with a study, said as problems that a user understands."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pegbox.schemas.base import EntryError, Schema
from pegbox.schemas.domains import Domain
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.parameter_groups import path_in_groups
from pegbox.schemas.study import StudySpec

Path = tuple[str | int, ...]

_WANTED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "decimal": "a number",
    "string": "a text",
    "none": "null",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
}
"""The first word of pydantic's error type, as what was expected."""

_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}

_SYNONYMS = {
    "low": "min",
    "lower": "min",
    "minimum": "min",
    "high": "max",
    "upper": "max",
    "maximum": "max",
    "choices": "values",
    "n_trials": "trials",
    "max_trials": "trials",
    "direction": "goal",
    "mode": "goal",
    "type": "kind",
    "sampler": "method",
    "timeout": "time",
    "parameters": "space",
    "dataset": "data",
    "n_jobs": "workers",
}
"""Other tools' words for ours; looked up only where ours is a key of the same section."""


def validation_problems(error: ValidationError, raw: Mapping[str, Any]) -> tuple[Problem, ...]:
    """One problem for each entry that is wrong, in the order of the file's paths.

    Args:
        error: What validating a `StudySpec` raised.
        raw: The plain values that were validated.
    """
    # By place: a union tells one error for each of its branches, and a person made one mistake.
    found: dict[Path, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        found.setdefault(_file_path(details, raw), []).append(details)
    said = {
        path: _sentence(details, path)
        for path, details in found.items()
        if not _is_explained_below(path, details, found)
    }
    # A misspelt required key is told once, and not also as a missing one.
    misspelt = {(*path[:-1], meant) for path, message in said.items() if (meant := _meant(message))}
    return tuple(Problem(message, path) for path, message in said.items() if path not in misspelt)


def _meant(message: str) -> str | None:
    """The key that an unknown key stands for: its absence needs no message of its own."""
    found = re.match(r"unknown key .* Did you mean '(\w+)'", message)
    return found[1] if found else None


def _file_path(details: ErrorDetails, raw: Any) -> Path:
    """The path in the file: without the tags and branches that pydantic adds for its unions."""
    loc = list(details["loc"])
    if loc[:1] == ["train"]:
        del loc[1:2]  # the tag, such as `mlp`
    if loc[:2] == ["space", "parameters"] and "parameters" not in _mapping_at(raw, "space"):
        del loc[1]
        del loc[2:3]  # the tag, such as `float`
    elif loc[:2] == ["space", "parameters"]:
        del loc[3:4]
    if details["type"].startswith("union_tag"):
        loc.append("kind")
    path: list[str | int] = []
    here = raw
    for number, step in enumerate(loc):
        if inner := path_in_groups(here, step) if path == ["space"] else ():
            here = _follow(here, inner)
            path += inner
        elif _holds(here, step):
            here = here[step]
            path.append(step)
        elif number == len(loc) - 1 and details["type"] in {"missing", "union_tag_not_found"}:
            path.append(step)
    cause = details.get("ctx", {}).get("error")
    return (*path, *cause.at) if isinstance(cause, EntryError) else tuple(path)


def _follow(here: Any, steps: Iterable[str]) -> Any:
    for step in steps:
        here = here[step]
    return here


def _mapping_at(raw: Any, key: str) -> Mapping[str, Any]:
    found = raw.get(key) if isinstance(raw, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _holds(here: Any, step: str | int) -> bool:
    if isinstance(here, Mapping):
        return step in here
    return isinstance(here, Sequence) and not isinstance(here, str) and isinstance(step, int) and step < len(here)


def _is_explained_below(path: Path, details: list[ErrorDetails], found: Iterable[Path]) -> bool:
    """True for the branches of a union that did not fit, where the branch that was meant has its own message."""
    is_union = all(one["type"].endswith(("_type", "_parsing", "literal_error")) for one in details)
    return is_union and any(other[: len(path)] == path and len(other) > len(path) for other in found)


def _sentence(details: list[ErrorDetails], path: Path) -> str:
    first = details[0]
    kind, context = first["type"], first.get("ctx", {})
    if kind in {"missing", "union_tag_not_found"}:
        return _missing(first, path)
    if kind == "extra_forbidden":
        return _unknown_key(str(path[-1]), _sections(first["loc"][:-1]), path)
    if kind == "value_error":
        return str(context["error"])
    if kind == "union_tag_invalid":
        known = _names(context["expected_tags"])
        return f"unknown {path[-1]} {context['tag']!r}. {suggest(str(context['tag']), known)}"
    if str(first["loc"][-1]) == "[key]" and kind == "literal_error":
        return f"unknown key {path[-1]!r}. {suggest(str(path[-1]), _names(context['expected']))}"
    return f"{_entry(path)} must be {_expected(details)}, got {_shown(first['input'])}."


def _entry(path: Path) -> str:
    if not path:
        return "the study"
    return f"entry {path[-1] + 1}" if isinstance(path[-1], int) else path[-1]


def _expected(details: list[ErrorDetails]) -> str:
    wanted = dict.fromkeys(_wanted(one) for one in details)
    if "a number" in wanted:
        wanted.pop("a whole number", None)
    *others, last = wanted
    others = [other.replace(" or ", ", ") for other in others]
    return f"{', '.join(others)} or {last}" if others else last


def _wanted(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind in _BOUNDS:
        return f"{_BOUNDS[kind]} {next(iter(context.values()))}"
    match kind:
        case "literal_error":
            return str(context["expected"])
        case "string_pattern_mismatch":
            return "written as `package.module:name`"
        case "string_too_short" | "too_short":
            return "given, not empty"
        case "string_too_long":
            return f"at most {context['max_length']} characters long"
        case _:
            # A kind that is not listed keeps pydantic's own words, which are better than none.
            own = details["msg"].removeprefix("Input should be ").removeprefix("a valid ")
            return _WANTED.get(kind.partition("_")[0], own)


def _missing(details: ErrorDetails, path: Path) -> str:
    name = str(path[-1])
    sections = _sections(details["loc"] if details["type"] == "union_tag_not_found" else details["loc"][:-1])
    fields = [section.model_fields[name] for section in sections if name in section.model_fields]
    if details["type"] == "union_tag_not_found":
        return f"kind is missing. Give one of {', '.join(_kinds(sections))}."
    example = next((f", such as `{name}: {_yaml(field.examples[0])}`" for field in fields if field.examples), "")
    return f"{name} is missing. Add it{example}."


def _unknown_key(name: str, sections: list[type[Schema]], path: Path) -> str:
    known = {field for section in sections for field in section.model_fields}
    said = f"unknown key {name!r}."
    if _SYNONYMS.get(name) in known:
        return f"{said} Did you mean {_SYNONYMS[name]!r}? Known: {', '.join(sorted(known))}."
    home = _home(name)
    if home and (home, name) != path:
        return f"{said} It belongs under `{home}:`. Known here: {', '.join(sorted(known))}."
    return f"{said} {suggest(name, known)}"


def _home(name: str) -> str | None:
    """The one section of the file that has such a key."""
    homes = [
        field
        for field, info in StudySpec.model_fields.items()
        if any(name in section.model_fields for section in _schemas(info.annotation)) and field != "objectives"
    ]
    # Only where it is unambiguous: `seed` and `options` live in several sections, and a wrong pointer is worse than
    # none.
    return homes[0] if len(homes) == 1 else None


def _sections(loc: Sequence[str | int]) -> list[type[Schema]]:
    """The schemas whose keys may stand at a place, by pydantic's own path with its tags."""
    here: list[type[Schema]] = [StudySpec]
    if tuple(loc[:2]) == ("space", "parameters"):
        loc = (*loc[:2], *loc[3:])  # a parameter may be named like a key of its domain
    for step in loc:
        if any(step in section.model_fields for section in here):
            here = [
                inner
                for section in here
                if step in section.model_fields
                for inner in _schemas(section.model_fields[str(step)].annotation)
            ]
        elif tagged := [section for section in here if step in _tags(section)]:
            here = tagged
    return here


def _schemas(annotation: Any) -> list[type[Schema]]:
    if isinstance(annotation, type) and issubclass(annotation, Schema):
        return [annotation]
    return [found for part in get_args(annotation) for found in _schemas(part)]


def _tags(section: type[Schema]) -> tuple[str, ...]:
    """The words by which pydantic names this branch of a union."""
    if issubclass(section, Domain):
        return (section.__name__.lower(),)
    return _kinds([section])


def _kinds(sections: Iterable[type[Schema]]) -> tuple[str, ...]:
    fields = [section.model_fields["kind"] for section in sections if "kind" in section.model_fields]
    return tuple(str(kind) for field in fields for kind in get_args(field.annotation))


def _names(listed: Any) -> list[str]:
    """`'a', 'b' or 'c'` as names."""
    return [part.strip(" '") for part in str(listed).replace(" or ", ",").split(",")]


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if isinstance(value, float):
        return re.sub(r"e([+-]?)0*", lambda found: f"e{found[1].strip('+')}", repr(value))
    return str(value).lower() if isinstance(value, bool) else str(value)
