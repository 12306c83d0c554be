"""Find anything with anything: text, pictures, films and sounds in one search, offline."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from duretrieval.errors import DuretrievalError

if TYPE_CHECKING:
    from duretrieval.types import Evidence, Hit, Item, Modality, Part, Query, Reading, Term

__version__ = "0.1.0"
__all__ = ["DuretrievalError", "Evidence", "Hit", "Item", "Modality", "Part", "Query", "Reading", "Term"]


def __getattr__(name: str) -> Any:
    """The nouns when they are first asked for: they need numpy, and `duretrieval --help` does not."""
    if name not in __all__:
        raise AttributeError(f"module 'duretrieval' has no attribute {name!r}")
    return getattr(import_module("duretrieval.types"), name)
