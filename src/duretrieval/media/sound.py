"""The sound of a film or a recording, as one line of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from duretrieval.media.frames import decoded, seek
from duretrieval.types import Array

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer


def between(container: InputContainer, stream: AudioStream, begin: float, stop: float, rate: int) -> Array:
    """Samples from `begin` to `stop` seconds, or to the end: (n,) float32 mono in [-1, 1], `rate` a second."""
    import av

    seek(container, stream, begin)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    zero = float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
    pieces: list[Array] = []
    first: float | None = None
    have, wanted = 0, (stop - begin) * rate
    for frame in decoded(container, stream):
        if first is None:
            first = (frame.time - zero) if frame.time is not None else begin  # type: ignore[attr-defined]
        for out in resampler.resample(frame):  # type: ignore[arg-type]
            pieces.append(out.to_ndarray()[0])
            have += len(pieces[-1])
        if have > wanted + max(0.0, begin - first) * rate + rate:
            break
    else:
        pieces += [out.to_ndarray()[0] for out in (resampler.resample(None) if pieces else [])]
    if first is None:
        return np.zeros(0, dtype=np.float32)
    line = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
    offset = round((begin - first) * rate)
    line = line[offset:] if offset > 0 else np.concatenate([np.zeros(-offset, np.float32), line])
    kept = line[: round(wanted)] if np.isfinite(wanted) else line
    samples: Array = np.clip(np.nan_to_num(kept), -1, 1).astype(np.float32)
    return samples
