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


class Fork(Schema):
    """Begin a new trial with all that another one has learnt, and hyperparameters of its own: exploit and explore."""

    kind: Literal["fork"] = "fork"
    parent: int
    """The trial whose checkpoint it begins with."""
    replaces: int
    """The trial that was stopped, or failed, in whose place it is trained."""
    configuration: Configuration
    from_budget: int
    """What the parent had reached."""
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


Decision = Annotated[Start | Continue | Fork | Stop | Wait | Done, Discriminator("kind")]
Step = Start | Continue | Fork | Stop
"""A decision that changes a trial; these are counted and journalled."""
