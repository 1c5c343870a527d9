"""Whether the texts of a column are categories, or names and free text that would pass for them without a word."""

from pegbox.schemas.errors import Problem


def category_problem(name: str, vocabulary: tuple[str, ...], n_present: int) -> Problem | None:
    """What is wrong with texts that are a text of its own in most rows.

    Args:
        n_present: Rows in which the column is not missing.
    """
    # Picked by hand: fifty levels are taken in any table, as ZIP regions or makes of cars have them; above, names and
    # free text have a level for most rows and categories do not.
    if len(vocabulary) <= max(50, n_present / 2):
        return None
    return Problem(
        f"the column {name!r} has {len(vocabulary)} distinct texts in {n_present} rows, such as "
        f"{vocabulary[0]!r}: these are no categories. Add it to data.drop, turn it into numbers in an SQL query, "
        f"write `text: {{columns: [{name}]}}` below data where it is free text, or add it to data.categorical where "
        "you mean it.",
        ("data", "source"),
    )
