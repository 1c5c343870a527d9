"""Draws the answer of a query for the eye; the forms for programs are storage's."""

import json
from itertools import islice
from typing import Any

from rich.table import Table
from rich.text import Text

from pegbox.cli.console import err, out, safe, show
from pegbox.report.number_format import number
from pegbox.storage.sandbox import QueryResult

# Picked by hand: rich measures every cell before it prints the first row.
MOST_ROWS = 1000
"""Of a table; the other formats give all."""
# Two more than elsewhere, picked by hand: who asks with SQL wants to compare.
DIGITS = 6


def print_table(result: QueryResult) -> None:
    """The rows, and how many there are beyond what is shown."""
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for name, kind in zip(result.columns, result.types, strict=True):
        table.add_column(safe(name), justify="right" if _is_number(kind) else "left", overflow="fold")
    rows = iter(result)
    n_rows = 0
    for row in islice(rows, MOST_ROWS):
        table.add_row(*(_cell(value, kind) for value, kind in zip(row, result.types, strict=True)))
        n_rows += 1
    show(out(), table)
    # The rest is read to be counted: to say that there is more, without how much, leaves one to ask again.
    n_more = sum(1 for _ in rows)
    if n_more:
        err().print(f"{n_rows} of {n_rows + n_more} rows; --format csv gives all.", style="quiet")


def _is_number(kind: str) -> bool:
    return kind.startswith(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL"))


def _cell(value: Any, kind: str) -> Text:
    if value is None:
        return Text("NULL", style="quiet")
    if isinstance(value, bool):
        return Text("true" if value else "false")
    if isinstance(value, float):
        return Text(number(value, DIGITS))
    if isinstance(value, list | dict):
        return Text(safe(json.dumps(value, ensure_ascii=False)))
    text = safe(str(value))
    # Up to the seconds; microseconds make columns of times twice as wide.
    return Text(text[:19] if kind.startswith("TIMESTAMP") else text)
