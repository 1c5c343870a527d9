"""Nested groups of parameters, `model: {parameters: {lr: ..., units: ...}}`, as flat names such as `model.lr`."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

GROUP = "parameters"
"""What marks a group; W&B's word for it."""


def is_group(raw: Any) -> bool:
    """True for an entry of the space that gathers further parameters."""
    return isinstance(raw, Mapping) and isinstance(raw.get(GROUP), Mapping)


def flatten_groups(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter under its full name, `group.name`; a condition of a group is one of each of its parameters.

    Names in the `when` of a parameter are looked up in its own group first, then from the outside.

    Raises:
        ValueError: A group says more than `parameters` and `when`, or two parameters have one full name.
    """
    flat: dict[str, Any] = {}
    for name, entry in _entries(raw, "", {}):
        # `model.lr` may be written flat and nested: the later one would win in silence.
        if name in flat:
            raise ValueError(f"two parameters are named {name!r}, one of them by its group. Rename one.")
        flat[name] = entry
    return flat


def gather_groups(flat: Mapping[str, Any], taken: Collection[str]) -> dict[str, Any]:
    """What is handed to something that takes arguments of certain names: `model={"lr": ...}` where it takes `model`.

    Args:
        flat: By full name.
        taken: The names of its arguments; a name that is one of them, or whose group is none, stays as it is.
    """
    gathered: dict[str, Any] = {}
    for name, value in flat.items():
        group, *inner = name.split(".")
        if not inner or name in taken or group not in taken or group in flat:
            gathered[name] = value
            continue
        around = gathered
        for step in (group, *inner[:-1]):
            around = around.setdefault(step, {})
        around[inner[-1]] = value
    return gathered


def path_in_groups(space: Any, name: Any) -> tuple[str, ...]:
    """Where a space as it is written has a parameter, `model.lr` at model, parameters, lr; empty where nowhere."""
    if not isinstance(space, Mapping) or not isinstance(name, str):
        return ()
    if name in space:
        return (name,)
    for group, entry in space.items():
        if is_group(entry) and name.startswith(f"{group}."):
            inner = path_in_groups(entry[GROUP], name[len(group) + 1 :])
            if inner:
                return (group, GROUP, *inner)
    return ()


def _entries(raw: Mapping[str, Any], prefix: str, when: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, entry in raw.items():
        full = f"{prefix}{name}"
        if not is_group(entry):
            yield full, _conditional(entry, raw, prefix, when)
            continue
        if unknown := sorted(set(entry) - {GROUP, "when"}):
            raise ValueError(f"the group {full} takes `parameters` and `when`, got {', '.join(map(str, unknown))}.")
        inner = {**when, **_outward(entry.get("when") or {}, raw, prefix)}
        yield from _entries(entry[GROUP], f"{full}.", inner)


def _conditional(entry: Any, siblings: Mapping[str, Any], prefix: str, when: Mapping[str, Any]) -> Any:
    """The entry with its own conditions in full names, and those of the groups around it."""
    own = entry.get("when") if isinstance(entry, Mapping) else None
    if not when and not (own and prefix):
        return entry
    conditions = {**when, **(_outward(own, siblings, prefix) if isinstance(own, Mapping) else {})}
    if isinstance(entry, Mapping):
        return {**entry, "when": conditions}
    return {"values" if isinstance(entry, list | tuple) else "value": entry, "when": conditions}


def _outward(when: Mapping[str, Any], siblings: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {f"{prefix}{parent}" if parent in siblings else parent: wanted for parent, wanted in when.items()}
