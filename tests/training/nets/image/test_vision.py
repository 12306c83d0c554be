"""Picture encoders of transformers, from folders as a hub holds them: what they give is what the classifier reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from tests.training.nets.image.test_picture_nets import SMALL_CNN, SMALL_VIT, picture

from duretrieval.errors import ConfigError, ModelError
from duretrieval.media.picture import fitted
from duretrieval.training.nets.image.hub import own_preprocessing
from duretrieval.training.nets.image.net import PictureNet
from duretrieval.training.nets.image.preprocessing import Look
from duretrieval.training.nets.image.vision import vision
from duretrieval.types import Reading

CONVNEXT = {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 32}, "crop_pct": 0.8}
VIT = {"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}
DRAWN = {"config": {"model_type": "vit", **SMALL_VIT}}
BIT = {
    "image_processor_type": "BitImageProcessor",
    "size": {"shortest_edge": 40},
    "crop_size": {"height": 32, "width": 32},
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}
MOBILE = {**BIT, "image_processor_type": "MobileViTImageProcessor"}  # it turns red and blue about
PROCESSORS: dict[str, tuple[dict[str, Any], tuple[int, int, str]]] = {
    "convnext": (CONVNEXT, (40, 32, "crop")),
    "convnext-384": ({**CONVNEXT, "size": {"shortest_edge": 384}}, (384, 384, "stretch")),
    "older": ({"feature_extractor_type": "ConvNextFeatureExtractor", "size": 28, "crop_pct": 0.875}, (32, 28, "crop")),
    "vit": (VIT, (32, 32, "stretch")),
    "vit-odd": ({**VIT, "image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 3], "rescale_factor": 0.01},
                (32, 32, "stretch")),
    "unnormalised": ({**VIT, "do_normalize": False}, (32, 32, "stretch")),
    "unscaled": ({**VIT, "do_rescale": False}, (32, 32, "stretch")),
    "bit": (BIT, (40, 32, "crop")),
    "bit-odd": ({**BIT, "size": {"shortest_edge": 41}}, (41, 32, "crop")),
    "uncropped": ({**BIT, "do_center_crop": False}, (40, 40, "crop")),
    "efficientnet": (
        {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 32, "width": 32}},
        (32, 32, "stretch"),
    ),
    "efficientnet-offset": (
        {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 32, "width": 32},
         "rescale_offset": True, "include_top": False, "rescale_factor": 1 / 127.5},
        (32, 32, "stretch"),
    ),
    "videomae": ({"image_processor_type": "VideoMAEImageProcessor", "size": {"shortest_edge": 32},
                  "crop_size": {"height": 28, "width": 28}}, (32, 28, "crop")),
}  # fmt: skip


def write(folder: Path, settings: dict[str, Any]) -> Path:
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize("kind", PROCESSORS)
def test_preprocessing_is_the_models_own(kind: str, tmp_path: Path) -> None:
    """On a square of the side that pictures are resized to, to 1e-5 of the largest value."""
    settings, (side, crop, fit) = PROCESSORS[kind]
    found = own_preprocessing(str(write(tmp_path, settings)))
    assert (found.side, found.crop, found.fit) == (side, crop, fit)
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    theirs = transformers.AutoImageProcessor.from_pretrained(tmp_path)([pixels], return_tensors="np")["pixel_values"]
    ours = Look(found)(torch.from_numpy(pixels[None])).numpy()
    np.testing.assert_allclose(ours, theirs.reshape(ours.shape), atol=1e-5 * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize(
    ("settings", "mean_difference"),
    [
        ({**CONVNEXT, "size": {"shortest_edge": 224}, "crop_pct": 0.875}, 0.02),
        ({**BIT, "size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}}, 0.02),
        ({**VIT, "size": {"height": 224, "width": 224}}, 0.02),
    ],
    ids=["convnext", "dinov2", "vit"],
)
def test_a_picture_that_must_be_resized_is_nearly_so(
    settings: dict[str, Any], mean_difference: float, tmp_path: Path
) -> None:
    """Resized by the engine's reader, always bicubic, and by the model's processor; the values' deviation is near 1."""
    found = own_preprocessing(str(write(tmp_path, settings)))
    y, x = np.mgrid[0:1200, 0:1600]
    waves = np.stack([np.sin(x / 17 + y / 29), np.sin(y / 11), np.cos(x / 13)], axis=2)
    image = Image.fromarray((127 + 120 * waves).astype(np.uint8))
    pixels = fitted(image, 1, Reading(image_side=found.side, image_fit=found.fit)).copy()
    theirs = transformers.AutoImageProcessor.from_pretrained(tmp_path)([image], return_tensors="np")["pixel_values"]
    ours = Look(found)(torch.from_numpy(pixels[None])).numpy()
    assert np.abs(ours - theirs).mean() < mean_difference


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {**VIT, "size": {"height": 32, "width": 48}},
            r"does not make squares of one size, .* pictures to .*48",
        ),
        ({**BIT, "crop_size": {"height": 64, "width": 64}}, r"does not make squares of one size, .* cuts out .*64"),
        ({**BIT, "crop_size": {"height": 32, "width": 24}}, r"does not make squares of one size, .* cuts out .*24"),
        (MOBILE, r"MobileViTImageProcessor\w* of .* does more than resize, crop to the middle, rescale"),
    ],
)
def test_preprocessing_that_does_not_fit_into_a_graph(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, ModelError), match=message):
        own_preprocessing(str(write(tmp_path, settings)))


