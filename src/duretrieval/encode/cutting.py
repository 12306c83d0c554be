"""A sound as pieces of a length that a graph can hear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.types import Array, Part


@dataclass(frozen=True, slots=True)
class Cutting:
    """What happens to sounds that are too short or too long; lengths in samples.

    A sound of `shortest` to `longest` samples is one piece, as it is. A graph of one fixed length has
    shortest == longest; a graph of any length has neither.
    """

    shortest: int = 1
    fill: Literal["silence", "repeat"] = "silence"
    """What makes a sound shorter than `shortest` that long: zeros after it, or itself again and again."""
    longest: int | None = None
    long: Literal["mean", "cut"] = "mean"
    """A sound longer than `longest` is heard in pieces whose rows are averaged, or only its beginning is heard."""
    hop: int | None = None
    """Most samples from the start of a piece to the start of the next; None: `longest`, so that pieces touch."""

    def __post_init__(self) -> None:
        if self.shortest < 1:
            raise ConfigError(f"shortest is {self.shortest}; give a number of samples, 1 or more")
        if self.fill not in ("silence", "repeat"):
            raise ConfigError(f"fill is {self.fill!r}; give 'silence' or 'repeat'")
        if self.long not in ("mean", "cut"):
            raise ConfigError(f"long is {self.long!r}; give 'mean' or 'cut'")
        if self.longest is not None and self.longest < self.shortest:
            raise ConfigError(
                f"longest is {self.longest} samples and shortest is {self.shortest}; longest must not be less"
            )
        if self.hop is not None and self.longest is None:
            raise ConfigError(f"hop is {self.hop} samples and there is no longest; give longest too, or leave hop out")
        if self.hop is not None and self.longest is not None and not 1 <= self.hop <= self.longest:
            raise ConfigError(
                f"hop is {self.hop} samples and longest is {self.longest}; hop must be 1 to longest, or what lies "
                "between pieces is not heard"
            )

    def __call__(self, samples: Array) -> list[Array]:
        """The pieces of a sound, in order: (n,) -> one or more (m,), shortest <= m <= longest.

        Pieces of a long sound are as long as they may be and evenly spaced, the first at its start and the last at its
        end, so that every sample is heard and none is made up:
        Cutting(longest=4)([0, 1, 2, 3, 4, 5]) == [[0, 1, 2, 3], [2, 3, 4, 5]].
        """
        n = len(samples)
        if n < self.shortest:
            return [_filled(samples, self.shortest, self.fill)]
        if self.longest is None or n <= self.longest:
            return [samples]
        if self.long == "cut":
            return [samples[: self.longest]]
        rest = n - self.longest
        steps = -(-rest // (self.hop or self.longest))
        starts = [step * rest // steps for step in range(steps + 1)]
        return [samples[start : start + self.longest] for start in starts]


def heard(part: Part, sample_rate: int) -> Array:
    """The samples of a sound.

    Raises:
        ShapeError: its content is not mono float32 samples, or there are none.
    """
    samples = part.content
    if not isinstance(samples, np.ndarray) or samples.dtype != np.float32 or samples.ndim != 1 or not len(samples):
        got = f"{samples.shape} {samples.dtype}" if isinstance(samples, np.ndarray) else type(samples).__name__
        raise ShapeError(
            "expected the content of an audio part to be mono sound of shape (samples,) float32 "
            f"at {sample_rate} Hz; got {got}"
        )
    return samples


def _filled(samples: Array, length: int, fill: str) -> Array:
    if fill == "repeat":
        return np.resize(samples, length)
    return np.pad(samples, (0, length - len(samples)))
