"""Still pictures of the kinds that only FFmpeg reads: OpenEXR, Radiance, DPX, JPEG-LS and others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from PIL import Image

from duretrieval.errors import DamagedMedia
from duretrieval.media.chunk import Chunk
from duretrieval.media.container import frames, opened
from duretrieval.media.limits import Limits, check
from duretrieval.media.picture import fitted
from duretrieval.media.signature import Kind
from duretrieval.types import Modality, Part, Reading, Scalar

_DEMUXERS = {b"P7\n": "pam_pipe"}
"""What FFmpeg does not recognise without the right name."""


def read(path: Path, kind: Kind, reading: Reading, limits: Limits) -> Chunk:
    """One IMAGE part.

    Raises:
        DamagedMedia: FFmpeg cannot open it, or nearly nothing of it decodes.
        LimitExceeded: more pixels than `limits` allows.
    """
    with opened(path, kind, _DEMUXERS.get(_start(path))) as container:
        return picture(container, reading, limits)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(3)


def picture(container: InputContainer, reading: Reading, limits: Limits) -> Chunk:
    """One IMAGE part, of the first frame of a file that is open."""
    for stream in container.streams.video:
        codec = stream.codec_context
        check("pixels", codec.width * codec.height, limits.max_pixels, "max_pixels")
        codec.options = {"apply_trc": "iec61966_2_1"} if codec.name == "exr" else {}
        frame = next(frames(container, stream, 0), None)
        if frame is not None:
            shown = _image(frame, linear=codec.name == "hdr")
            facts: dict[str, Scalar] = {"kind": "image", "width": shown.width, "height": shown.height}
            return Chunk((Part(Modality.IMAGE, fitted(shown, 1, reading)),), facts)
    raise DamagedMedia("its pixels cannot be decoded")


def _image(frame: VideoFrame, linear: bool) -> Image.Image:
    """RGBA; where the numbers are amounts of light they are encoded for a screen (sRGB, IEC 61966-2-1)."""
    if not linear:
        return Image.fromarray(frame.to_ndarray(format="rgba"))
    light = np.nan_to_num(frame.reformat(format="gbrpf32le").to_ndarray()).clip(0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((encoded * 255).round().astype(np.uint8))
