"""Follows a shared store for views that stay open: their driver may be on another machine, and nobody ingests here."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pegbox.schemas.errors import StoreError
from pegbox.storage.history_file import refresh
from pegbox.storage.layout import StoreLayout
from pegbox.storage.sharing.address import mirror_of

# As often as a driver publishes: half of what it wrote is then a second old when it is seen.
FOLLOW_SECONDS = 2.0

_logger = logging.getLogger(__name__)


@contextmanager
def followed(store: StoreLayout) -> Iterator[None]:
    """Keep a mirror and its snapshot up to date while the block lasts; nothing for a store that is not shared."""
    if mirror_of(store) is None:
        yield
        return
    stopped = threading.Event()
    thread = threading.Thread(target=_follow, args=(store, stopped), name="pegbox-follow", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _follow(store: StoreLayout, stopped: threading.Event) -> None:
    while not stopped.wait(FOLLOW_SECONDS):
        try:
            refresh(store)
        except (StoreError, OSError) as error:
            _logger.warning("The history is not up to date: %s", error)
