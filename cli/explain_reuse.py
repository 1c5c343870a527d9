"""`pegbox explain STUDY TRIAL --cache`: why a result was or was not used again; draws, computes nothing."""

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pegbox.cli.console import out, print_json, safe, show


def show_reuse(store: Path, study: str | None, trial: int, *, as_json: bool) -> None:
    """Draw where each stretch of a trial's training came from, and what its code was made of."""
    from pegbox.report.reuse import explain_reuse

    found = explain_reuse(store, study, trial)
    if as_json:
        print_json(found)
        return
    parts: list[RenderableType] = [Text(f"{safe(found.study)}, trial {found.trial}", style="name")]
    for one in found.segments:
        parts.append(Text(f"  {one.what}: {safe(one.story)}"))
        parts.append(Text(f"    {one.begun_at:%Y-%m-%d %H:%M}  key {one.key}", style="quiet"))
    parts += [Text(), Text(safe(found.now), style="warn" if found.changed else "good")]
    parts += [Text(f"  {safe(line)}") for line in found.changed]
    if found.parts:
        table = Table.grid(padding=(0, 2))
        for part in found.parts:
            table.add_row(Text(f"  {part.kind}"), Text(safe(part.name)), Text(safe(part.value), style="quiet"))
        parts += [Text(), Text("Its code was made of", style="name"), table]
    show(out(), Group(*parts))
