"""The store of a collection, on Lance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.index.lance.reader import LanceReader as LanceReader
    from duretrieval.index.lance.store import LanceStore as LanceStore
    from duretrieval.index.lance.verify import Fault as Fault
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "reader": "LanceReader",
            "store": "LanceStore",
            "verify": "Fault",
        },
    )
