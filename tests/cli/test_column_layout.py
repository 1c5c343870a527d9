"""Columns that do not fit are left out, and no cell is ever cut."""

import io

from rich.console import Console
from rich.text import Text

from pegbox.cli.column_layout import Column, side_by_side
from pegbox.cli.console import THEME


def shown(columns: list[Column], width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, theme=THEME)
    console.print(side_by_side(columns, width))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def column(heading: str, *cells: str, rank: int = 0) -> Column:
    return Column(heading, [Text(cell) for cell in cells], "left", rank)


COLUMNS = [column("trial", "1", "22"), column("loss", "0.5000", "0.25", rank=2), column("role", "winner", "", rank=1)]


def test_all_columns_are_there_where_they_fit():
    assert shown(COLUMNS, 21) == ["trial  loss    role", "1      0.5000  winner", "22     0.25"]


def test_the_highest_rank_is_left_out_first():
    assert shown(COLUMNS, 20) == ["trial  role", "1      winner", "22"]


def test_a_column_without_a_rank_is_never_left_out():
    assert shown(COLUMNS, 5) == ["trial", "1", "22"]


def test_a_column_that_says_nothing_is_left_out():
    assert shown([column("trial", "1"), column("vs best", "")], 80) == ["trial", "1"]
