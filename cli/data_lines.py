"""What a study's data was taken for, as lines of a terminal; decides nothing."""

from rich.text import Text

from pegbox.cli.console import safe
from pegbox.report.data_summary import data_lines, data_warnings
from pegbox.schemas.study import StudySpec
from pegbox.schemas.understanding import DataUnderstanding

# `baselines`, the longest of them, and two blanks.
_WIDTH = 11
"""Of the words that lines begin with."""


def draw_data(understood: DataUnderstanding, spec: StudySpec) -> tuple[Text, ...]:
    """The data in a few lines, and what is worth a look before a night is spent on it."""
    told = [Text.assemble((f"{word:{_WIDTH}}", "quiet"), safe(line)) for word, line in data_lines(understood, spec)]
    return (*told, *draw_warnings(understood))


def draw_warnings(understood: DataUnderstanding) -> tuple[Text, ...]:
    """A line for each."""
    return tuple(Text.assemble(("warning: ", "warn"), safe(line)) for line in data_warnings(understood))
