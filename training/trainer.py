"""The seam between a study and whatever it trains: two verbs; which kinds there are stands in `kinds`."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Metrics
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment

EvaluatedPart = Literal["valid", "test"]

Report = Callable[[int, Metrics], None]
"""Takes a step, in units of the budget, and what was measured there."""


class Trainer(Protocol):
    """Turns one configuration into metrics at a budget.

    Both verbs run in a worker process and keep nothing between calls but what may be computed again.
    """

    def train(self, segment: Segment, data: Splits | None, checkpoints: Path, report: Report) -> TrainedSegment:
        """Train from the segment's `from_budget` to its `to_budget`, from its checkpoint where there is one.

        Args:
            segment: What to train.
            data: The fold to train on; None where the trainer brings its own data.
            checkpoints: An existing directory; the checkpoint is written there, named by content, in one step.
            report: Called with the metrics of each step while training goes on.

        Raises:
            TrialError: The trial failed; the error says why.
        """
        ...

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: Splits | None, part: EvaluatedPart
    ) -> Evaluation:
        """Measure what `train` left behind: `val_...` metrics on the part valid, `test_...` on the part test.

        Raises:
            TrialError: The checkpoint cannot be used, or a loss is not finite.
        """
        ...
