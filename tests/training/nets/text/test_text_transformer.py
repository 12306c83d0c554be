"""Transformers of every family, small and random, from the files of the real format to the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.text.tiny import KINDS, TEXTS, saved
from transformers import AutoModel, AutoTokenizer, ByT5Tokenizer

from duretrieval.encode.padding import padded
from duretrieval.encode.text import OnnxText
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.similarity import unit
from duretrieval.testing import EncoderSuite, NetSuite
from duretrieval.training import parts
from duretrieval.training.nets.text import transformer as module
from duretrieval.training.nets.text.transformer import TextTransformer, transformer
from duretrieval.types import Modality, Part

FAMILIES = ["bert", "roberta", "albert", "electra", "xlm-roberta", "qwen3"]
PARTS = [Part(Modality.TEXT, text) for text in TEXTS]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("transformers")


def rows(net: TextTransformer) -> np.ndarray:
    with torch.no_grad():
        return net.eval()(**net.prepare(PARTS)).numpy()


class TestEachFamily(NetSuite):
    @pytest.fixture(scope="class", params=FAMILIES)
    @classmethod
    def net(cls, request: pytest.FixtureRequest, models: Path) -> TextTransformer:
        return transformer(saved(request.param, models))

    @pytest.fixture
    def parts(self) -> list[Part]:
        return PARTS


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - FAMILIES))
def test_further_families(models: Path, tmp_path: Path, kind: str) -> None:
    """Alone, together, and through the engine, a text has the same row."""
    net = transformer(saved(kind, models)).eval()
    encoder = OnnxText.load(tmp_path, **net.export(tmp_path, "text")["options"])
    with torch.no_grad():
        alone = np.concatenate([net(**net.prepare([part])).numpy() for part in PARTS])
    np.testing.assert_allclose(rows(net), alone, atol=1e-4)
    np.testing.assert_allclose(encoder.encode(PARTS), unit(alone), atol=1e-4)


class TestEachPooling(TestEachFamily):
    @pytest.fixture(scope="class", params=["cls", "max", "last", "pooler", "attention"])
    @classmethod
    def net(cls, request: pytest.FixtureRequest, models: Path) -> TextTransformer:
        kind = "qwen3" if request.param == "last" else "roberta"
        torch.manual_seed(1)
        return transformer(saved(kind, models), pooling=request.param, dim=5, prefix="query: ", max_tokens=12)


class TestExported(EncoderSuite):
    @pytest.fixture(autouse=True)
    def _export(self, models: Path, tmp_path: Path) -> None:
        entry = transformer(saved("xlm-roberta", models)).export(tmp_path, "text")
        self.encoder = OnnxText.load(tmp_path, **entry["options"])

    def make(self) -> OnnxText:
        return self.encoder

    def parts(self) -> list[Part]:
        return PARTS


def theirs(folder: str, text: str) -> Any:
    """The output for one text, by the library's own calls."""
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    with torch.no_grad():
        return model(**tokenizer(text, truncation=True, return_tensors="pt"))


@pytest.mark.parametrize("kind", ["bert", "roberta", "albert", "electra", "xlm-roberta", "t5"])
def test_agrees_with_transformers(models: Path, kind: str) -> None:
    """Each text alone, with its token types, against all texts padded together."""
    folder = saved(kind, models)
    tokens = [theirs(folder, text).last_hidden_state[0] for text in TEXTS]
    for pooling, pooled in {
        "cls": [t[0] for t in tokens],
        "mean": [t.mean(dim=0) for t in tokens],
        "max": [t.max(dim=0).values for t in tokens],
        "last": [t[-1] for t in tokens],
    }.items():
        got = rows(transformer(folder, pooling=pooling))  # type: ignore[arg-type]
        np.testing.assert_allclose(got, torch.stack(pooled).numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "roberta", "albert", "xlm-roberta"])
