"""Reads a JSON object or a printed Python dict out of a line, nested ones too; runs none of it."""

import ast
import json
import re
from collections.abc import Iterable
from typing import Any

from pegbox.training.printed_number import is_like_a_number, number_or_text

DEEPEST = 20
"""Objects nested more deeply hold no metrics; without an end Python's own stack would be it."""

_ARRAYS = re.compile(
    r"\b(?:torch\.|tf\.|np\.|numpy\.|jnp\.)?(?:tensor|Tensor|array|Array|(?:float|int|bfloat)[0-9]+)"
    r"\(\s*([^\s(),\[\]]+)\s*(?:,[^()]*(?:\(\)[^()]*)?)?\)"
)
_EAGER_TENSOR = re.compile(r"<tf\.Tensor:[^<>]*numpy=([^<>]+)>")


def unwrapped(line: str) -> str:
    """The line with single numbers of torch, numpy, JAX and TensorFlow as plain numbers.

    >>> unwrapped("loss: tensor(0.5, device='cuda:0') acc: np.float64(0.25)")
    'loss: 0.5 acc: 0.25'
    """
    return _ARRAYS.sub(r"\1", _EAGER_TENSOR.sub(r"\1", line)) if "(" in line else line


def find_dict(line: str) -> tuple[str, list[tuple[str, Any]]] | None:
    """What stands before the braces of a line, and the entries within, nested names joined by dots.

    None where the line holds no object: braces may mean anything.
    """
    begin, end = line.find("{"), line.rfind("}")
    if begin < 0 or end < begin:
        return None
    entries = _entries(line[begin : end + 1])
    return None if entries is None else (line[:begin], list(_flat(entries)))


def find_json(line: str) -> list[tuple[str, Any]] | None:
    """The entries of a line that is a JSON object and nothing else."""
    entries = _json(line)
    return None if entries is None else list(_flat(entries))


def value_of(raw: Any) -> float | str | None:
    """An entry as a number, or as the text where a number should be; None for what is none of both."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        return _float(raw)
    if raw is None:
        return "null"
    return number_or_text(raw) if isinstance(raw, str) and is_like_a_number(raw) else None


def _float(number: float) -> float | str:
    try:
        return float(number)
    except OverflowError:
        return "inf"  # a whole number beyond what a double holds


def _entries(text: str) -> list[tuple[Any, Any]] | None:
    found = _json(text)
    return found if found is not None else _python(text)


def _json(text: str) -> list[tuple[Any, Any]] | None:
    try:
        found = json.loads(text, object_pairs_hook=_Entries)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, _Entries) else None


class _Entries(list[tuple[Any, Any]]):
    """The entries of an object; a mapping would keep one of two that have the same name."""


def _python(text: str) -> list[tuple[Any, Any]] | None:
    try:
        found = _literal(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # what `ast.parse` raises of texts without end
        return None
    return found if isinstance(found, _Entries) else None


def _literal(node: ast.expr) -> Any:
    """The value of a literal; what is none (a call, a name) is an empty text, which is no metric."""
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return _Entries((_literal(key), _literal(value)) for key, value in pairs if key is not None)
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _literal(operand)
            return -value if isinstance(value, int | float) else f"-{value}"
        case ast.Name(id=name):
            return name
    return ""


def _flat(entries: Iterable[tuple[Any, Any]], prefix: str = "", depth: int = 0) -> Iterable[tuple[str, Any]]:
    for name, value in entries:
        if not isinstance(value, _Entries):
            yield f"{prefix}{name}", value
        elif depth < DEEPEST:
            yield from _flat(value, f"{prefix}{name}.", depth + 1)
