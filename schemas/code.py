"""The code that trains, part by part, so that a difference can be named."""

import hashlib
from collections.abc import Collection, Iterable
from typing import Literal

from pegbox.schemas.base import Schema

USER_KINDS = frozenset({"module", "file", "environment", "version", "processes"})
"""Parts that a user wrote or set; the others come with what is installed."""


class CodePart(Schema):
    """One thing that shapes what training computes."""

    kind: Literal["pegbox", "module", "file", "package", "environment", "version", "processes"]
    """`pegbox` its own trainers, `module` Python that was read, `file` another file, `package` an installed
    distribution, `environment` a variable, `version` what the study file says under `train.version`,
    `processes` how many train a trial together."""
    name: str
    value: str
    """A version, or a hash of the meaning (Python) or of the bytes (all else)."""

    def __str__(self) -> str:
        """As a sentence names it."""
        return self.name if self.kind in {"module", "file"} else f"{self.kind} {self.name}".strip()


class Code(Schema):
    """All of it; equal fingerprints stand for code that computes the same."""

    parts: tuple[CodePart, ...] = ()

    @classmethod
    def of(cls, parts: Iterable[CodePart]) -> "Code":
        """In an order that does not depend on how they were found, each once."""
        return cls(parts=tuple(sorted(set(parts), key=lambda part: (part.kind, part.name, part.value))))

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits."""
        lines = "\n".join(f"{part.kind} {part.name} {part.value}" for part in self.parts)
        return hashlib.sha256(lines.encode()).hexdigest()[:16]

    def only(self, kinds: Collection[str]) -> "Code":
        """The parts of some kinds."""
        return Code(parts=tuple(part for part in self.parts if part.kind in kinds))

    def differences(self, now: "Code") -> tuple[str, ...]:
        """What another code has otherwise, each in words: `lib changed`, `package torch was 2.13.0, is 2.14.0`."""
        before, after = _by_name(self), _by_name(now)
        told = []
        for key in sorted({*before, *after}):
            was, is_ = before.get(key), after.get(key)
            if was is not None and is_ is not None and was.value != is_.value:
                told.append(_changed(was, is_))
            elif is_ is None:
                told.append(f"{was} counts no more")
            elif was is None:
                told.append(f"{is_} is new")
        return tuple(told)


def _by_name(code: Code) -> dict[tuple[str, str], CodePart]:
    return {(part.kind, part.name): part for part in code.parts}


def _changed(was: CodePart, now: CodePart) -> str:
    if was.kind in {"package", "version", "processes"}:
        return f"{was} was {was.value}, is {now.value}"
    return f"{was} changed"
