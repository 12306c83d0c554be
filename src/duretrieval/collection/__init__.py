"""A collection: what is found where, the road in, the road of a question, and its upkeep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.collection.collection import Collection as Collection
    from duretrieval.collection.doctor import Finding as Finding
    from duretrieval.collection.doctor import diagnose as diagnose
    from duretrieval.collection.ingest import Ingest as Ingest
    from duretrieval.collection.ingest import Report as Report
    from duretrieval.collection.reading import Road as Road
    from duretrieval.collection.sources import Entry as Entry
    from duretrieval.collection.stats import Stats as Stats
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "collection": "Collection",
            "ingest": "Ingest Report",
            "doctor": "Finding diagnose",
            "sources": "Entry",
            "stats": "Stats",
            "reading": "Road",
        },
    )
