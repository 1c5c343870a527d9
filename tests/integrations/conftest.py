"""The stores that the tests of `storage` make, for what is read from other tools and written for them."""

from tests.storage.conftest import record_all, recorded, store

__all__ = ["record_all", "recorded", "store"]
