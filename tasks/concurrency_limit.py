"""A Prefect concurrency limit around training, so that flows share a GPU or a license; workers know nothing of it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from pegbox.schemas.errors import PegboxError

LEASE_SECONDS = 60.0
"""A slot whose holder died is free again after this time; Prefect allows no less."""
# Exponential backoff, picked by hand: 15 s outlast a server that is busy; one that is away is told of.
PATIENCE_SECONDS = (1.0, 2.0, 4.0, 8.0)
"""Pauses before a server that is too busy to answer is asked again."""


def ensure_limit(name: str | None) -> None:
    """Make the limit, with one slot, where Prefect knows none of that name; `prefect gcl update` changes it."""
    if name is None:
        return
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            with suppress(ObjectAlreadyExists):  # another study has just made it
                client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))


@contextmanager
def within_limit(name: str | None) -> Iterator[None]:
    """Hold a slot of the limit as long as the block lasts; no limit, no waiting.

    Raises:
        PegboxError: The server does not give out slots, or knows no such limit any more.
    """
    with ExitStack() as held:
        # Prefect polls coarsely for a slot (six blocks of 50 ms took 4.6 s on 3.8.8), so only studies that ask for a
        # limit pay.
        if name is not None:
            _occupy(name, held)
        yield


def _occupy(name: str, held: ExitStack) -> None:
    for pause in (*PATIENCE_SECONDS, None):
        try:
            # A server that is away for a moment must not end a training that holds its slot.
            slot = concurrency(name, strict=True, lease_duration=LEASE_SECONDS, raise_on_lease_renewal_failure=False)
            held.enter_context(slot)
            return
        except ConcurrencySlotAcquisitionError as error:
            if pause is None:
                raise PegboxError(
                    f"Prefect gives out no slot of the concurrency limit {name!r}: {error}. `prefect gcl ls` shows "
                    "the limits; what was trained is recorded, and the same command goes on with it."
                ) from error
            time.sleep(pause)
