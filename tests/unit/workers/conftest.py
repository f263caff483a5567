"""The same record and queue as the store's tests have."""

from tests.unit.store.conftest import database, empty_url, queue

__all__ = ["database", "empty_url", "queue"]
