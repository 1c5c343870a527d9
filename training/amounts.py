"""Multi-fidelity training by amounts other than epochs: each rung is a whole training, of more rows or something else.

A trainer knows epochs. What it is given here is a segment from zero to `train.epochs` on some of the rows, or one with
the amount beside the parameters; what comes of it is told at the amount.
"""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.base import Metrics, parted
from pegbox.schemas.plan import EPOCHS, ROWS
from pegbox.schemas.train import OWN_CODE, CommandTrain
from pegbox.schemas.trial import Evaluation, MetricReport, Segment, TrainedSegment
from pegbox.training.trainer import EvaluatedPart, Report, Trainer
from pegbox.training.user_metrics import last_word


class AmountTrainer:
    """A `Trainer` of segments that count something else than epochs, by way of the trainer of their kind."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def train(self, segment: Segment, data: Splits | None, checkpoints: Path, report: Report) -> TrainedSegment:
        """See `Trainer.train`; what is reported on the way is told at the amount, where its last word stays."""

        def tell(_step: int, metrics: Metrics) -> None:
            report(segment.to_budget, metrics)

        inner = _whole_training(segment)
        trained = self._trainer.train(inner, _of_amount(segment, data), checkpoints, tell)
        metrics, unusable = parted(last_word(trained))
        reports = (MetricReport(step=segment.to_budget, metrics=metrics, unusable=unusable),) if trained.reports else ()
        return trained.model_copy(
            update={
                "budget": segment.to_budget,
                "reports": reports,
                # Patience ends a loop within its rung; only code of the user's ends the trial itself.
                "stopped_early": trained.stopped_early and isinstance(segment.train, OWN_CODE),
                "restarted": segment.from_budget > 0 and (inner.checkpoint is None or trained.restarted),
            }
        )

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: Splits | None, part: EvaluatedPart
    ) -> Evaluation:
        """See `Trainer.evaluate`; all rows of a part are measured, however few were trained on."""
        return self._trainer.evaluate(_whole_training(segment), trained, data, part)


def by_amount(segment: Segment, trainer: Trainer) -> Trainer:
    """Who trains the segment: the trainer itself where budgets are epochs."""
    return trainer if segment.fidelity == EPOCHS else AmountTrainer(trainer)


def _whole_training(segment: Segment) -> Segment:
    """What the trainer of the kind sees.

    Code of the user's gets the amount as one more number, and what the rung before left behind, which it may go on
    from. pegbox's own loops begin anew: weights that have seen some rows often are not those that saw all alike.
    """
    if isinstance(segment.train, OWN_CODE):
        amount = {segment.fidelity: segment.to_budget}
        return segment.model_copy(update={"configuration": {**segment.configuration, **amount}})
    return segment.model_copy(update={"from_budget": 0, "to_budget": segment.train.epochs, "checkpoint": None})


def _of_amount(segment: Segment, data: Splits | None) -> Splits | None:
    """Some of the training rows where these are what is counted; a program reads its files itself."""
    if data is None or segment.fidelity != ROWS or isinstance(segment.train, CommandTrain):
        return data
    return some_rows(data, segment.to_budget)


def some_rows(data: Splits, n_rows: int) -> Splits:
    """The fold with so many of its training rows, the same at every call; fewer rows are among the more.

    The scale of the target stays that of all rows, so that a model of some rows answers in the same units.
    """
    n_rows = min(n_rows, len(data.train))
    rows = np.sort(nested_order(data.train.target, is_classes=data.info.task == "classification")[:n_rows])
    whole = data.train
    train = Part(whole.numeric[rows], whole.categorical[rows], whole.target[rows])
    # A name of its own: folds are kept in memory by it, and checkpoints named.
    name = hashlib.sha256(f"{data.info.fingerprint} {n_rows} rows".encode()).hexdigest()
    info = data.info.model_copy(update={"fingerprint": name, "n_rows": {**data.info.n_rows, "train": n_rows}})
    return Splits(info, train, data.valid, data.test, whole=whole)


def nested_order(target: npt.NDArray[np.generic], *, is_classes: bool) -> npt.NDArray[np.int64]:
    """Rows in an order of which every beginning holds the classes in their shares, shape (n_rows,).

    Each row stands where it would if those of its class were spread evenly, so that a rare class is met early on.

    >>> sorted(np.array([0, 0, 0, 0, 1, 1])[nested_order(np.array([0, 0, 0, 0, 1, 1]), is_classes=True)[:3]].tolist())
    [0, 0, 1]
    """
    rng = np.random.default_rng(len(target))  # by the number of rows: the same for all trials, and at every resume
    order = rng.permutation(len(target))
    if not is_classes:
        return order
    place = np.empty(len(order))
    for one in np.unique(target):
        members = np.flatnonzero(target[order] == one)
        # In the middle of its stretch, so that the first row of a rare class comes neither first nor last.
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return order[np.argsort(place, kind="stable")]
