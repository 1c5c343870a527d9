"""Columns side by side that never cut a cell: where they do not all fit, the dispensable ones are left out."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.table import Table
from rich.text import Text


class Column(NamedTuple):
    """A heading and a cell for each row.

    Attributes:
        rank: 0 for a column that is always there; the highest is left out first.
    """

    heading: str
    cells: Sequence[Text]
    justify: Literal["left", "right"] = "right"
    rank: int = 0

    @property
    def width(self) -> int:
        """Of its widest text."""
        return max(len(self.heading), *(cell.cell_len for cell in self.cells))


def side_by_side(columns: Sequence[Column], width: int, gap: int = 2) -> Table:
    """A table of those columns that have something to say and fit."""
    shown = [column for column in columns if any(cell.plain for cell in column.cells)]
    # Whole columns go and no cell is cut: half a number is a wrong number.
    while sum(column.width + gap for column in shown) > width + gap and any(column.rank for column in shown):
        shown.remove(max(shown, key=lambda column: column.rank))
    table = Table.grid(padding=(0, gap))
    for column in shown:
        table.add_column(justify=column.justify, no_wrap=True)
    table.add_row(*(Text(column.heading, style="quiet") for column in shown))
    for row in zip(*(column.cells for column in shown), strict=True):
        table.add_row(*row)
    return table
