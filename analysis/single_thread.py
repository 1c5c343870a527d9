"""Keeps linear algebra on one thread: many small products are slower on several, most of all beside busy workers."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_threaded_algebra() -> Iterator[None]:
    """Until the end of the block."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
