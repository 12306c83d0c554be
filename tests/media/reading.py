"""What tests of media read with: small squares, and a colour's name for a pixel."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from duretrieval.media.decode import Chunk, decode
from duretrieval.media.limits import Limits
from duretrieval.types import Modality, Part, Reading

READING = Reading(image_side=32, sample_rate=8000)
LIMITS = Limits()

_NAMED = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220), "white": (255,) * 3, "black": (0,) * 3}


def colour(pixel: npt.NDArray[np.uint8]) -> str:
    """The nearest of the colours that the files are made with."""
    return min(_NAMED, key=lambda name: float(np.abs(np.asarray(_NAMED[name]) - pixel.astype(int)).sum()))


def colours(part: Part) -> list[str]:
    """The colour in the middle of each frame."""
    assert isinstance(part.content, np.ndarray)
    frames = part.content if part.content.ndim == 4 else part.content[None]
    return [colour(frame[frame.shape[0] // 2, frame.shape[1] // 2]) for frame in frames]


def of(chunk: Chunk, modality: Modality) -> list[Part]:
    return [part for part in chunk.parts if part.modality is modality]


def chunks(path: Path, reading: Reading = READING, limits: Limits = LIMITS) -> list[Chunk]:
    """Every chunk of a file, in order."""
    found = [decode(path, reading, limits)]
    while found[-1].next is not None:
        found.append(decode(path, reading, limits, found[-1].next))
    return found


def loudest_hz(samples: npt.NDArray[np.float32], rate: int) -> float:
    """The strongest frequency, to within rate / len(samples)."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))
