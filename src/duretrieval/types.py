"""The nouns that cross every boundary. Nothing here knows how to do anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Scalar = str | int | float | bool | datetime
Positive = Literal["key", "text", "file", "label"]
"""What things of different rows may have in common to belong together."""


class Modality(StrEnum):
    """What a part is made of."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    WHOLE = "whole"
    """All of an item's modalities, fused into one vector by its model; such a part has no content of its own."""


MEDIA = (Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.AUDIO)
"""The modalities that content comes in."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How media are cut and sized for a model: part of the model, because its vectors depend on it."""

    image_side: int = 224
    """Pixels; pictures and frames become squares of this side."""
    image_fit: Literal["crop", "pad", "stretch"] = "pad"
    """What happens to what is not square: cut to the middle, laid on white, or squeezed."""
    sample_rate: int = 16_000
    """Samples a second; sound becomes mono float32 in [-1, 1]."""
    window_s: float = 5.0
    """Seconds in one moment of a film or a sound."""
    frames_per_window: int = 4
    passage_chars: int = 600
    """Longest passage of a text, in characters (a Chinese character counts as two)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One encodable piece of an item, and where it sits in it.

    content, by modality: TEXT a str; IMAGE (h, w, 3) uint8 RGB; VIDEO (t, h, w, 3) uint8 RGB; AUDIO (samples,)
    float32 mono at the model's rate; or the `Path` of a file that holds it. None when the part comes back from a
    collection and its content is not text.
    """

    modality: Modality
    content: str | Path | npt.NDArray[Any] | None
    start_s: float | None = None
    end_s: float | None = None
    page: int | None = None
    start_char: int | None = None
    end_char: int | None = None
    file: str | None = None
    """The file this part came from, where that is not the item's own source."""


@dataclass(frozen=True, slots=True)
class Item:
    """What a person wants back: a file, a product, a case."""

    id: str
    source: str
    """The file's path, or `manifest.jsonl#id` for a row of a manifest."""
    parts: tuple[Part, ...] = ()
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    """Metadata to filter by and show: name, kind, ext, bytes, width, seconds, taken, camera ... and the user's own."""
    stamp: str = ""
    """Changes when the source does, and costs a stat to know."""
    digest: str = ""
    """Content hash of the source; equal for copies and for a file that moved."""
    problem: str | None = None
    """Why the source, or a piece of it, could not be used."""


@dataclass(frozen=True, slots=True)
class Term:
    """One operand of a query; a negative weight means less of this."""

    modality: Modality
    content: str | Path | npt.NDArray[Any]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: terms, or an item to be like, and what restricts the answer."""

    terms: tuple[Term, ...] = ()
    like: tuple[str, ...] = ()
    """Ids of items to find more of; they are not among the hits."""
    modalities: frozenset[Modality] = frozenset(Modality)
    """Which parts may match."""
    where: str | None = None
    """A filter over fields, in SQL: "ext = 'jpg' AND width > 1000"."""
    weights: Mapping[Modality, float] | None = None
    """Importance per modality; when given, an item's score is the weighted mean over its modalities.

    None: as the model's learned weights say, where it has some; else an item's score is that of its best part.
    """
    k: int = 10
    exact: bool = False
    """Compare every vector, even where there is an approximate index."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A part that matched."""

    part: Part
    similarity: float
    """Cosine with the query, in [-1, 1]."""
    score: float
    """The same, comparable across modalities: standard deviations above an unrelated part; or as `Hit.measure` says."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One result. Larger scores are better, always."""

    item: Item
    score: float
    evidence: tuple[Evidence, ...]
    """Best first; never empty."""
    measure: str = "deviations"
    """What its scores are: standard deviations above an unrelated part, or what a re-ranker says of its own."""


@dataclass(frozen=True, slots=True)
class Match:
    """A part that a store found: `n` counts the item's parts from 0."""

    item: str
    n: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Probe:
    """A whole query as one vector for one modality: a part's score is `scale * cosine(vector, part) - offset`."""

    vector: Array
    """(d,) float32, unit length."""
    scale: float
    offset: float