def config(kind: str, **more: Any) -> Any:
    settings = SMALL_VIT if kind in ("vit", "dinov2") else SMALL_CNN
    return transformers.AutoConfig.for_model(kind, **{**settings, **more}, num_labels=5)


def linear(model: Any) -> torch.nn.Linear:
    """The last layer, that turns features into classes."""
    return [part for part in model.modules() if isinstance(part, torch.nn.Linear)][-1]


CLASSIFIERS: dict[str, tuple[Callable[[], Any], dict[str, Any], str]] = {
    "convnext": (lambda: transformers.ConvNextForImageClassification(config("convnext")), CONVNEXT, "pooler"),
    "resnet": (
        lambda: transformers.ResNetForImageClassification(config("resnet", embedding_size=8)),
        CONVNEXT,
        "pooler",
    ),
    "vit": (lambda: transformers.ViTForImageClassification(config("vit")), VIT, "cls"),
    "efficientnet": (
        lambda: transformers.EfficientNetForImageClassification(
            config("efficientnet", width_coefficient=0.25, depth_coefficient=0.1, hidden_dim=320)
        ),
        PROCESSORS["efficientnet"][0],
        "pooler",
    ),
}


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_features_are_what_the_classifier_reads(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """W f + b over our rows is the logits of the model with its own processor."""
    make, settings, pooling = CLASSIFIERS[kind]
    torch.manual_seed(0)
    model = make()
    torch.nn.init.normal_(linear(model).weight)
    with torch.no_grad():
        model.train()(pixel_values=torch.randn(4, 3, 32, 32))  # running means
    model.eval().save_pretrained(tmp_path)
    capfd.readouterr()
    net = vision(str(write(tmp_path, settings))).eval()
    assert "classifier" not in capfd.readouterr().err  # that its weights are left over is no news
    assert net.backbone.pooling == pooling
    pixels = np.stack([picture(net.preprocessing.side, seed) for seed in range(3)])
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    with torch.no_grad():
        theirs = model(**processor(list(pixels), return_tensors="pt")).logits
        ours = linear(model)(net.rows(torch.from_numpy(pixels)))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    transformers.Dinov2Model(config("dinov2")).half().save_pretrained(tmp_path)
    return write(tmp_path, BIT)


def rows(net: PictureNet) -> torch.Tensor:
    pixels = torch.from_numpy(np.stack([picture(net.preprocessing.side, seed) for seed in range(2)]))
    with torch.no_grad():
        return net.eval().rows(pixels)


def test_poolings(saved: Path) -> None:
    model = transformers.AutoModel.from_pretrained(saved, dtype=torch.float32).eval()
    net = vision(str(saved))
    pixels = torch.from_numpy(np.stack([picture(40, seed) for seed in range(2)]))
    with torch.no_grad():
        tokens = model(net.look(pixels)).last_hidden_state
    torch.testing.assert_close(rows(net), tokens[:, 0])
    torch.testing.assert_close(rows(vision(str(saved), pooling="cls")), tokens[:, 0])
    torch.testing.assert_close(rows(vision(str(saved), pooling="mean")), tokens[:, 1:].mean(dim=1))


def test_weights_come_as_float32_and_learn(saved: Path) -> None:
    net = vision(str(saved))
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert net.training
    assert "backbone.network.encoder.layer.1.mlp.fc1.weight" in net.state_dict()


def test_side_reads_whole_squares(saved: Path) -> None:
    assert vision(str(saved)).reading == {"image_side": 40, "image_fit": "crop"}
    net = vision(str(saved), side=48, fit="pad")
    assert net.reading == {"image_side": 48, "image_fit": "pad"}
    assert net.look(torch.zeros(1, 48, 48, 3, dtype=torch.uint8)).shape == (1, 3, 48, 48)


def test_not_pretrained_draws_weights(saved: Path) -> None:
    one, other, read = (vision(str(saved), pretrained=pretrained) for pretrained in (False, False, True))
    assert one.preprocessing == read.preprocessing
    assert not torch.allclose(rows(one), rows(other))
    one.load_state_dict(read.state_dict())
    torch.testing.assert_close(rows(one), rows(read))


def test_a_pooler_that_nobody_trained(tmp_path: Path) -> None:
    transformers.ViTForImageClassification(config("vit")).save_pretrained(tmp_path)
    write(tmp_path, VIT)
    assert not any("pooler" in name for name in vision(str(tmp_path)).state_dict())
    message = r"no weights for 2 parameters that would be used \(pooler\.dense\.bias, .*\), .*; choose another pooling"
    with pytest.raises(ModelError, match=message):
        vision(str(tmp_path), pooling="pooler")
    transformers.ViTModel(config("vit")).save_pretrained(tmp_path)
    assert vision(str(tmp_path), pooling="pooler").dim == 16


def test_weights_that_are_missing(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    transformers.ConvNextModel(config("convnext")).save_pretrained(tmp_path)
    write(tmp_path, CONVNEXT)
    kept = {k: v for k, v in load_file(tmp_path / "model.safetensors").items() if "stages.3" not in k}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelError, match=r"holds no weights for \d+ parameters that would be used \(encoder\.stages\.3"
    ):
        vision(str(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"give either model, a hub id or a folder, or config"),
        ({"model": "x", "config": {"model_type": "vit"}}, r"give either model"),
        ({"config": {"hidden_size": 16}}, r"config has no model_type; give one of transformers, such as 'convnext'"),
        ({"config": {"model_type": "vitt"}}, r"no network can be drawn from this config: .*vitt"),
        ({"config": {"model_type": "vit", **SMALL_VIT, "hidden_act": "gleu"}}, r"no network can be drawn .*gleu"),
        ({**DRAWN, "pooling": "max"}, r"pooling is 'max'; there are pooler, cls, mean"),
        ({**DRAWN, "side": 0}, r"side is 0; give the side of a square in pixels"),
        ({**DRAWN, "side": 8}, r"cannot make a row of an input of shape \(1, 3, 8, 8\)"),
        ({**DRAWN, "fit": "squash"}, r"fit is 'squash'; there are crop, pad, stretch"),
        ({"config": {"model_type": "resnet", **SMALL_CNN}, "pooling": "cls"}, r"resnet has no class token; use"),
        ({"config": {"model_type": "ijepa", **SMALL_VIT}}, r"ijepa has no pooler; use pooling = 'cls' or 'mean'"),
        ({"config": {"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}},
         r"a bert reads input_ids, not pixels; it is no encoder of pictures or films"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, ModelError), match=message):
        vision(**options)


def test_models_that_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"no model can be read from .*: .* Give a folder that save_pretrained wrote",
    ):
        vision(str(tmp_path))
    transformers.ConvNextModel(config("convnext")).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"no image processor can be read from .*: "):
        vision(str(tmp_path))
    write(tmp_path, CONVNEXT)
    transformers.BertModel(
        transformers.BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=1, vocab_size=9)
    ).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"reads input_ids, not pixels"):
        vision(str(tmp_path))
