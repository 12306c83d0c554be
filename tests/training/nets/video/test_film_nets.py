"""Every film encoder keeps the laws of a net, and its graph gives the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.image.test_picture_nets import SMALL_CNN, SMALL_VGG, SMALL_VIT, settled
from torch import nn

from duretrieval.errors import ConfigError
from duretrieval.onnx import Session
from duretrieval.testing import NetSuite
from duretrieval.training import parts
from duretrieval.training.nets.image.vgg import vgg
from duretrieval.training.nets.image.vision import vision
from duretrieval.training.nets.video.frames import Attention, Mean, frames
from duretrieval.training.nets.video.net import FilmNet
from duretrieval.training.nets.video.two_stream import two_stream
from duretrieval.types import Modality, Part

PICTURE = {"use": "vision", "options": {"config": {"model_type": "resnet", "embedding_size": 8, **SMALL_CNN}}}
VIT = {"use": "vision", "options": {"config": {"model_type": "vit", **SMALL_VIT}, "side": 48}}
STREAM: dict[str, Any] = {"widths": [4, 8, 8, 8, 8], "hidden": [16, 12], "frames": 4, "looks": 2}
CONVOLUTION: dict[str, Any] = {"layers": 10, "widths": [4, 4, 8, 8], "side": 32, "frames": 5}
NETS: list[tuple[str, dict[str, Any]]] = [
    ("frames", {"image": PICTURE, "frames": 3, "hidden": 8}),
    ("frames", {"image": VIT, "frames": 2, "pooling": "mean"}),
    ("r2plus1d", CONVOLUTION),
    ("r3d", CONVOLUTION),
    ("two-stream", {**STREAM, "side": 32}),
    ("two-stream", {**STREAM, "motion": "flow", "appearance": PICTURE}),
    ("videomae", {"config": {**SMALL_VIT, "num_frames": 4}}),
]
IDS = ["attention", "mean", "r2plus1d", "r3d", "two-stream", "flow", "videomae"]


def film(side: int, t: int, seed: int) -> np.ndarray:
    """A bright square that moves over a coarse ground."""
    rng = np.random.default_rng(seed)
    frames = (
        rng.integers(0, 128, (4, 4, 3), dtype=np.uint8).repeat(side // 4, 0).repeat(side // 4, 1)[None].repeat(t, 0)
    )
    x, y, right, down = rng.integers(0, side // 2, 4)
    for i in range(t):
        at = (x + i * right // t) % side, (y + i * down // t) % side
        frames[i, at[1] : at[1] + side // 4, at[0] : at[0] + side // 4] = 255
    return frames


def films(side: int) -> list[Part]:
    moving = [Part(Modality.VIDEO, film(side, t, seed)) for seed, t in enumerate((4, 9, 2, 1))]
    return [*moving, Part(Modality.IMAGE, film(side, 1, 9)[0])]


def ready(net: FilmNet) -> FilmNet:
    for part in net.modules():
        if isinstance(part, nn.Conv3d):
            nn.init.kaiming_normal_(part.weight)
    return settled(net)


class TestFilmNets(NetSuite):
    @pytest.fixture(scope="class", params=NETS, ids=IDS)
    @classmethod
    def net(cls, request: pytest.FixtureRequest) -> FilmNet:
        torch.manual_seed(0)
        name, options = request.param
        return ready(parts.find("train.encoders", name)(**options))

    @pytest.fixture
    def parts(self, net: FilmNet) -> Sequence[Part]:
        return films(net.preprocessing.side)


def test_a_film_of_another_length_is_spread_as_in_the_engine() -> None:
    net = two_stream(side=32, **STREAM)
    long = film(32, 8, 0)
    clips = net.prepare([Part(Modality.VIDEO, long), Part(Modality.VIDEO, long[:2]), Part(Modality.IMAGE, long[0])])
    np.testing.assert_array_equal(clips["clips"][0], long[[1, 3, 5, 7]])
    np.testing.assert_array_equal(clips["clips"][1], long[[0, 0, 1, 1]])
    np.testing.assert_array_equal(clips["clips"][2], long[[0, 0, 0, 0]])


def test_no_films() -> None:
    net = frames(PICTURE, frames=2)
    assert net.prepare([])["clips"].shape == (0, 2, 32, 32, 3)


@pytest.mark.parametrize(("name", "options"), NETS[1:3] + NETS[4:], ids=IDS[1:3] + IDS[4:])
def test_a_graph_takes_several_films_at_once(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    net = ready(parts.find("train.encoders", name)(**options))
    net.export(tmp_path, "many")
    clips = net.prepare(films(net.preprocessing.side))["clips"]
    with torch.no_grad():
        expected = net(clips).numpy()
    np.testing.assert_allclose(Session(tmp_path / "many.onnx").run(clips=clips.numpy()), expected, atol=1e-4)


def test_reading() -> None:
    asked = frames(PICTURE, frames=3).reading
    assert asked == {"image_side": 32, "image_fit": "crop", "frames_per_window": 3}


def test_the_mean_of_frames_is_what_the_picture_encoder_does_with_a_film() -> None:
    picture = settled(vgg(**SMALL_VGG))
    parts = [Part(Modality.VIDEO, film(32, 3, seed)) for seed in range(3)]
    net = frames(picture, pooling="mean", frames=3).eval()
    with torch.no_grad():
        torch.testing.assert_close(net(**net.prepare(parts)), picture(**picture.prepare(parts)))


def test_attention_by_hand() -> None:
    """V = [1, 0], w = 2: scores 2 tanh(0) = 0 and 2 tanh(1); the weights are their softmax."""
    pool = Attention(2, 1)
    with torch.no_grad():
        pool.v.weight.copy_(torch.tensor([[1.0, 0.0]]))
        pool.w.weight.fill_(2)
    rows = torch.tensor([[[0.0, 3.0], [1.0, 5.0]]])
    second = np.exp(2 * np.tanh(1)) / (1 + np.exp(2 * np.tanh(1)))
    assert pool.weights(rows).tolist() == [pytest.approx([1 - second, second], abs=1e-6)]
    assert pool(rows).tolist() == [pytest.approx([second, 3 * (1 - second) + 5 * second], abs=1e-6)]


def test_attention_that_prefers_nothing_is_the_mean_and_order_does_not_matter() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(3, 5, 4, generator=generator)
    pool = Attention(4, 6)
    torch.testing.assert_close(pool(rows[:, torch.randperm(5, generator=generator)]), pool(rows))
    nn.init.zeros_(pool.w.weight)
    torch.testing.assert_close(pool(rows), Mean()(rows))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: frames(PICTURE, pooling="max"), r"pooling is 'max'; there are mean, attention"),
        (lambda: frames(PICTURE, frames=0), r"frames is 0; give how many frames of a film are looked at"),
        (lambda: frames({"options": {}}), r"image names no encoder; write it as \{ use = 'vision'"),
        (lambda: frames({"use": "r3d", "options": CONVOLUTION}), r"'r3d' is no picture encoder that trains; take one"),
        (lambda: two_stream(motion="speed"), r"motion is 'speed'; there are difference, flow"),
        (lambda: two_stream(frames=1, looks=1), r"frames is 1 and looks 1; give 2 frames or more"),
        (lambda: two_stream(frames=4, looks=5), r"frames is 4 and looks 5"),
        (lambda: two_stream(side=16), r"side is 16; the motion stream needs 32 or more"),
        (lambda: two_stream(side=32, widths=[1], hidden=[2]), r"widths \(1,\) and hidden \(2,\) do not fit; give five"),
    ],
)
def test_settings_that_cannot_be_used(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_a_picture_encoder_may_be_shared(tmp_path: Path) -> None:
    """The film encoder learns with the picture encoder it was made of."""
    picture = vision(**PICTURE["options"])
    net = frames(picture, frames=2)
    assert set(map(id, picture.parameters())) <= set(map(id, net.parameters()))
