"""What a worker leaves for the driver after the next: found whole, or not at all."""

from pathlib import Path

import pytest

from pegbox.schemas.trial import TrainedSegment
from pegbox.storage.handover import Handover
from pegbox.storage.layout import StoreLayout

TRAINED = TrainedSegment(budget=3, seconds=1.5)


@pytest.fixture
def handover(store: StoreLayout) -> Handover:
    return Handover(store, "0" * 32)


def test_what_is_left_is_found_until_it_is_cleared(store: StoreLayout, handover: Handover) -> None:
    handover.leave(TRAINED)
    found = handover.find()
    handover.clear()

    assert found == TRAINED
    assert handover.find() is None
    assert list(store.cache.iterdir()) == []


def test_torn_result_is_not_found(store: StoreLayout, handover: Handover) -> None:
    handover.leave(TRAINED)
    (left,) = store.cache.iterdir()
    left.write_bytes(left.read_bytes()[:20])

    assert handover.find() is None


def test_result_whose_checkpoint_is_gone_is_not_found(tmp_path: Path, handover: Handover) -> None:
    handover.leave(TRAINED.model_copy(update={"checkpoint": tmp_path / "gone.pt"}))

    assert handover.find() is None


def test_segment_is_known_to_be_trained_as_long_as_it_is(store: StoreLayout, handover: Handover) -> None:
    seen = [handover.is_training()]
    with Handover(store, "0" * 32).training():
        seen.append(handover.is_training())
    seen.append(handover.is_training())

    assert seen == [False, True, False]
