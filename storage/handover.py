"""A content-addressed place where a worker leaves a result until it is recorded: a driver's death loses nothing."""

import os
from contextlib import AbstractContextManager

from pydantic import ValidationError

from pegbox.schemas.trial import TrainedSegment
from pegbox.storage.layout import StoreLayout
from pegbox.storage.locks import exclusive, is_locked


class Handover:
    """The place of one segment, named by its content; drivers and workers of a store meet there.

    A lock says that a worker trains the segment; it goes with its process.

    Args:
        store: The store.
        key: The content key of the segment.
    """

    def __init__(self, store: StoreLayout, key: str) -> None:
        self._result = store.cache / f"handover-{key}.json"
        self._lock = store.cache / f"handover-{key}.lock"

    def training(self) -> AbstractContextManager[bool]:
        """Say that this process trains the segment, as long as the block lasts; waits for another that does."""
        # Waits: the worker of a dead driver may still train this segment, and its result is then found instead of made
        # twice.
        return exclusive(self._lock, wait=True)

    def is_training(self) -> bool:
        """True while another process trains the segment."""
        try:
            file = os.open(self._lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return is_locked(file)
        finally:
            os.close(file)

    def leave(self, trained: TrainedSegment) -> None:
        """Put down what was trained, in one step.

        Raises:
            OSError: The file cannot be written.
        """
        # Renamed into place: a driver that looks in the midst of writing finds nothing instead of half a result.
        draft = self._result.with_name(f".{self._result.name}.{os.getpid()}")
        try:
            draft.write_text(trained.model_dump_json())
            draft.replace(self._result)
        finally:
            draft.unlink(missing_ok=True)

    def find(self) -> TrainedSegment | None:
        """What a worker left and nobody took; None where there is nothing, or nothing that can be used."""
        try:
            trained = TrainedSegment.model_validate_json(self._result.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        # A checkpoint may be collected as garbage before anybody takes the result.
        return trained if trained.is_whole else None

    def clear(self) -> None:
        """Take everything away: the result is recorded."""
        for path in (self._result, self._lock):
            path.unlink(missing_ok=True)
