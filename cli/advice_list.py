"""What to do next, as a person reads it below an answer or an explanation; draws, decides nothing."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from pegbox.analysis.advice import Advice
from pegbox.cli.console import safe


def draw_advice(advice: Sequence[Advice]) -> list[RenderableType]:
    """What to do next, each with its evidence and how."""
    if not advice:
        return []
    parts: list[RenderableType] = [Text(), Text("What next", style="name")]
    for position, one in enumerate(advice, start=1):
        parts += [
            Text(f"  {position}. {safe(one.what)}"),
            *([Text(f"     {safe(one.evidence)}", style="quiet")] if one.evidence else []),
            *([Text(f"     {safe(one.command)}", style="metric", overflow="fold")] if one.command else []),
        ]
    return parts
