"""Pieces of an SVG picture as text, everything that comes from outside escaped; knows no study."""

import math
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

# Picked by hand for white paper; the accent is the colour of the terminal's progress bar.
INK, QUIET, FAINT = "#1f2937", "#6b7280", "#e5e7eb"
ACCENT, GOOD = "#f92672", "#3f7d20"
Point = tuple[float, float]


def picture(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """The whole picture, on paper of its own so that it reads on dark pages too."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui,sans-serif" font-size="12" role="img"><title>{safe(title)}</title>'
        f'<rect width="{width}" height="{height}" rx="8" fill="#fff"/>{"".join(parts)}</svg>'
    )


def data_uri(svg: str) -> str:
    """The picture as an address, which markdown can show as an image where inline SVG is taken out."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def safe(text: str) -> str:
    """Text that no reader of XML takes for markup; what XML cannot hold is replaced."""
    # XML 1.0 forbids most control characters even when escaped, and one of them would make the whole picture
    # unreadable.
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return escape(printable, {'"': "&quot;"})


def label(x: float, y: float, text: str, *, colour: str = QUIET, anchor: str = "start", bold: bool = False) -> str:
    """One line of text."""
    weight = ' font-weight="600"' if bold else ""
    # A tenth of a pixel: more digits show nowhere and make the data address longer.
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{weight}>{safe(text)}</text>'


def line(points: Sequence[Point], colour: str, width: float = 2.0) -> str:
    """A line through the points."""
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{steps}" fill="none" stroke="{colour}" stroke-width="{width}"/>' if points else ""


def dots(points: Sequence[Point], colour: str, size: float = 5.0) -> str:
    """Many dots as one path, which is a fifth of as many circles."""
    steps = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
    return f'<path d="{steps}" stroke="{colour}" stroke-width="{size}" stroke-linecap="round"/>' if points else ""


@dataclass(frozen=True)
class Axis:
    """Places numbers on a stretch of the picture; what lies beyond its ends is drawn at the end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where a value stands."""
        if not math.isfinite(value) or self.high == self.low:
            # One value alone, or none that can be placed, stands in the middle instead of dividing by a span of 0.
            return (self.start + self.end) / 2
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # halves, because the span may overflow
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)
