"""The laws of a `Store`, as tests.

class TestMyStore(StoreSuite):
    def make(self, tmp_path, dim): return MyStore.create(tmp_path / "store", dim)
    def reopen(self, store, tmp_path): store.close(); return MyStore.open(tmp_path / "store")
"""

from __future__ import annotations

from duretrieval.testing.stores.changed import Changed
from duretrieval.testing.stores.kept import Kept
from duretrieval.testing.stores.searched import Searched


class StoreSuite(Kept, Changed, Searched):
    """Subclass it, say how a store is made and opened again, and run pytest."""
