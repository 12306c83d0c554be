"""A collection: what is found where, the road in, the road of a question, and its upkeep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.collection.collection import Collection as Collection
    from duretrieval.collection.collection import Stats as Stats
    from duretrieval.collection.doctor import Finding as Finding
    from duretrieval.collection.doctor import diagnose as diagnose
    from duretrieval.collection.ingest import Ingest as Ingest
    from duretrieval.collection.ingest import Report as Report
    from duretrieval.collection.reading import read_parts as read_parts
    from duretrieval.collection.sources import Entry as Entry
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "collection": "Collection Stats",
            "ingest": "Ingest Report",
            "doctor": "Finding diagnose",
            "sources": "Entry",
            "reading": "read_parts",
        },
    )
