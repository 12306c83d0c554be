"""Find anything with anything: text, pictures, films and sounds in one search, offline."""

from duretrieval.errors import DuretrievalError
from duretrieval.types import Evidence, Hit, Item, Modality, Part, Query, Reading, Term

__version__ = "0.1.0"
__all__ = ["DuretrievalError", "Evidence", "Hit", "Item", "Modality", "Part", "Query", "Reading", "Term"]
