"""The seams of the search: what a sampler, a schedule and a strategy are; the methods themselves live beside it."""

from typing import Protocol

import numpy as np

from pegbox.schemas.base import Configuration, Schema
from pegbox.schemas.decision import Continue, Decision, Done, Stop, Wait
from pegbox.schemas.history import History


class Begin(Schema):
    """Begin a new trial; which configuration is the sampler's part."""

    to_budget: int
    """How far it is trained first."""


class Sampler(Protocol):
    """What to try next."""

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """Up to `count` configurations that differ from each other and from every trial of the history.

        Raises:
            SpaceExhaustedError: Every configuration of the space has been tried.
            SearchError: No allowed configuration was found.
        """
        ...


class Schedule(Protocol):
    """How far to train."""

    def decide(self, history: History, can_begin: bool) -> Begin | Continue | Stop | Wait | Done:
        """What is to be done next.

        Waits only while a trial runs, so a study never stands still.

        Args:
            history: Everything decided and measured so far.
            can_begin: False where no further trial may begin; the trials there are can still be continued.
        """
        ...


class Planner(Protocol):
    """What to do next as far as learning goes; the limits of the budget are added around it."""

    def plan(self, history: History, can_begin: bool, rng: np.random.Generator) -> Decision:
        """The next step.

        Args:
            history: Everything decided and measured so far.
            can_begin: False where no further trial may begin.
            rng: Random numbers of this decision.

        Raises:
            SpaceExhaustedError: It wants a new trial, but every configuration has been tried.
        """
        ...


class Ending(Protocol):
    """A rule that ends a search by what it has learnt, beside the limits that are counted."""

    def reason(self, history: History) -> str | None:
        """Why the search is over, in one sentence; None while it goes on. A pure function of the history."""
        ...


class Strategy(Protocol):
    """What the flow asks: a pure function of the history and the random numbers."""

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        """The next decision, for one free worker.

        Raises:
            SearchError: The method cannot go on.
        """
        ...
