"""Tells a text that was meant as a range or a list from one that is a fixed value: `16..128`, `loguniform(1e-4, 1)`."""

import re

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_BETWEEN = re.compile(rf"({_NUMBER})\s*(?:\.\.\.?|:|~|–|—|-|\bto\b)\s*({_NUMBER})")
_DISTRIBUTION = re.compile(
    r"(?:[\w.]*\.)?(?:suggest_\w+|q?(?:log_?)?(?:uniform|normal)\w*|(?:q|log)?_?randint|randn|choice|categorical|range|"
    r"arange|linspace|logspace|geomspace|interval|int|float|ordinal|shuffle|sort|grid_search)\(.*\)"
)
"""Calls by which Hydra, Hyperopt, numpy, Optuna, Ray Tune and others write a range or a choice."""
LONGEST = 500
"""Characters; nobody writes a range in more, and a fixed text may be of any length."""
_BRACKETED = re.compile(r"[\[({].*[\])}]")


def refuse_range_in_text(raw: object) -> None:
    """Refuse a text that reads as a range or as several values; it would be handed over letter by letter.

    Raises:
        ValueError: It does; says which form is meant, and how a text of just these letters is written.
    """
    if isinstance(raw, str) and len(raw) <= LONGEST and (form := _meant(raw.strip())):
        raise ValueError(
            f"expected a range, a list or one value, got the text {raw!r}, which looks like {form}. "
            f"If just this text is meant, write {{value: {_quoted(raw)}}}."
        )


def _meant(text: str) -> str | None:
    """What a text looks like, and how that is written; None for any other text."""
    # Only ascending: 3-1 or 10:5 may be a name, a date or a ratio, while 16..128 is nothing but a range.
    if (between := _BETWEEN.fullmatch(text)) and float(between[1]) < float(between[2]):
        return f"a range. Write {{min: {between[1]}, max: {between[2]}}}, with `int: true` or `log: true` where so"
    if _DISTRIBUTION.fullmatch(text):
        return (
            "a distribution. Write {min: 1e-4, max: 1e-1, log: true} for a range, [a, b] for a choice, "
            "{normal: {mean: 0, std: 1}} for a normal one"
        )
    if _BRACKETED.fullmatch(text) and re.search(r"[,:]", text):
        return "a list or a mapping in quotes. Write it without the quotes"
    parts = [part.strip() for part in re.split(r"[,|;]", text)]
    # No spaces inside of the parts: a sentence with a comma in it is one value, such as a prompt.
    if len(parts) > 1 and all(part and not re.search(r"\s", part) for part in parts):
        return f"several values. Write [{', '.join(parts)}]"
    return None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
