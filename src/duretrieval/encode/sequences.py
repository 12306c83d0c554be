"""Sequences of parts: words of a text, cells of a picture, frames of a film, patches of a sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.similarity import unit
from duretrieval.types import Array, Part


def tokens(encoder: Any, parts: Sequence[Part], most: int) -> list[Array]:
    """What a fusion reads of each part: (t, dim) unit rows, 1 <= t <= most.

    Raises:
        ConfigError: the encoder hands on no sequence.
    """
    check_sequential(encoder)
    return [shortened(found, most) for found in encoder.sequence(parts)]


def shortened(sequence: Array, most: int) -> Array:
    """A sequence (t, d) as unit rows, `most` at most: of a longer one, the means of that many stretches of neighbours.

    Row i falls into stretch floor(i most / t).  shortened([[1, 0], [3, 0], [0, 5]], 2) == [[1, 0], [0, 1]].
    """
    t = len(sequence)
    if t > most:
        begins = -(-np.arange(most) * t // most)
        counts = np.diff(np.append(begins, t))
        sequence = (np.add.reduceat(sequence, begins, axis=0) / counts[:, None]).astype(np.float32)
    return unit(sequence)


def check_sequential(encoder: Any, name: str = "") -> None:
    """Raise ConfigError unless the encoder hands on sequences as it is."""
    if not getattr(encoder, "sequential", False):
        said = repr(name) if name else type(encoder).__name__
        raise ConfigError(
            f"{said} makes one row of a part and hands on no sequence of it; leave `tokens` out, or take an encoder "
            "that does: builtin, transformer, word2vec, vision, vgg (pooled) or a sound encoder"
        )