def test_pooler_is_the_models_own(models: Path, kind: str) -> None:
    folder = saved(kind, models)
    expected = torch.cat([theirs(folder, text).pooler_output for text in TEXTS])
    np.testing.assert_allclose(rows(transformer(folder, pooling="pooler")), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("pooling", ["mean", "last", "attention"])
def test_what_the_padding_is_does_not_matter(models: Path, kind: str, pooling: Any) -> None:
    """The engine pads with 0, where RoBERTa pads with 1 and numbers its positions by that."""
    net = transformer(saved(kind, models), pooling=pooling).eval()
    tokens = net.prepare(PARTS)
    with torch.no_grad():
        zeros = net(**tokens)
        for pad in (1, 3):
            ids = tokens["input_ids"].where(tokens["attention_mask"] == 1, pad)
            torch.testing.assert_close(net(ids, tokens["attention_mask"]), zeros, atol=1e-6, rtol=0)


def test_padding_by_eye() -> None:
    arrays = padded([[5, 6], [7]])
    assert arrays["input_ids"].tolist() == [[5, 6], [7, 0]]
    assert arrays["attention_mask"].tolist() == [[1, 1], [1, 0]]


def test_the_prefix_goes_before_every_text(models: Path, tmp_path: Path) -> None:
    folder = saved("bert", models)
    prefixed = transformer(folder, prefix="rain ")
    plain = transformer(folder)
    with torch.no_grad():
        by_hand = plain.eval()(**plain.prepare([Part(Modality.TEXT, f"rain {text}") for text in TEXTS]))
    np.testing.assert_allclose(rows(prefixed), by_hand.numpy(), atol=1e-6)
    entry = prefixed.export(tmp_path, "text")
    assert entry["options"]["prefix"] == "rain "
    assert "prefix" not in plain.export(tmp_path, "text")["options"]


def test_max_tokens_counts_special_ones(models: Path) -> None:
    net = transformer(saved("bert", models), max_tokens=5)
    assert net.prepare(PARTS)["input_ids"].shape == (len(PARTS), 5)
    assert transformer(saved("bert", models)).max_tokens == 64
    assert transformer(saved("roberta", models)).max_tokens == 64  # 66 rows of positions, two of them never used


def test_as_many_tokens_as_the_model_takes(models: Path, tmp_path: Path) -> None:
    """The last position is there: nothing is read past the table of positions."""
    long = [Part(Modality.TEXT, "rain " * 100)]
    for kind in ("bert", "roberta", "mpnet"):
        net = transformer(saved(kind, models)).eval()
        assert net.prepare(long)["input_ids"].shape == (1, 64)
        entry = net.export(tmp_path, "text")
        with torch.no_grad():
            expected = unit(net(**net.prepare(long)).numpy())
        np.testing.assert_allclose(OnnxText.load(tmp_path, **entry["options"]).encode(long), expected, atol=1e-4)


def test_by_name() -> None:
    assert parts.find("train.encoders", "transformer") is transformer


def test_saved_weights_in_half_precision_train_in_single(models: Path, tmp_path: Path) -> None:
    folder = saved("bert", models)
    AutoModel.from_pretrained(folder).half().save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    assert {parameter.dtype for parameter in transformer(str(tmp_path)).parameters()} == {torch.float32}


def test_errors(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved("electra", models)
    with pytest.raises(ConfigError, match="pooling is 'sum'; it can be cls, mean, max, last, pooler, attention"):
        transformer(folder, pooling="sum")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="electra' has no pooler; take pooling = 'cls' or 'mean'"):
        transformer(folder, pooling="pooler")
    for wanted in (65, 2, 0):
        with pytest.raises(ConfigError, match=f"max_tokens is {wanted}; this model takes 3 to 64"):
            transformer(folder, max_tokens=wanted)
    with pytest.raises(ModelError, match=r"no tokenizer can be read from .*nothing: "):
        transformer(str(tmp_path / "nothing"))
    with pytest.raises(ShapeError, match="content of a text part to be a string; got int"):
        transformer(folder).prepare([Part(Modality.TEXT, 3)])  # type: ignore[arg-type]
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(
        ConfigError, match=r"has 0\.0 GB of weights and an ONNX file holds 0\.0 GB; train a smaller model"
    ):
        transformer(folder).export(tmp_path, "text")


def test_a_model_without_a_fast_tokenizer(models: Path, tmp_path: Path) -> None:
    AutoModel.from_pretrained(saved("t5", models)).save_pretrained(tmp_path)
    ByT5Tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"has no tokenizer\.json \(ByT5Tokenizer\), nor words to make one of"):
        transformer(str(tmp_path))
