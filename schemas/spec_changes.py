"""What differs between two specifications of a study, entry by entry, as a study file would write it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pegbox.schemas.study import StudySpec


class Change(NamedTuple):
    """One entry that differs.

    Attributes:
        path: Leads to it, such as `("space", "lr", "max")`.
        was: As it was written, and `now` as it is; None where it is not given.
    """

    path: tuple[str, ...]
    was: str | None
    now: str | None

    def __str__(self) -> str:
        """`space.lr.max was 0.1, is now 0.5`."""
        name = ".".join(self.path)
        if self.was is None:
            return f"{name} is new: {self.now}"
        return f"{name} was {self.was}, is {'not given any more' if self.now is None else f'now {self.now}'}"

    @property
    def setting(self) -> str:
        """As `--set` takes it."""
        return f"{'.'.join(self.path)}={'null' if self.now is None else self.now}"


def spec_changes(before: StudySpec, now: StudySpec) -> tuple[Change, ...]:
    """Every entry that differs, the smallest that tells the difference, in the order of the file."""
    return tuple(_differing((), before.model_dump(mode="json"), now.model_dump(mode="json")))


def _differing(path: tuple[str, ...], was: Any, now: Any) -> Iterator[Change]:
    if was == now:
        return
    # Another kind is another thing: its entries do not correspond one to one, and are told as a whole.
    if not isinstance(was, Mapping) or not isinstance(now, Mapping) or was.get("kind") != now.get("kind"):
        yield Change(path, as_written(was), as_written(now))
        return
    for key in dict.fromkeys((*now, *was)):
        yield from _differing((*path, key), was.get(key), now.get(key))


def as_written(value: Any) -> str | None:
    """A value as YAML in one line, what is not given left out; None where nothing is."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        # `kind` and defaults that say nothing are the schema's, not the file's.
        given = {
            key: text for key, one in value.items() if (text := as_written(one)) not in {None, "[]", "{}", "false"}
        }
        return "{" + ", ".join(f"{key}: {text}" for key, text in given.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(as_written(one) or "null" for one in value) + "]"
    if isinstance(value, str) and value.isidentifier() and value not in {"true", "false", "null"}:
        return value
    return json.dumps(value, ensure_ascii=False)
