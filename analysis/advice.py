"""One piece of advice, the outcome of a health check: what was seen, and what to do about it."""

from typing import Literal

from pegbox.schemas.base import Schema

AdviceKind = Literal[
    "retry",
    "resume",
    "failures",
    "constraints",
    "leak",
    "shift",
    "edge",
    "budget",
    "ties",
    "unrankable",
    "fix",
    "stagnation",
]


class Advice(Schema):
    """Something worth doing."""

    kind: AdviceKind
    what: str
    """What to do, in one sentence."""
    evidence: str
    """The figures that speak for it."""
    command: str
    """To be pasted into a shell; empty where nothing that can be typed would change anything."""
