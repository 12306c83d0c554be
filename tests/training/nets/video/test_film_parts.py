"""What film encoders are made of, against formulas, published sizes and transformers."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tests.training.nets.image.test_picture_nets import SMALL_VIT, settled
from tests.training.nets.video.test_film_nets import CONVOLUTION, STREAM, film, films
from torch import Tensor
from torch.nn import functional

from duretrieval.errors import ConfigError, ModelError
from duretrieval.training.nets.video.convolution import BLOCKS, WIDTHS, Block, VideoResNet, between, r2plus1d, r3d
from duretrieval.training.nets.video.motion import STILL, WINDOW, Differences, Flow
from duretrieval.training.nets.video.two_stream import Stream, two_stream
from duretrieval.training.nets.video.videomae import videomae
from duretrieval.types import Modality, Part

# 3D and (2+1)D convolution


@pytest.mark.parametrize(
    ("narrow", "wide", "channels"), [(64, 64, 144), (64, 128, 230), (128, 128, 288), (512, 512, 1152)]
)
def test_channels_between_space_and_time(narrow: int, wide: int, channels: int) -> None:
    assert between(narrow, wide) == channels
    whole, factored = 27 * narrow * wide, 9 * narrow * channels + 3 * channels * wide
    assert 0 <= whole - factored < 9 * narrow + 3 * wide


@pytest.mark.parametrize(("factored", "parameters"), [(True, 31_505_325), (False, 33_371_472)])
def test_as_many_weights_as_published(factored: bool, parameters: int) -> None:
    """r2plus1d_18 and r3d_18, with their classifier of 512 x 400 and 400, that is left out here."""
    with torch.device("meta"):
        net = VideoResNet(BLOCKS[18], WIDTHS, factored)
    assert sum(parameter.numel() for parameter in net.parameters()) + 205_200 == parameters


SHAPES = {
    True: {
        "stem.0.weight": (45, 3, 1, 7, 7),
        "stem.3.weight": (64, 45, 3, 1, 1),
        "stem.4.running_mean": (64,),
        "layer1.0.conv1.0.0.weight": (144, 64, 1, 3, 3),
        "layer1.0.conv1.0.1.bias": (144,),
        "layer1.0.conv1.0.3.weight": (64, 144, 3, 1, 1),
        "layer1.0.conv1.1.weight": (64,),
        "layer2.0.conv2.0.0.weight": (230, 128, 1, 3, 3),
        "layer2.0.downsample.0.weight": (128, 64, 1, 1, 1),
        "layer4.1.conv2.1.running_var": (512,),
    },
    False: {
        "stem.0.weight": (64, 3, 3, 7, 7),
        "layer1.0.conv1.0.weight": (64, 64, 3, 3, 3),
        "layer3.0.downsample.1.weight": (256,),
        "layer4.1.conv2.0.weight": (512, 512, 3, 3, 3),
    },
}


@pytest.mark.parametrize("factored", SHAPES)
def test_names_are_those_of_the_published_files(factored: bool) -> None:
    with torch.device("meta"):
        state = VideoResNet(BLOCKS[18], WIDTHS, factored).state_dict()
    assert {name: tuple(state[name].shape) for name in SHAPES[factored]} == SHAPES[factored]


def test_a_block_written_out() -> None:
    torch.manual_seed(0)
    block = Block(4, 6, 2, factored=True).eval()
    state = block.state_dict()
    for name, value in state.items():
        if "running" in name or value.ndim == 1:
            value.uniform_(0.5, 1.5)

    def norm(maps: Tensor, name: str) -> Tensor:
        mean, var, scale, shift = (state[f"{name}.{n}"] for n in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(maps, mean, var, scale, shift)

    def convolution(maps: Tensor, name: str, s: int) -> Tensor:
        maps = functional.conv3d(maps, state[f"{name}.0.weight"], stride=(1, s, s), padding=(0, 1, 1))
        maps = norm(maps, f"{name}.1").relu()
        return functional.conv3d(maps, state[f"{name}.3.weight"], stride=(s, 1, 1), padding=(1, 0, 0))

    maps = torch.randn(2, 4, 5, 6, 6)
    inner = norm(convolution(maps, "conv1.0", 2), "conv1.1").relu()
    inner = norm(convolution(inner, "conv2.0", 1), "conv2.1")
    beside = norm(functional.conv3d(maps, state["downsample.0.weight"], stride=2), "downsample.1")
    with torch.no_grad():
        torch.testing.assert_close(block(maps), (inner + beside).relu())
    assert inner.shape == (2, 6, 3, 3, 3)


@pytest.mark.parametrize("make", [r2plus1d, r3d])
def test_weights_from_a_file_with_a_classifier(make: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = settled(make(**CONVOLUTION))
    weights = {**net.backbone.state_dict(), "fc.weight": torch.zeros(400, 8), "fc.bias": torch.zeros(400)}
    torch.save(weights, tmp_path / "film.pth")
    again = make(**CONVOLUTION, weights=tmp_path / "film.pth").eval()
    inputs = net.prepare(films(32))
    with torch.no_grad():
        torch.testing.assert_close(again(**inputs), net(**inputs))
    other = r3d if make is r2plus1d else r2plus1d
    with pytest.raises(ModelError, match=r"film\.pth is of another architecture"):
        other(**CONVOLUTION, weights=tmp_path / "film.pth")


def test_convolutions_own_preprocessing() -> None:
    net = r2plus1d(**{**CONVOLUTION, "side": None})
    assert net.reading == {"image_side": 128, "image_fit": "crop", "frames_per_window": 5}
    assert net.look(torch.full((1, 128, 128, 3), 255, dtype=torch.uint8)).shape == (1, 3, 112, 112)
    with pytest.raises(ConfigError, match=r"layers is 50; there are 10, 18, 34"):
        r3d(50)
    with pytest.raises(ConfigError, match=r"widths is \(8, 8\); give four, one for each stage"):
        r3d(10, widths=[8, 8])


def test_convolution_sees_the_order_of_frames_and_a_mean_does_not() -> None:
    torch.manual_seed(0)
    net = settled(r2plus1d(**CONVOLUTION))
    moving = film(32, 5, 3)
    with torch.no_grad():
        there, back = net(**net.prepare([Part(Modality.VIDEO, moving), Part(Modality.VIDEO, moving[::-1].copy())]))
    assert not torch.allclose(there, back, atol=1e-3)


# Motion


def test_differences_by_eye() -> None:
    clips = torch.tensor([1.0, 4.0, 9.0]).reshape(1, 3, 1, 1, 1).expand(1, 3, 3, 2, 2)
    assert Differences()(clips).shape == (1, 6, 2, 2)
    assert Differences()(clips)[0, :, 0, 0].tolist() == [3, 3, 3, 5, 5, 5]


def waves(right: float, down: float, t: int = 3) -> Tensor:
    """A smooth pattern that moves by so many pixels a frame."""
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    steps = [torch.sin((x - i * right) / 3) + torch.cos((y - i * down) / 4) for i in range(t)]
    return torch.stack(steps)[None, :, None].expand(1, t, 3, 40, 40)


@pytest.mark.parametrize(("right", "down"), [(0.5, 0.0), (0.0, -0.5), (1.0, 0.6), (0.0, 0.0)])
def test_flow_is_how_far_things_move(right: float, down: float) -> None:
    flow = Flow()(waves(right, down))
    assert flow.shape == (1, 4, 40, 40)
    inside = flow[0, :, 6:-6, 6:-6].flatten(1).median(dim=1).values
    assert inside.tolist() == pytest.approx([right, down, right, down], abs=0.1)


def test_flow_by_its_definition_at_one_place() -> None:
    """The least-squares solution over the window, slopes by hand."""
    clips = waves(0.7, -0.4, t=2).double()
    before, after = clips[0, 0, 0].numpy(), clips[0, 1, 0].numpy()
    mean, r = (before + after) / 2, WINDOW // 2
    for y, x in ((20, 20), (11, 27)):
        a, b = [], []
        for v in range(y - r, y + r + 1):
            for u in range(x - r, x + r + 1):
                a.append([(mean[v, u + 1] - mean[v, u - 1]) / 2, (mean[v + 1, u] - mean[v - 1, u]) / 2])
                b.append(before[v, u] - after[v, u])
        slopes = np.array(a)
        normal = slopes.T @ slopes / WINDOW**2 + STILL * np.eye(2)
        expected = np.linalg.solve(normal, slopes.T @ np.array(b) / WINDOW**2)
        np.testing.assert_allclose(Flow()(clips)[0, :, y, x].numpy(), expected, atol=1e-9)


def test_nothing_moves_where_there_is_nothing_to_follow() -> None:
    flat = torch.ones(1, 2, 3, 16, 16) * torch.tensor([0.0, 5.0]).reshape(1, 2, 1, 1, 1)
    np.testing.assert_array_equal(Flow()(flat), 0)


# Two streams


def test_each_stream_is_half_of_the_cosine() -> None:
    torch.manual_seed(0)
    net = settled(two_stream(side=32, **STREAM))
    with torch.no_grad():
        rows = net(**net.prepare(films(32)))
    assert rows.shape == (5, 24)
    torch.testing.assert_close(rows.unflatten(1, (2, 12)).norm(dim=2), torch.ones(5, 2))


def test_two_films_that_look_alike_differ_by_motion_alone() -> None:
    """The two frames that are looked at are the same ones; between them, one film stands still."""
    torch.manual_seed(0)
    net = settled(two_stream(side=32, **STREAM))
    assert net.backbone.looks == [1, 3]
    moving = film(32, 4, 3)
    other = moving.copy()
    other[0], other[2] = moving[1], moving[3]
    with torch.no_grad():
        one, two = net(**net.prepare([Part(Modality.VIDEO, moving), Part(Modality.VIDEO, other)]))
    torch.testing.assert_close(one[:12], two[:12])
    assert not torch.allclose(one[12:], two[12:], atol=1e-3)


def test_a_stream_is_the_papers_network() -> None:
    """96-256-512-512-512, then 4096 and 2048, over a stack of 10 steps of motion in x and y."""
    with torch.device("meta"):
        stream = Stream(20, (96, 256, 512, 512, 512), (4096, 2048), 0.5)
        assert stream(torch.zeros(2, 20, 224, 224)).shape == (2, 2048)
        assert stream.features(torch.zeros(2, 20, 224, 224)).shape == (2, 512, 7, 7)


# VideoMAE

MAE = {**SMALL_VIT, "num_frames": 4, "num_labels": 5}
PROCESSOR = {
    "image_processor_type": "VideoMAEImageProcessor",
    "size": {"shortest_edge": 32},
    "crop_size": {"height": 32, "width": 32},
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def saved(folder: Path, kind: Any, **more: Any) -> Any:
    torch.manual_seed(0)
    model = kind(transformers.VideoMAEConfig(**{**MAE, **more})).eval()
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return model


def test_videomae_gives_what_its_classifier_reads(tmp_path: Path) -> None:
    model = saved(tmp_path, transformers.VideoMAEForVideoClassification)
    torch.nn.init.normal_(model.fc_norm.weight)
    model.save_pretrained(tmp_path)
    net = videomae(str(tmp_path)).eval()
    assert net.reading == {"image_side": 32, "image_fit": "crop", "frames_per_window": 4}
    clips = [film(32, 4, seed) for seed in range(3)]
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    pixels = torch.cat([processor(list(clip), return_tensors="pt")["pixel_values"] for clip in clips])
    with torch.no_grad():
        theirs = model(pixel_values=pixels).logits
        ours = model.classifier(net(**net.prepare([Part(Modality.VIDEO, clip) for clip in clips])))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_videomae_as_it_was_pretrained(tmp_path: Path) -> None:
    model = saved(
        tmp_path, transformers.VideoMAEForPreTraining, use_mean_pooling=False, decoder_hidden_size=16,
        decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=16,
    )  # fmt: skip
    net = videomae(str(tmp_path)).eval()
    inputs = net.prepare([Part(Modality.VIDEO, film(32, 4, 0))])
    seen = net.look(inputs["clips"][0])[None]
    with torch.no_grad():
        tokens = model.videomae(pixel_values=seen).last_hidden_state
        torch.testing.assert_close(net(**inputs), tokens.mean(dim=1), atol=1e-5, rtol=1e-4)


def test_videomae_without_the_norm_of_a_classifier(tmp_path: Path) -> None:
    """As `VideoMAEModel.save_pretrained` writes it: there is nothing to draw in the norm's place."""
    model = saved(tmp_path, transformers.VideoMAEModel)
    net = videomae(str(tmp_path)).eval()
    inputs = net.prepare([Part(Modality.VIDEO, film(32, 4, 0))])
    with torch.no_grad():
        tokens = model(pixel_values=net.look(inputs["clips"][0])[None]).last_hidden_state
        torch.testing.assert_close(net(**inputs), tokens.mean(dim=1), atol=1e-5, rtol=1e-4)


