"""Every error this package raises on purpose.

DuretrievalError
├── ConfigError(ValueError)      a setting the user wrote cannot be used
│   ├── UnfitFields              fields of items that a store cannot keep
│   ├── UnknownPart              a name that is neither built in, installed, nor a module:attribute path
│   ├── Untrusted                a stored file names Python code, and nobody said to trust it
│   └── Diverged                 training with these settings ended in numbers that are not finite
├── ShapeError(ValueError)       an array does not have the shape that was promised
├── MissingExtra(ImportError)    a part needs packages that are not installed
├── MediaError(ValueError)       a file cannot be used; the message is its reason in the list of problems
│   ├── UnsupportedMedia         nothing here reads this kind of file
│   ├── DamagedMedia             the file is truncated, corrupt, or crashed its decoder
│   ├── EmptyMedia               the file holds nothing to find (no text, no frames, silence of length 0)
│   └── LimitExceeded            the file is past a limit (pixels, seconds, pages, bytes, decoding time)
├── ModelError                   a model folder cannot be used
├── CollectionError              a collection cannot be used
│   ├── NotACollection           nothing, or something else, is at that place
│   ├── WouldEmpty               everything known below a folder, or of a manifest, would be removed
│   ├── ModelMismatch            its vectors were made by another model
│   └── CollectionLocked         another process is writing to it
├── QueryError(ValueError)       a query cannot be answered as written
│   └── UnknownField             a filter names a field that no item has
└── EvaluationError(ValueError)  labels, judgements or results cannot be evaluated
"""

from __future__ import annotations

from collections.abc import Mapping


class DuretrievalError(Exception):
    """Base class: catch this to catch everything below."""


class ConfigError(DuretrievalError, ValueError):
    """A setting the user wrote cannot be used."""


class UnfitFields(ConfigError):
    """Fields of items that a store cannot keep; the message is the first reason."""

    def __init__(self, reasons: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(next(reason for fields in reasons.values() for reason in fields.values()))
        self.reasons = reasons
        """id of an item -> name of a field -> why it cannot be kept."""


class UnknownPart(ConfigError):
    """A part name that cannot be found."""


class Untrusted(ConfigError):
    """A stored file names Python code that opening it would run."""


class Diverged(ConfigError):
    """Training ended in numbers that are not finite."""


class ShapeError(DuretrievalError, ValueError):
    """An array does not have the shape that was promised."""


class MissingExtra(DuretrievalError, ImportError):
    """A part needs packages that are not installed."""


class MediaError(DuretrievalError, ValueError):
    """A file cannot be used."""


class UnsupportedMedia(MediaError):
    """Nothing here reads this kind of file."""


class DamagedMedia(MediaError):
    """The file is truncated, corrupt, or crashed its decoder."""


class EmptyMedia(MediaError):
    """The file holds nothing to find."""


class LimitExceeded(MediaError):
    """The file is past one of the limits in `media.Limits`."""


class ModelError(DuretrievalError):
    """A model folder cannot be used."""


class CollectionError(DuretrievalError):
    """A collection cannot be used."""


class NotACollection(CollectionError):
    """Nothing, or something else, is at that place."""


class WouldEmpty(CollectionError):
    """Everything known below a folder, or of a manifest, would be removed."""


class ModelMismatch(CollectionError):
    """The collection's vectors were made by another model."""


class CollectionLocked(CollectionError):
    """Another process is writing to the collection."""


class QueryError(DuretrievalError, ValueError):
    """A query cannot be answered as written."""


class UnknownField(QueryError):
    """A filter names a field that no item has."""


class EvaluationError(DuretrievalError, ValueError):
    """Labels, judgements or results cannot be evaluated."""
