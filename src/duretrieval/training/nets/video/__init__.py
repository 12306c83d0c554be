"""Nets for films that see several frames at once, and for pictures as films that stand still.

net          `FilmNet`: a backbone between clips and rows, as the training layer and the engine need it
frames       a picture encoder's rows of the frames, pooled over time
convolution  3D and (2+1)D convolution: R3D, R(2+1)D
two_stream   appearance and motion
motion       what moves: differences of frames, or optical flow
videomae     VideoMAE from transformers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.nets.video.convolution import VideoResNet as VideoResNet
    from duretrieval.training.nets.video.convolution import r2plus1d as r2plus1d
    from duretrieval.training.nets.video.convolution import r3d as r3d
    from duretrieval.training.nets.video.motion import Differences as Differences
    from duretrieval.training.nets.video.motion import Flow as Flow
    from duretrieval.training.nets.video.net import FilmNet as FilmNet
    from duretrieval.training.nets.video.two_stream import TwoStream as TwoStream
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "convolution": "VideoResNet r2plus1d r3d",
            "motion": "Differences Flow",
            "net": "FilmNet",
            "two_stream": "TwoStream",
        },
    )
