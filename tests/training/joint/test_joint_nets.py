"""Each tower as a net that trains keeps the laws of nets, and starts from the rows of the model it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.joint.tiny_joint import SIDE, pictures, sentence, sounds
from torch import nn

from duretrieval import plugins
from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.testing import NetSuite
from duretrieval.testing.nets import rows
from duretrieval.training import parts
from duretrieval.training.build.freeze import select
from duretrieval.training.build.lora import adapted, add_lora, merge_lora
from duretrieval.types import Modality, Part

Tiny = Callable[[str], Path]
WORDS = ("a", "a red bus", "the dog, twice", "x" * 100)


def parts_for(tower: str) -> list[Part]:
    if tower == "text":
        return [Part(Modality.TEXT, word) for word in WORDS]
    if tower == "audio":
        return [Part(Modality.AUDIO, sound) for sound in sounds()[:3]]
    films = [Part(Modality.VIDEO, np.stack(pictures(n))) for n in (2, 3)]
    return [*films, *(Part(Modality.IMAGE, array) for array in pictures(2))]


@cache
def made(use: str, model: Path, tower: str) -> nn.Module:
    net: nn.Module = parts.find("train.encoders", use)(model=model, tower=tower)
    return net


class TowerSuite(NetSuite):
    use: str
    maker: str
    tower: str

    @pytest.fixture
    def net(self, tiny: Tiny) -> Any:
        return made(self.use, tiny(self.maker), self.tower)

    @pytest.fixture
    def parts(self) -> Sequence[Part]:
        return parts_for(self.tower)


class TestClipText(TowerSuite):
    use, maker, tower = "clip", "clip", "text"


class TestClipImage(TowerSuite):
    use, maker, tower = "clip", "clip", "image"


class TestChineseClipText(TowerSuite):
    use, maker, tower = "chinese-clip", "chinese-clip", "text"


class TestSiglipText(TowerSuite):
    use, maker, tower = "siglip", "siglip", "text"


class TestSiglipImage(TowerSuite):
    use, maker, tower = "siglip", "siglip", "image"


class TestNaflexImage(TowerSuite):
    use, maker, tower = "siglip2", "naflex", "image"


class TestClapText(TowerSuite):
    use, maker, tower = "clap", "clap", "text"


class TestSentenceText(TowerSuite):
    use, maker, tower = "sentence-transformers", "sentence", "text"


class TestSentenceClipImage(TowerSuite):
    use, maker, tower = "sentence-transformers", "sentence_clip", "image"


@pytest.mark.parametrize(
    ("kind", "maker", "tower"),
    [
        ("clip", "clip", "text"),
        ("clip", "clip", "image"),
        ("chinese-clip", "chinese-clip", "image"),
        ("siglip2", "siglip2", "text"),
        ("siglip2", "siglip2", "image"),
        ("siglip2", "naflex", "text"),
        ("clap", "clap", "audio"),
        ("st", "sentence", "text"),
        ("st", "sentence_clip", "text"),
    ],
)
def test_a_net_begins_with_the_rows_of_its_model(tiny: Tiny, kind: str, maker: str, tower: str) -> None:
    use = "sentence-transformers" if kind == "st" else kind
    net = parts.find("train.encoders", use)(model=tiny(maker), tower=tower)
    expected = Model.load(f"{kind}:{tiny(maker)}").encode(parts_for(tower))
    np.testing.assert_allclose(unit(rows(net, parts_for(tower))), expected, atol=1e-4)


def test_the_other_tower_is_let_go(tiny: Tiny) -> None:
    text = parts.find("train.encoders", "clip")(model=tiny("clip"), tower="text")
    assert all(name.startswith(("model.text_model", "model.text_projection")) for name, _ in text.named_parameters())
    image = parts.find("train.encoders", "sentence-transformers")(model=tiny("sentence_clip"), tower="video")
    assert {Modality.IMAGE, Modality.VIDEO} == image.modalities
    assert not any("text_" in name for name, _ in image.named_parameters())


def test_media_are_read_as_the_model_says(tiny: Tiny) -> None:
    find = parts.find
    net = find("train.encoders", "clip")(model=tiny("clip"), tower="image")
    assert dict(net.reading) == {"image_side": SIDE, "image_fit": "crop"}
    assert find("train.encoders", "clap")(model=tiny("clap"), tower="audio").reading["sample_rate"] == 48_000


def test_a_tower_that_is_not_there(tiny: Tiny) -> None:
    with pytest.raises(
        ConfigError, match=r"'clip' has no tower 'txt'\. Did you mean 'text'\? It has: text, image, video"
    ):
        parts.find("train.encoders", "clip")(model=tiny("clip"), tower="txt")
    with pytest.raises(ConfigError, match=r"'clap' has no tower 'image'\. It has: text, audio"):
        parts.find("train.encoders", "clap")(model=tiny("clap"), tower="image")


@pytest.mark.parametrize("tower", ["text", "image"])
def test_lora_on_a_tower_learns_and_is_exported_merged(tiny: Tiny, tower: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net: Any = add_lora(parts.find("train.encoders", "clip")(model=tiny("clip"), tower=tower), 2)
    assert len(adapted(net)) == 2 * 2  # query and value in two layers
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    before = unit(rows(net, parts_for(tower)))
    for _ in range(2):
        net(**net.prepare(parts_for(tower))).square().sum().backward()
        optimizer.step()
    expected = unit(rows(net, parts_for(tower)))
    assert np.abs(expected - before).max() > 1e-3
    entry = merge_lora(net).export(tmp_path, "mine")
    encoder = plugins.find("encoders", entry["use"]).load(tmp_path, **entry["options"])
    np.testing.assert_allclose(encoder.encode(parts_for(tower)), expected, atol=1e-4)


def test_layers_of_a_tower_by_name(tiny: Tiny) -> None:
    net: nn.Module = parts.find("train.encoders", "clip")(model=tiny("clip"), tower="image")
    select(net, ["last 1"])
    learning = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
    assert "model.visual_projection.weight" in learning
    assert any("layers.1." in name for name in learning)
    assert not any("layers.0." in name or "embeddings" in name for name in learning)


@pytest.mark.parametrize("pooling", ["cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"])
def test_other_poolings_of_sentences(tmp_path: Path, pooling: str) -> None:
    folder = sentence(tmp_path, pooling=pooling)
    net: Any = parts.find("train.encoders", "sentence-transformers")(model=folder)
    expected = Model.load(f"st:{folder}").encode(parts_for("text"))
    entry = net.eval().export(tmp_path, "mine")
    encoder = plugins.find("encoders", entry["use"]).load(tmp_path, **entry["options"])
    np.testing.assert_allclose(encoder.encode(parts_for("text")), expected, atol=1e-4)
