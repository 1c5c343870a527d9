"""Several words in one sentence."""

from collections.abc import Sequence


def listed(words: Sequence[str], most: int, separator: str = ", ") -> str:
    """The first of some words in a row, and how many more there are.

    >>> listed(["a", "b", "c"], 2), listed(["a", "b", "c"], 2, "; "), listed(["a", "b"], 2)
    ('a, b and 1 more', 'a; b; and 1 more', 'a, b')
    """
    comma = ";" if ";" in separator else ""  # clauses are parted before the `and`, words are not
    more = f"{comma} and {len(words) - most} more" if len(words) > most else ""
    return separator.join(words[:most]) + more
