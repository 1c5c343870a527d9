"""The card of a model as a person reads it in a terminal; draws, computes nothing."""

from rich.table import Table
from rich.text import Text

from pegbox.cli.console import safe
from pegbox.report.model_card import card_lines
from pegbox.schemas.model import ModelCard


def draw_card(card: ModelCard) -> Table:
    """One line for each thing that there is to say."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(no_wrap=True, style="quiet")
    lines.add_column(overflow="fold")
    for word, told in card_lines(card):
        lines.add_row(word, Text(safe(told)))
    return lines
