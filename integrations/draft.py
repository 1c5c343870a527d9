"""A study file as it is put together from another tool's or from a table: its sections, and notes on why it is so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from pegbox.schemas.yaml_output import yaml_entry

# Picked by hand: what most tables of benchmarks/README.md end at.
TRIALS = 50
"""Trials where the other tool's file says none; the note beside it asks for a choice."""
_BLOCKS = ("parameters", "families")
"""Whose entries have a line each."""
# Picked by hand, below the 120 of our own files, because the notes are indented further.
_WIDTH = 110


@dataclass
class Draft:
    """A study file in the making.

    Sections hold what would be written under their key; notes become comments above the entry that they are about.
    """

    source: str
    """What it was made from, such as `sweep.yaml, a sweep of W&B`."""
    made_by: str = "pegbox convert"
    """The command."""
    name: str = "study"
    data: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    space: dict[str, Any] = field(default_factory=dict)
    objective: dict[str, Any] = field(default_factory=dict)
    constraints: list[dict[str, Any]] = field(default_factory=list)
    search: dict[str, Any] = field(default_factory=dict)
    fidelity: dict[str, Any] = field(default_factory=dict)
    budget: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    finalists: dict[str, Any] = field(default_factory=dict)
    final: str = ""
    notes: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def note(self, text: str, *place: str) -> None:
        """Say something above an entry, such as `note("...", "space", "lr")`; at the top where no place is given."""
        self.notes.append((place, text))

    def leftover(self, kind: str, raw: Mapping[str, Any], known: frozenset[str] | set[str], *place: str) -> None:
        """Note every key of the other file that nothing was made of."""
        for key, value in raw.items():
            if key not in known and value is not None:
                self.note(f"{kind} `{key}: {_shortened(value)}` has no counterpart here and was left out.", *place)

    def value(self) -> dict[str, Any]:
        """The study as plain values, without the notes."""
        sections = {
            "name": self.name,
            "data": self.data,
            "train": self.train,
            "space": self.space,
            "objective": self.objective,
            "constraints": self.constraints,
            "search": self.search,
            "fidelity": self.fidelity,
            "budget": self.budget,
            "run": self.run,
            "finalists": self.finalists,
            "final": self.final,
        }
        return {key: value for key, value in sections.items() if value}


def render(draft: Draft) -> str:
    """The study file as text, one entry a line, the notes as comments."""
    lines = [f"# Made from {draft.source} by `{draft.made_by}`.", *_comment(draft, ()), ""]
    for key, value in draft.value().items():
        lines += _comment(draft, (key,))
        if not isinstance(value, dict):
            lines.append(yaml_entry(key, value).rstrip("\n"))
            continue
        lines.append(f"{key}:")
        lines += _entries(draft, value, (key,))
    for place, text in draft.notes:
        # A note about an entry that did not come to be stands at the end: nothing that was left out may go untold.
        if not _is_placed(draft.value(), place):
            lines += _wrapped(text, "")
    return "\n".join(lines) + "\n"


def _entries(draft: Draft, entries: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    indent, lines = "  " * len(place), []
    for name, entry in entries.items():
        here = (*place, name)
        lines += _comment(draft, here)
        if isinstance(entry, dict) and (name in _BLOCKS or isinstance(entry.get("parameters"), dict)):
            # By the YAML library, since a name such as `on` or `1` needs quotes as a key.
            key = yaml_entry(name, None).rsplit(":", 1)[0]
            lines.append(f"{indent}{key}:")
            lines += _entries(draft, entry, here)
        else:
            lines += [f"{indent}{line}" for line in yaml_entry(name, entry).splitlines()]
    return lines


def _comment(draft: Draft, place: tuple[str, ...]) -> list[str]:
    indent = "  " * max(len(place) - 1, 0)
    return [line for at, text in draft.notes if at == place for line in _wrapped(text, indent)]


def _wrapped(text: str, indent: str) -> list[str]:
    """A text of the other file may hold line breaks; a comment may not."""
    return [f"{indent}# {line}" for line in wrap(" ".join(text.split()), _WIDTH - len(indent))]


def _is_placed(value: Any, place: tuple[str, ...]) -> bool:
    for step in place:
        if not isinstance(value, Mapping) or step not in value:
            return False
        value = value[step]
    return True


def _shortened(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
