"""Nets for pictures, and for films as the mean of their frames.

net            `PictureNet`: a backbone between pixels and rows, as the training layer and the engine need it
preprocessing  from pixels to what a backbone was trained on, inside the graph
vision         backbones from transformers: ConvNeXt, ResNet, ViT, DINOv2, EfficientNet and others
vgg            VGG-11 to VGG-19
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.nets.image.net import PictureNet as PictureNet
    from duretrieval.training.nets.image.preprocessing import Look as Look
    from duretrieval.training.nets.image.vgg import Vgg as Vgg
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "net": "PictureNet",
            "preprocessing": "Look",
            "vgg": "Vgg",
        },
    )
