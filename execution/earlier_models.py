"""What runs in a worker to measure models that were trained before on the rows as they are now."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pegbox.datasets.seen_as import seen_as
from pegbox.schemas.row_losses import RowLosses
from pegbox.schemas.trial import Segment, TrainedSegment
from pegbox.storage.layout import StoreLayout
from pegbox.training.amounts import by_amount
from pegbox.training.kinds.registry import trainer_for
from pegbox.training.row_losses import read_row_losses


def losses_on_new_rows(
    segments: Sequence[Segment], checkpoints: Sequence[Path], store: StoreLayout, before: str, now: str
) -> list[RowLosses] | None:
    """What each model loses on the validation rows of the data as it is now.

    Args:
        segments: The trainings that the models come from, fresh seeds of one trial.
        checkpoints: Where they ended.
        store: Where the prepared data lies.
        before: Fingerprint of the data that they learned from.
        now: Fingerprint of the data as it is.

    Returns:
        None where the rows cannot be shown to these models, or their losses are not known row by row.

    Raises:
        TrialError: A checkpoint cannot be used.
    """
    splits = seen_as(store.data, before, now)
    if splits is None:
        return None
    found = []
    for segment, checkpoint in zip(segments, checkpoints, strict=True):
        # In a place of its own: beside the checkpoint lies what the model lost on its own rows.
        with tempfile.TemporaryDirectory(dir=store.checkpoints) as directory:
            linked = Path(directory) / checkpoint.name
            linked.symlink_to(checkpoint.absolute())
            trained = TrainedSegment(budget=segment.to_budget, checkpoint=linked, seconds=0.0)
            measured = by_amount(segment, trainer_for(segment.train)).evaluate(segment, trained, splits, "valid")
            kept = [read_row_losses(path) for path in measured.rows]
        if len(kept) != 1 or kept[0] is None:
            return None
        found.append(kept[0])
    return found
