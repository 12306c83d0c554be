"""Every picture encoder keeps the laws of a net, and its graph gives the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from duretrieval.encode.hub.preprocessing import Preprocessing
from duretrieval.onnx import Session
from duretrieval.testing import NetSuite
from duretrieval.training import parts
from duretrieval.training.nets.image.net import PictureNet
from duretrieval.training.nets.image.preprocessing import Look
from duretrieval.types import Modality, Part

SMALL_CNN = {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16], "image_size": 32}
SMALL_VIT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 32,
    "patch_size": 16,
}
SMALL_VGG = {"layers": 11, "widths": [4, 4, 8, 8, 8], "hidden": 12, "side": 32}
NETS: list[tuple[str, dict[str, Any]]] = [
    ("vision", {"config": {"model_type": "convnext", **SMALL_CNN}}),
    ("vision", {"config": {"model_type": "convnextv2", **SMALL_CNN}, "pooling": "mean", "side": 40}),
    ("vision", {"config": {"model_type": "resnet", "embedding_size": 8, **SMALL_CNN}}),
    ("vision", {"config": {"model_type": "efficientnet", "width_coefficient": 0.25, "depth_coefficient": 0.1,
                           "hidden_dim": 320, "image_size": 32}}),
    ("vision", {"config": {"model_type": "vit", **SMALL_VIT}}),
    ("vision", {"config": {"model_type": "vit", **SMALL_VIT}, "pooling": "mean", "side": 48}),
    ("vision", {"config": {"model_type": "dinov2", **SMALL_VIT}, "pooling": "cls", "side": 48}),
    ("vision", {"config": {"model_type": "dinov2_with_registers", **SMALL_VIT}, "pooling": "mean", "side": 48}),
    ("vision", {"config": {"model_type": "swin", "embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2],
                           "image_size": 32, "patch_size": 4, "window_size": 4}}),
    ("vgg", SMALL_VGG),
    ("vgg", {**SMALL_VGG, "batch_norm": True, "features": "pooled"}),
]  # fmt: skip
IDS = [
    "convnext",
    "convnextv2",
    "resnet",
    "efficientnet",
    "vit",
    "vit-48",
    "dinov2",
    "registers",
    "swin",
    "vgg",
    "vgg-bn",
]


def picture(side: int, seed: int) -> np.ndarray:
    """Coarse noise: small untrained networks see no difference between two pictures of fine grain."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return coarse.repeat(side // 4, 0).repeat(side // 4, 1)


def parts_for(side: int) -> list[Part]:
    film = np.stack([picture(side, seed) for seed in (5, 6, 7)])
    pictures = [Part(Modality.IMAGE, picture(side, seed)) for seed in range(3)]
    return [*pictures, Part(Modality.VIDEO, film), Part(Modality.VIDEO, film[:1])]


def settled(net: Any) -> Any:
    """With weights and running means as if it had been trained a little: as drawn, deep rows shrink to 0."""
    for part in net.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.momentum = None  # type: ignore[assignment]  # the mean of all that was seen
    with torch.no_grad():
        for _ in range(2):
            net.train()(**net.prepare(parts_for(net.preprocessing.side)))
    return net.eval()


class TestPictureNets(NetSuite):
    @pytest.fixture(scope="class", params=NETS, ids=IDS)
    @classmethod
    def net(cls, request: pytest.FixtureRequest) -> PictureNet:
        torch.manual_seed(0)
        name, options = request.param
        return settled(parts.find("train.encoders", name)(**options))

    @pytest.fixture
    def parts(self, net: PictureNet) -> Sequence[Part]:
        return parts_for(net.preprocessing.side)


class Corner(nn.Module):
    """The first three numbers of the first row of places."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps[:, :, 0, 0] + maps[:, :, -1, -1]


PLAIN = Preprocessing(4, 2, (1.0, 2.0, 0.5), (0.0, 0.0, -1.0))


def test_looking_by_eye() -> None:
    """The middle 2 x 2 of 4 x 4; red as it is, green doubled, blue halved and lowered by one."""
    pixels = np.zeros((1, 4, 4, 3), np.uint8)
    pixels[0, 1, 1] = 10, 20, 30
    pixels[0, 2, 2] = 1, 2, 4
    pixels[0, 0, 0] = pixels[0, 3, 3] = 255
    seen = Look(PLAIN)(torch.from_numpy(pixels))
    assert seen.shape == (1, 3, 2, 2)
    assert seen[0, :, 0, 0].tolist() == [10, 40, 14]
    assert seen[0, :, 1, 1].tolist() == [1, 4, 1]
    assert seen[0, :, 0, 1].tolist() == [0, 0, -1]


def test_a_film_is_the_mean_of_its_frames() -> None:
    net = PictureNet(Corner(), PLAIN, dim=3)
    rng = np.random.default_rng(0)
    film = rng.integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    frames = net(**net.prepare([Part(Modality.IMAGE, frame) for frame in film]))
    parts = [Part(Modality.VIDEO, film), Part(Modality.VIDEO, film[1:3]), Part(Modality.IMAGE, film[4])]
    expected = torch.stack([frames.mean(dim=0), frames[1:3].mean(dim=0), frames[4]])
    torch.testing.assert_close(net(**net.prepare(parts)), expected)


def test_what_comes_after_a_films_end_is_not_looked_at() -> None:
    net = PictureNet(Corner(), PLAIN, dim=3)
    film = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    inputs = net.prepare([Part(Modality.VIDEO, film), Part(Modality.VIDEO, film[:1])])
    assert inputs["frames"].tolist() == [3, 1]
    before = net(**inputs)
    inputs["pixels"][1, 1:] = 200
    torch.testing.assert_close(net(**inputs), before)


def test_no_parts() -> None:
    net = PictureNet(Corner(), PLAIN, dim=3)
    assert net(**net.prepare([])).shape == (0, 3)


def test_what_it_looks_at_is_no_weight() -> None:
    net = PictureNet(nn.Sequential(Corner(), nn.Linear(3, 2)), PLAIN, dim=2)
    assert list(net.state_dict()) == ["backbone.1.weight", "backbone.1.bias"]


def test_a_graph_takes_several_pictures_at_once(tmp_path: Path) -> None:
    net = settled(parts.find("train.encoders", "vision")(config={"model_type": "vit", **SMALL_VIT}))
    net.export(tmp_path, "many")
    pixels = np.stack([picture(32, seed) for seed in range(5)])
    with torch.no_grad():
        expected = net.rows(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(Session(tmp_path / "many.onnx").run(pixels=pixels), expected, atol=1e-5)
