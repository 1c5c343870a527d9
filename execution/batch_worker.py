"""What runs inside a worker process for several trials at once: train them as one stack, and measure each.

Imports neither Prefect nor DuckDB, as `segment_worker` does.
"""

from collections.abc import Sequence
from contextlib import ExitStack

from pegbox.execution.segment_worker import JournalledReports, Measured, handover_of, measured, open_splits
from pegbox.schemas.data import PreparedData
from pegbox.schemas.failure import Failure
from pegbox.schemas.trial import Segment, TrainedSegment
from pegbox.storage.layout import StoreLayout


def measure_speedup(segments: Sequence[Segment], data: PreparedData) -> float:
    """How many times faster the segments would train as a stack than one after another, on this machine now."""
    # Here and not above: the driver imports this module to name its functions, and does without torch.
    from pegbox.training.stacked_trainer import speedup

    return speedup(segments, open_splits(data, segments[0].fold))


def why_not_stacked(segments: Sequence[Segment], data: PreparedData) -> str | None:
    """Why segments of one `batch_key` train one by one; None where they can train as a stack."""
    from pegbox.training import stack_check

    return stack_check.why_not_stacked(segments, open_splits(data, segments[0].fold))


def train_segments(
    segments: Sequence[Segment], data: PreparedData, store: StoreLayout
) -> tuple[Measured | Failure, ...]:
    """Train segments of one `batch_key` as one stack; one that fails costs no other.

    Each is journalled, and left for the case that the driver dies, as if it had been trained alone.

    Args:
        segments: Of different content.
        data: What all of them are trained on.
        store: Where checkpoints and journals are kept.
    """
    reports = JournalledReports(store)
    handovers = {segment.content_key(data.fingerprint): handover_of(segment, data, store) for segment in segments}
    with ExitStack() as held:
        for key in sorted(handovers):  # in one order everywhere, so that no two workers wait for each other
            held.enter_context(handovers[key].training())
        found = [handover.find() for handover in handovers.values()]
        # A driver that died may have left some of them trained: only the rest is stacked.
        missing = [segment for segment, trained in zip(segments, found, strict=True) if trained is None]
        answers = iter(_train(missing, data, store, reports) if missing else ())
        ended = [next(answers) if trained is None else trained for trained in found]
        for handover, answer in zip(handovers.values(), ended, strict=True):
            if isinstance(answer, TrainedSegment):
                handover.leave(answer)
    for segment, trained in zip(segments, found, strict=True):
        if trained is not None:
            reports.take(segment, trained)
    return tuple(
        answer if isinstance(answer, Failure) else measured(segment, answer, data)
        for segment, answer in zip(segments, ended, strict=True)
    )


def _train(
    segments: Sequence[Segment], data: PreparedData, store: StoreLayout, reports: JournalledReports
) -> list[TrainedSegment | Failure]:
    from pegbox.training.stacked_trainer import train_together

    splits = open_splits(data, segments[0].fold)
    try:
        return train_together(segments, splits, store.checkpoints, [reports.of(segment) for segment in segments])
    finally:
        reports.flush()
