"""Says what of a drift is the inputs' and what the relation's between inputs and target; decides nothing."""

from dataclasses import replace

import numpy as np

from pegbox.analysis.input_drift import MovedColumn, moved_columns, relation_moved
from pegbox.analysis.paired_comparison import TrialLosses
from pegbox.datasets.raw_inputs import raw_inputs
from pegbox.execution.kept_losses import trial_losses
from pegbox.flows.retune_decision import Measured
from pegbox.schemas.row_losses import RowLosses
from pegbox.schemas.word_lists import listed
from pegbox.storage.layout import StoreLayout

# Picked by hand: a reason is read in one breath; the farthest stand first.
MOST_NAMED = 5
"""Columns that are named."""


def drift_told(store: StoreLayout, before: Measured, after: Measured) -> str:
    """Which columns moved between two states of the data, begun with a space; nothing where it is not known.

    Args:
        store: Where the prepared data of both lies.
        before: The incumbent as it was judged first.
        after: The incumbent, trained again on the data as it is now.
    """
    moved = _moved(store, before, after)
    if moved is None:
        return ""
    return f" The inputs moved: {_named(moved)}." if moved else " The inputs did not move."


def fall_explained(store: StoreLayout, before: Measured, after: Measured, again: TrialLosses | None) -> str:
    """Whether the inputs explain a fall, or what they say of the target changed; begun with a space.

    Args:
        store: Where the prepared data of both lies.
        before: The incumbent as it was judged first.
        after: The incumbent, trained again on the data as it is now.
        again: What the incumbent's earlier models lose on the new rows; None where it is not known.
    """
    told, moved = drift_told(store, before, after), _moved(store, before, after)
    if moved is None:
        return told
    if not moved:
        return f"{told} What they say of the target did."
    match _relation(store, before, after, again):
        case True:
            return f"{told} That does not explain it all: what they say of the target moved as well."
        case False:
            return f"{told} That explains it: earlier rows like the new ones were as hard."
    return told


def _moved(store: StoreLayout, before: Measured, after: Measured) -> tuple[MovedColumn, ...] | None:
    old, new = before[0].data_fingerprint, after[0].data_fingerprint
    if old is None or new is None or old == new:
        return None
    first, second = raw_inputs(store.data, old, "train"), raw_inputs(store.data, new, "train")
    return None if first is None or second is None else moved_columns(first, second)


def _named(moved: tuple[MovedColumn, ...]) -> str:
    return listed([str(one) for one in moved], MOST_NAMED)


def _relation(store: StoreLayout, before: Measured, after: Measured, again: TrialLosses | None) -> bool | None:
    history, number = before
    old = raw_inputs(store.data, history.data_fingerprint or "", "valid")
    new = raw_inputs(store.data, after[0].data_fingerprint or "", "valid")
    lost = _over_seeds(trial_losses(history.trials[number], history.objectives[0]))
    loses = _over_seeds(again) if again else None
    if old is None or new is None or lost is None or loses is None:
        return None
    return relation_moved((old, lost), (new, loses))


def _over_seeds(losses: TrialLosses) -> RowLosses | None:
    """What each row loses, the mean over the seeds."""
    seeds = list(losses.rows.values())
    return replace(seeds[0], values=np.mean([one.values for one in seeds], axis=0)) if seeds else None
