"""What all tests of the search share."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small matrices on several threads are slow on a busy machine; the methods hold themselves to one as well."""
    with threadpool_limits(1, user_api="blas"):
        yield
