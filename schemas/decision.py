"""What a strategy may decide; how it decides lives in `search`."""

from typing import Annotated, Literal

from pydantic import Discriminator

from pegbox.schemas.base import Configuration, Schema


class Start(Schema):
    """Begin a new trial."""

    kind: Literal["start"] = "start"
    configuration: Configuration
    to_budget: int


class Continue(Schema):
    """Train a paused trial further."""

    kind: Literal["continue"] = "continue"
    trial: int
    to_budget: int


class Stop(Schema):
    """End a trial for good that is paused, or that has seen some of its folds."""

    kind: Literal["stop"] = "stop"
    trial: int


class Wait(Schema):
    """Nothing can be decided before a running trial reports."""

    # Wait and Done change no trial and are not counted: how often a driver asked must not change the random numbers of
    # the next decision.
    kind: Literal["wait"] = "wait"


class Done(Schema):
    """The search is over."""

    kind: Literal["done"] = "done"
    reason: str
    """One sentence for the user."""


Decision = Annotated[Start | Continue | Stop | Wait | Done, Discriminator("kind")]
Step = Start | Continue | Stop
"""A decision that changes a trial; these are counted and journalled."""
