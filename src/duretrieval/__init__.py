"""Find anything with anything: text, pictures, films and sounds in one search, offline."""

import os

for _name in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
    os.environ.setdefault(_name, "1")  # before any library that would report to its maker can be imported

from duretrieval.errors import DuretrievalError  # noqa: E402
from duretrieval.types import Evidence, Hit, Item, Modality, Part, Query, Reading, Term  # noqa: E402

__version__ = "0.1.0"
__all__ = ["DuretrievalError", "Evidence", "Hit", "Item", "Modality", "Part", "Query", "Reading", "Term"]
