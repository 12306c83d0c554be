"""The suite of a `Store`, by what it asks: what is kept, what changes, what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.testing.stores.made import directions as directions
    from duretrieval.testing.stores.made import text as text
    from duretrieval.testing.stores.suite import StoreSuite as StoreSuite
else:
    __getattr__, __dir__, __all__ = window(__name__, {"made": "directions text", "suite": "StoreSuite"})
