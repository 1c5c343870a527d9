"""Keeps a driver's study while it lives, in a thread: renews the lease, publishes what is recorded (heartbeat)."""

import logging
import threading
import time

from pegbox.schemas.errors import StoreBusyError, StoreUnreachableError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.sharing.address import mirror_of
from pegbox.storage.sharing.lease import RENEW_SECONDS, Lease
from pegbox.storage.sharing.synchronising import synchronise

# Picked by hand: how much of a driver's work is lost with its machine; a request each costs less than a cent a day.
PUBLISH_SECONDS = 2.0

_logger = logging.getLogger(__name__)


class LeaseKeeper:
    """Holds the lease of one study from `start` to `stop`.

    Attributes:
        lost: Why the study is driven elsewhere by now; None as long as it is ours.
    """

    def __init__(self, store: StoreLayout, lease: Lease) -> None:
        self._store, self._lease = store, lease
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pegbox-lease", daemon=True)
        self._is_away = False
        self.lost: StoreBusyError | None = None

    @classmethod
    def taken(cls, store: StoreLayout, study: str) -> "LeaseKeeper | None":
        """Take a study of a shared store, and bring what its drivers recorded; None where the store is not shared.

        Raises:
            StoreBusyError: Another machine drives it; the message names it.
            StoreUnreachableError: The storage does not answer.
        """
        mirror = mirror_of(store)
        if mirror is None:
            return None
        lease = Lease(mirror, study)
        lease.take()
        try:
            synchronise(store)  # after the lease is ours: what its last holder published before it went is there
        except BaseException:
            lease.drop()
            raise
        keeper = cls(store, lease)
        keeper._thread.start()
        return keeper

    def stop(self) -> None:
        """Publish the rest and let others have the study; where that cannot be told, this machine alone may go on."""
        self._stopped.set()
        self._thread.join()
        try:
            synchronise(self._store)
        except StoreUnreachableError as error:
            # The lease stays until it ends by itself: whoever comes sooner would begin without what is here.
            _logger.warning("%s", error)
        else:
            self._lease.drop()

    def _run(self) -> None:
        renewed = time.monotonic()
        while self.lost is None and not self._stopped.wait(PUBLISH_SECONDS):
            try:
                if time.monotonic() - renewed >= RENEW_SECONDS:
                    self._lease.renew()
                    renewed = time.monotonic()
                synchronise(self._store, wait=False)
                self._is_away = False
            except StoreBusyError as error:
                self.lost = error
            except Exception as error:  # noqa: BLE001 - what is in the mirror is safe, and the study goes on
                if not self._is_away:
                    _logger.warning("%s", error)
                self._is_away = True
