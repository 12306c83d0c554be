"""When things happen in a film. The number of frames stays what it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duretrieval.training.augment.frames import pixels_of, with_frames
from duretrieval.training.augment.settings import within
from duretrieval.types import Part


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of the frames, from `share` of them to all, shown as many frames long as before."""

    share: float = 0.7

    def __post_init__(self) -> None:
        within("clip.share", self.share, 0.01, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part, faster or slower in what it shows; a picture as it is."""
        frames = pixels_of(part)
        if frames is None or len(frames) < 2:
            return part
        t = len(frames)
        length = t * float(rng.uniform(self.share, 1))
        begin = float(rng.uniform(0, t - length))
        return with_frames(part, frames[(begin + (np.arange(t) + 0.5) * length / t).astype(int)])


@dataclass(frozen=True, slots=True)
class Drop:
    """Each frame but the first is lost with a chance; the one before stays on instead."""

    chance: float = 0.1

    def __post_init__(self) -> None:
        within("drop.chance", self.chance, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part with frames held; a picture as it is."""
        frames = pixels_of(part)
        if frames is None or len(frames) < 2:
            return part
        kept = rng.random(len(frames)) >= self.chance
        kept[0] = True
        return with_frames(part, frames[np.maximum.accumulate(np.where(kept, np.arange(len(frames)), 0))])
