"""A Prefect concurrency limit around training, so that flows share a GPU or a license; workers know nothing of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectNotFound


def ensure_limit(name: str | None) -> None:
    """Make the limit, with one slot, where Prefect knows none of that name; `prefect gcl update` changes it."""
    if name is None:
        return
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))


@contextmanager
def within_limit(name: str | None) -> Iterator[None]:
    """Hold a slot of the limit as long as the block lasts; no limit, no waiting."""
    if name is None:
        yield
        return
    with concurrency(name, occupy=1, strict=True):
        yield
