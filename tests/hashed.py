"""A model of words and their pieces: made in a moment, of any size, and a folder like any other."""

from __future__ import annotations

from pathlib import Path

from duretrieval.encode.char_ngrams import CharNgrams
from duretrieval.model.model import Model
from duretrieval.model.seal import Origin
from duretrieval.types import Modality


def hashed(folder: Path, dim: int = 32, seed: int = 0) -> Model:
    """Random axes of the length `dim`, saved to `folder`."""
    encoders = {Modality.TEXT: CharNgrams.fit(buckets=512, dim=dim, seed=seed)}
    model = Model(folder.name, encoders, dim=dim, fingerprint="being written")
    model.save(folder, made=Origin("CC0-1.0", "drawn at random"))
    return Model.load(folder)
