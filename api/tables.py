"""Rows of the history as the data frame that is at hand: pandas, polars or Arrow, none of them required."""

from importlib.util import find_spec
from typing import Any, Literal

from pegbox.schemas.errors import QueryError

Form = Literal["auto", "pandas", "polars", "arrow", "rows"]
"""`auto` is the first of pandas and polars that is installed, else Arrow; `rows` are plain dicts."""

_METHODS = {"pandas": "df", "polars": "pl", "arrow": "to_arrow_table"}


def as_form(relation: Any, form: Form) -> Any:
    """An answer of the history in the form that is asked for.

    Args:
        relation: As `HistoryFile.sql` gives it.
        form: Which.

    Raises:
        QueryError: The form is unknown, or its library is not installed.
    """
    if form == "rows":
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    if form == "auto":
        form = next((name for name in ("pandas", "polars") if find_spec(name)), "arrow")
    if form not in _METHODS:
        raise QueryError(f"Rows come as auto, pandas, polars, arrow or rows, got {form!r}.")
    if form != "arrow" and not find_spec(form):
        raise QueryError(f"{form} is not installed. Install it, or ask for 'arrow' or 'rows'.")
    return getattr(relation, _METHODS[form])()
