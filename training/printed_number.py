"""Reads a token of a program's output as a number, whole or not at all: `1,205.13` and `0.5s` are none."""

import re

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
_LIKE_A_NUMBER = re.compile(
    r"[\"'`]?[-+\u2212$\u20ac\u00a3\u00a5~\u2248<>]*\.?[0-9]"
    r"|[\"'`]?(?:[-+]?(?:nan|inf(?:inity)?)|none|null|n/?a|-+)(?![^\W\d_])",
    re.IGNORECASE,
)


def read_number(token: str) -> float | None:
    """The number that a token is; a percentage is the fraction that it means; None where any part of it is left over.

    >>> [read_number(token) for token in ("1e-3", "81.2%", "inf", "0.5.", "1,205.13", "1_000", "0.5s", "3/4")]
    [0.001, 0.812, inf, 0.5, None, None, None, None]
    """
    token = token.strip("\"'`!")
    if token.endswith("%"):
        fraction = read_number(token[:-1].rstrip()) if not token[:-1].endswith("%") else None
        return None if fraction is None else fraction / 100
    if token.endswith(".") and "." in token[:-1]:
        token = token[:-1]  # the end of a sentence
    if _NUMBER.fullmatch(token) or _NOT_FINITE.fullmatch(token):
        return float(token)
    return None


def number_or_text(token: str) -> float | str:
    """The number, or the token as it stands, which is told where a number was needed."""
    number = read_number(token)
    return token.strip("\"'`") if number is None else number


def is_like_a_number(text: str, at: int = 0) -> bool:
    """True for what stands where a number should, be it one or not: `1,205`, `$5`, `N/A`; false for words."""
    return _LIKE_A_NUMBER.match(text, at) is not None