def test_videomae_with_the_file_of_a_video_processor(tmp_path: Path) -> None:
    saved(tmp_path, transformers.VideoMAEForVideoClassification)
    expected = videomae(str(tmp_path)).preprocessing
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"no image processor can be read from .*: "):
        videomae(str(tmp_path))
    own = {key: value for key, value in PROCESSOR.items() if key != "image_processor_type"}
    own["video_processor_type"] = "VideoMAEVideoProcessor"
    (tmp_path / "video_preprocessor_config.json").write_text(json.dumps(own))
    assert videomae(str(tmp_path)).preprocessing == expected


def test_a_copy_of_videomae_is_its_own() -> None:
    net = videomae(config=MAE).eval()
    twin = copy.deepcopy(net)
    inputs = net.prepare(films(32))
    with torch.no_grad():
        before = twin(**inputs)
        for parameter in net.parameters():
            parameter.zero_()
        torch.testing.assert_close(twin(**inputs), before)


def test_videomae_that_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"give either model, a hub id or a folder, or config"):
        videomae()
    with pytest.raises(ModelError, match=r"no model can be read from .*: .* Give a folder"):
        videomae(str(tmp_path))
    transformers.ViTModel(transformers.ViTConfig(**SMALL_VIT)).save_pretrained(tmp_path)
    with pytest.raises((ConfigError, ModelError), match=r"no weights for \d+ parameters|no model can be read"):
        videomae(str(tmp_path))
    drawn = saved(tmp_path, transformers.VideoMAEForVideoClassification)
    assert videomae(str(tmp_path), pretrained=False).dim == drawn.config.hidden_size
