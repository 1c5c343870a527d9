"""Whether the texts of a column are categories, or something else that would pass for them without a word."""

import re

from pegbox.schemas.errors import DataError

_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")


def check_categories(name: str, vocabulary: tuple[str, ...], n_present: int) -> None:
    """Refuse numbers with a few words among them, and a text of its own in most rows.

    Args:
        n_present: Rows in which the column is not missing.

    Raises:
        DataError: The texts are numbers, identifiers or free text.
    """
    check_decimal_points(name, vocabulary)
    words = [word for word in vocabulary if not _is_number(word)]
    n_numbers = len(vocabulary) - len(words)
    if words and n_numbers >= max(10, 4 * len(words)):
        raise DataError(
            f"data.source: the column {name!r} must hold numbers only, got {words[0]!r} among {n_numbers} distinct "
            f"numbers. Write it as missing, turn it into a number in an SQL query, or add {name!r} to data.categorical."
        )
    if len(vocabulary) > max(50, n_present / 2):
        raise DataError(
            f"data.source: the column {name!r} has {len(vocabulary)} distinct texts in {n_present} rows, such as "
            f"{vocabulary[0]!r}: these are no categories. Add it to data.drop, turn it into numbers in an SQL query, "
            "or add it to data.categorical where you mean it."
        )


def check_decimal_points(name: str, vocabulary: tuple[str, ...]) -> None:
    """Refuse texts that are numbers with a decimal comma.

    Raises:
        DataError: All of the texts are such numbers.
    """
    if len(vocabulary) > 1 and all(_DECIMAL_COMMA.fullmatch(word) for word in vocabulary):
        raise DataError(
            f"data.source: the column {name!r} must write numbers with a decimal point, got {vocabulary[0]!r}. "
            "Read the file with read_csv('data.csv', decimal_separator=',') in an SQL query."
        )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
