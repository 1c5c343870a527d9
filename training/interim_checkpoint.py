"""Checkpoints in the midst of a segment: a run that ends in a long training loses no epoch that was finished."""

import time
from pathlib import Path
from typing import Any

from pegbox.schemas.errors import TrialError
from pegbox.schemas.trial import MetricReport
from pegbox.training.checkpoint import read_checkpoint, write_checkpoint
from pegbox.training.early_stopping import Patience
from pegbox.training.torch_learners import AnyLearner

# Both picked by hand: a training of a second is as soon made again as found, and nobody sees a twentieth more.
EVERY_SECONDS = 1.0
"""A state is kept after the first epoch that ends so much later than the one that was kept before."""
SHARE = 0.05
"""More of the time than this does not go into keeping states: where one takes long to write, fewer are."""


class InterimCheckpoint:
    """The state of a segment while it trains, beside the checkpoints that segments end in.

    The file's name holds the segment's content key: whoever trains the same next, goes on from it bit for bit.

    Args:
        path: Of the file.
        recipe: Of the model.
    """

    def __init__(self, path: Path, recipe: str) -> None:
        self._path, self._recipe = path, recipe
        self._began = self._kept_at = time.perf_counter()
        self._cost = EVERY_SECONDS * SHARE
        self._earlier_seconds = 0.0

    @property
    def seconds(self) -> float:
        """How long the segment has trained, in this run and up to the state that it began with."""
        return self._earlier_seconds + time.perf_counter() - self._began

    def take_up(self, learner: AnyLearner, patience: Patience) -> list[MetricReport]:
        """Go on from the state that an earlier run kept, where there is one.

        Returns:
            What was reported up to it.
        """
        if not self._path.exists():
            return []
        try:
            state = read_checkpoint(self._path, self._recipe)
        except TrialError:  # of an older version: what it holds is trained again
            self.drop()
            return []
        learner.restore(state)
        patience.restore(state["patience"])
        self._earlier_seconds = state["seconds"]
        return [MetricReport.model_validate(one) for one in state["reports"]]

    def keep(self, learner: AnyLearner, patience: Patience, reports: list[MetricReport]) -> None:
        """Write the state, unless one was written a moment ago.

        Raises:
            StoreUnwritableError: The disk is full or fails.
        """
        began = time.perf_counter()
        if began - self._kept_at < self._cost / SHARE:
            return
        own: dict[str, Any] = {"reports": [one.model_dump() for one in reports], "seconds": self.seconds}
        state = {"patience": patience.state(), "recipe": self._recipe, **own}
        write_checkpoint(self._path, learner.state() | state)
        self._kept_at = time.perf_counter()
        self._cost = max(self._kept_at - began, EVERY_SECONDS * SHARE)

    def drop(self) -> None:
        """Take it away: the segment has ended."""
        self._path.unlink(missing_ok=True)
