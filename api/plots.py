"""`study.plot`: one block of the page at a time, as a notebook shows it; needs no network and no plotting library."""

import html
import time
from pathlib import Path
from typing import Any, NamedTuple

from pegbox.schemas.errors import PageError

# Picked by hand: a block of the page with its controls, on a laptop's notebook.
HEIGHT = 560


class Picture(NamedTuple):
    """A block of the page; the last line of a cell shows it, in Jupyter, marimo and VS Code."""

    document: str
    """HTML of its own, which needs nothing beside it."""
    name: str

    def save(self, path: str | Path) -> Path:
        """Write it into a file that any browser shows."""
        place = Path(path)
        place.write_text(self.document, encoding="utf-8")
        return place

    def _repr_html_(self) -> str:
        return framed(self.document, HEIGHT)

    def __repr__(self) -> str:
        return f"<picture {self.name!r}; save(path) writes it>"


class Plots:
    """The blocks of a study's page, by name."""

    def __init__(self, study: Any) -> None:
        self._study = study

    def answer(self) -> Picture:
        """What to run, and how sure it is."""
        return self._picture("answer")

    def certainty(self) -> Picture:
        """The finalists on fresh seeds."""
        return self._picture("sureness")

    def importance(self) -> Picture:
        """Which parameters matter."""
        return self._picture("knobs")

    def effects(self) -> Picture:
        """What each parameter does to the objective."""
        return self._picture("effects")

    def interaction(self) -> Picture:
        """Two parameters together, as a map."""
        return self._picture("interaction")

    def parallel(self) -> Picture:
        """All trials across all parameters."""
        return self._picture("parallel")

    def trials(self) -> Picture:
        """The table of trials."""
        return self._picture("trials")

    def progress(self) -> Picture:
        """The best value over trials or time."""
        return self._picture("progress")

    def curves(self) -> Picture:
        """The learning curves."""
        return self._picture("curves")

    def rungs(self) -> Picture:
        """How well early rungs tell the end."""
        return self._picture("rungs")

    def failures(self) -> Picture:
        """What failed, and why."""
        return self._picture("failures")

    def lineage(self) -> Picture:
        """Where the study comes from."""
        return self._picture("lineage")

    def cost(self) -> Picture:
        """Cost against quality."""
        return self._picture("cost")

    def pareto(self) -> Picture:
        """The front of several objectives.

        Raises:
            PageError: The study has one.
        """
        if len(self._study.spec.goals) == 1:
            raise PageError("a front is of several objectives, and this study has one. See plot.cost().")
        return self._picture("pareto")

    def _picture(self, block: str) -> Picture:
        return Picture(self._study.page(only=block), block)

    def __repr__(self) -> str:
        names = sorted(name for name in vars(type(self)) if not name.startswith("_"))
        return f"<plots of {self._study.name!r}: {', '.join(names)}>"


def framed(document: str, height: int) -> str:
    """A document within another, which it cannot reach."""
    source = html.escape(document, quote=True)
    style = f'style="width:100%;height:{height}px;border:0"'
    return f'<iframe sandbox="allow-scripts allow-downloads" srcdoc="{source}" {style}></iframe>'


def page_document(root: Path, study: str, only: str | None) -> str:
    """The page of a study as it stands, or one block of it.

    Raises:
        NotFoundError: The study has not begun.
    """
    from pegbox.page.analysis_blocks import analyse
    from pegbox.page.build import build_page
    from pegbox.page.html_file import page_html

    return page_html(build_page(root, study, time.time(), analyse, is_file=True), only=only)
