"""How a sound is recorded. Its length stays what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from duretrieval.training.augment.settings import within
from duretrieval.types import Array, Part


@dataclass(frozen=True, slots=True)
class Noise:
    """White noise at a ratio of `least_db` to `most_db` decibels: 10 log10(power of the sound / power of the noise)."""

    least_db: float = 10
    most_db: float = 40

    def __post_init__(self) -> None:
        within("noise.most_db", self.most_db, -100, 200)
        within("noise.least_db", self.least_db, -100, self.most_db)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part with noise; silence stays silent."""
        ratio = 10 ** (float(rng.uniform(self.least_db, self.most_db)) / 10)

        def change(sound: Array) -> Array:
            power = float(np.mean(np.square(sound, dtype=np.float64)))
            noise = rng.standard_normal(len(sound), dtype=np.float32)
            return sound + np.float32(np.sqrt(power / ratio)) * noise

        return _changed(part, change)


@dataclass(frozen=True, slots=True)
class Shift:
    """Earlier or later by up to `share` of its length; silence comes in where it leaves."""

    share: float = 0.2

    def __post_init__(self) -> None:
        within("shift.share", self.share, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part, moved."""
        by = float(rng.uniform(-self.share, self.share))

        def change(sound: Array) -> Array:
            steps = round(by * len(sound))
            out = np.zeros_like(sound)
            if steps >= 0:
                out[steps:] = sound[: len(sound) - steps]
            else:
                out[:steps] = sound[-steps:]
            return out

        return _changed(part, change)


@dataclass(frozen=True, slots=True)
class Gain:
    """Louder or softer by up to `db` decibels."""

    db: float = 6

    def __post_init__(self) -> None:
        within("gain.db", self.db, 0, 60)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part, louder or softer; what is beyond full scale is clipped."""
        factor = np.float32(10 ** (float(rng.uniform(-self.db, self.db)) / 20))
        return _changed(part, lambda sound: sound * factor)


@dataclass(frozen=True, slots=True)
class Speed:
    """Faster or slower by up to `most`, pitch included (Ko et al. 2015, "Audio augmentation for speech recognition").

    x(a t), between samples on a straight line.  Unlike theirs, the length stays: the end is cut, or silent.
    """

    most: float = 0.1

    def __post_init__(self) -> None:
        within("speed.most", self.most, 0, 0.9)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part at another speed."""
        speed = float(rng.uniform(1 - self.most, 1 + self.most))

        def change(sound: Array) -> Array:
            at = np.arange(len(sound))
            faster: Array = np.interp(at * speed, at, sound, right=0.0).astype(np.float32)
            return faster

        return _changed(part, change)


@dataclass(frozen=True, slots=True)
class TimeMask:
    """A stretch of up to `share` of the sound is silent."""

    share: float = 0.2

    def __post_init__(self) -> None:
        within("time_mask.share", self.share, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part with a hole."""
        length, at = float(rng.uniform(0, self.share)), float(rng.random())

        def change(sound: Array) -> Array:
            size = round(length * len(sound))
            begin = round(at * (len(sound) - size))
            out = sound.copy()
            out[begin : begin + size] = 0
            return out

        return _changed(part, change)


@dataclass(frozen=True, slots=True)
class FrequencyMask:
    """A band of up to `share` of the frequencies is missing."""

    share: float = 0.15

    def __post_init__(self) -> None:
        within("frequency_mask.share", self.share, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part without a band, cut out of its spectrum as a whole."""
        width, at = float(rng.uniform(0, self.share)), float(rng.random())

        def change(sound: Array) -> Array:
            spectrum = np.fft.rfft(sound)
            size = round(width * len(spectrum))
            begin = round(at * (len(spectrum) - size))
            spectrum[begin : begin + size] = 0
            return np.fft.irfft(spectrum, len(sound)).astype(np.float32)

        return _changed(part, change)


def _changed(part: Part, change: Callable[[Array], Array]) -> Part:
    """The part with another sound, in [-1, 1]; as it is where it holds none, but features, or nothing."""
    sound = part.content
    if not isinstance(sound, np.ndarray) or sound.ndim != 1 or not len(sound):
        return part
    return replace(part, content=np.clip(change(sound), -1, 1).astype(np.float32))
