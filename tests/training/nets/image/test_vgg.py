"""VGG against its published configurations, written out layer by layer over a state dict in torchvision's format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from duretrieval.errors import ConfigError, ModelError
from duretrieval.training.nets.image.net import PictureNet
from duretrieval.training.nets.image.vgg import CONVOLUTIONS, WIDTHS, Vgg, average_to, vgg
from duretrieval.training.nets.image.weights import load_weights

TABLE: dict[int, list[int | str]] = {
    11: [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    13: [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    16: [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
    19: [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M"],
}
NARROW = 16
"""How many times narrower than published the networks of these tests are."""
SMALL: dict[str, Any] = {"widths": [width // NARROW for width in WIDTHS], "hidden": 24, "side": 64}


def published(layers: int, batch_norm: bool) -> dict[str, Tensor]:
    """A state dict as torchvision names it: features counts every layer, of any kind; classifier every third."""
    generator = torch.Generator().manual_seed(layers)
    weights: dict[str, Tensor] = {}
    n, channels = 0, 3
    for entry in TABLE[layers]:
        if entry == "M":
            n += 1
            continue
        wide = int(entry) // NARROW
        weights[f"features.{n}.weight"] = (
            torch.randn(wide, channels, 3, 3, generator=generator) * (2 / channels / 9) ** 0.5
        )
        weights[f"features.{n}.bias"] = torch.randn(wide, generator=generator) / 10
        if batch_norm:
            for name, low in (("weight", 0.5), ("bias", -0.2), ("running_mean", -0.2), ("running_var", 0.5)):
                weights[f"features.{n + 1}.{name}"] = low + torch.rand(wide, generator=generator)
        n += 3 if batch_norm else 2
        channels = wide
    for i, (wide, narrow) in zip((0, 3, 6), ((24, channels * 49), (24, 24), (10, 24)), strict=True):
        weights[f"classifier.{i}.weight"] = torch.randn(wide, narrow, generator=generator) * (2 / narrow) ** 0.5
        weights[f"classifier.{i}.bias"] = torch.randn(wide, generator=generator) / 10
    return weights


def reference(layers: int, weights: dict[str, Tensor], maps: Tensor, features: str) -> Tensor:
    n, batch_norm = 0, "features.1.running_mean" in weights
    for entry in TABLE[layers]:
        if entry == "M":
            maps = functional.max_pool2d(maps, 2, 2)
            n += 1
            continue
        maps = functional.conv2d(maps, weights[f"features.{n}.weight"], weights[f"features.{n}.bias"], padding=1)
        if batch_norm:
            mean, var, scale, shift = (
                weights[f"features.{n + 1}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
            )
            maps = functional.batch_norm(maps, mean, var, scale, shift)
        maps = maps.relu()
        n += 3 if batch_norm else 2
    if features == "pooled":
        return maps.mean(dim=(2, 3))
    row = functional.adaptive_avg_pool2d(maps, 7).flatten(1)
    for i in (0, 3):
        row = functional.linear(row, weights[f"classifier.{i}.weight"], weights[f"classifier.{i}.bias"]).relu()
    return row


@pytest.mark.parametrize("features", ["penultimate", "pooled"])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("layers", TABLE)
def test_published_weights_give_the_published_network(
    layers: int, batch_norm: bool, features: Any, tmp_path: Path
) -> None:
    weights = published(layers, batch_norm)
    torch.save(weights, tmp_path / "vgg.pth")
    net = vgg(layers, batch_norm=batch_norm, features=features, weights=tmp_path / "vgg.pth", **SMALL).eval()
    pixels = torch.randint(0, 256, (2, 64, 64, 3), generator=torch.Generator().manual_seed(0)).byte()
    with torch.no_grad():
        rows = net.rows(pixels)
        expected = reference(layers, weights, net.look(pixels), features)
    assert rows.shape == (2, net.dim)
    torch.testing.assert_close(rows, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("layers", "batch_norm", "parameters"),
    [
        (11, False, 132_863_336),
        (13, False, 133_047_848),
        (16, False, 138_357_544),
        (19, False, 143_667_240),
        (16, True, 138_365_992),
        (19, True, 143_678_248),
    ],
)
def test_as_many_weights_as_published(layers: int, batch_norm: bool, parameters: int) -> None:
    """With the classifier, 4096 x 1000 and 1000, that is left out here."""
    with torch.device("meta"):
        net = Vgg(CONVOLUTIONS[layers], WIDTHS, 4096, batch_norm)
    assert sum(parameter.numel() for parameter in net.parameters()) + 4_097_000 == parameters
    assert len(TABLE[layers]) - 5 == sum(CONVOLUTIONS[layers]) == layers - 3


@pytest.mark.parametrize("side", [1, 2, 6, 7, 8, 13, 14])
def test_average_to_is_adaptive_pooling(side: int) -> None:
    maps = torch.rand(2, 3, side, side + 1, generator=torch.Generator().manual_seed(side))
    torch.testing.assert_close(average_to(maps, 7), functional.adaptive_avg_pool2d(maps, 7))


def test_average_to_by_eye() -> None:
    """Three places to two cells that share the middle one."""
    maps = torch.tensor([[[[0.0, 2.0, 6.0]] * 3]])
    assert average_to(maps, 2).tolist() == [[[[1, 4], [1, 4]]]]


def test_its_own_preprocessing_is_the_middle_of_a_larger_square() -> None:
    net = vgg(11, widths=SMALL["widths"], features="pooled")
    assert net.reading == {"image_side": 256, "image_fit": "crop"}
    assert net.dim == 32
    pixels = torch.zeros(1, 256, 256, 3, dtype=torch.uint8)
    pixels[0, 16, 16, 0] = 255
    seen = net.look(pixels)
    assert seen.shape == (1, 3, 224, 224)
    assert seen[0, 0, 0, 0] == pytest.approx((1 - 0.485) / 0.229, abs=1e-5)
    assert seen[0, 2, 5, 5] == pytest.approx(-0.406 / 0.225, abs=1e-5)


def test_weights_in_a_safetensors_file(tmp_path: Path) -> None:
    weights = published(11, True)
    save_file(weights, tmp_path / "vgg.safetensors")
    net = vgg(11, batch_norm=True, weights=str(tmp_path / "vgg.safetensors"), **SMALL)
    torch.testing.assert_close(net.backbone.state_dict()["features.1.running_var"], weights["features.1.running_var"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 12}, r"layers is 12; there are 11, 13, 16, 19"),
        ({"features": "last"}, r"features is 'last'; there are penultimate, pooled"),
        ({"side": 31}, r"VGG has five stages, .*side 31 do not fit; give five widths and a side of 32 or more"),
        ({"widths": [8, 8]}, r"widths \(8, 8\) and side 64 do not fit"),
    ],
)
def test_settings_that_cannot_be_used(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        vgg(**{**SMALL, **options})


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    def load(**options: Any) -> PictureNet:
        return vgg(**{"layers": 11, **SMALL, "weights": tmp_path / "vgg.pth", **options})

    torch.save(published(11, False), tmp_path / "vgg.pth")
    with pytest.raises(
        ModelError, match=r"vgg\.pth is of another architecture: it has no features\.2\.weight; .* and 29 more"
    ):
        load(layers=13)
    with pytest.raises(ModelError, match=r"classifier\.0\.weight of shape \(24, 1568\) for \(30, 1568\)"):
        load(hidden=30)
    with pytest.raises(ModelError, match=r"it has no features\.1\.weight; no features\.1\.bias"):
        load(batch_norm=True)
    (tmp_path / "vgg.pth").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"vgg\.pth cannot be read as weights"):
        load()
    torch.save([torch.zeros(1)], tmp_path / "vgg.pth")
    with pytest.raises(ModelError, match=r"vgg\.pth holds something else than a state dict"):
        load()
    with pytest.raises(ModelError, match=r"gone\.safetensors cannot be read as weights"):
        load(weights=tmp_path / "gone.safetensors")


def test_names_that_the_network_has_not(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1, 2), "bias": torch.zeros(1), "more": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(
        ModelError, match=r"it has more, which this network has not\. Choose the options that it was made"
    ):
        load_weights(torch.nn.Linear(2, 1), tmp_path / "x.safetensors")
    linear = torch.nn.Linear(2, 1)
    load_weights(linear, tmp_path / "x.safetensors", dropped=("mo",))
    np.testing.assert_array_equal(linear.weight.detach(), 0)
