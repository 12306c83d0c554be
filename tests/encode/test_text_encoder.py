from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from duretrieval.builtin import FOLDER
from duretrieval.encode.text import OnnxText
from duretrieval.errors import ModelError, ShapeError
from duretrieval.onnx import Session
from duretrieval.testing import EncoderSuite
from duretrieval.types import Modality, Part


@cache
def encoder() -> OnnxText:
    return OnnxText.load(FOLDER, dim=384, threads=1)


def vectors(*texts: str) -> np.ndarray:
    return encoder().encode([Part(Modality.TEXT, text) for text in texts])


class TestOnnxText(EncoderSuite):
    def make(self) -> OnnxText:
        return encoder()

    def parts(self) -> list[Part]:
        texts = ["a red bus", "", "rain on a tin roof", "invoice for March\n" * 80, "word " * 500, "日本", "🐈"]
        return [Part(Modality.TEXT, text) for text in texts]


def test_copied_into_another_folder_it_is_the_same(tmp_path: Path) -> None:
    """The built-in encoder, with its glossary."""
    source = OnnxText.load(FOLDER, dim=384, glossary="glossary-zh.tsv", max_tokens=100, prefix="a photo of ", threads=1)
    options = source.save(tmp_path, "mine")
    assert options == {
        "dim": 384,
        "file": "mine.onnx",
        "tokenizer": "mine-tokenizer.json",
        "max_tokens": 100,
        "glossary": "mine-glossary.tsv",
        "prefix": "a photo of ",
    }
    parts = [Part(Modality.TEXT, text) for text in ("a red bus", "红色汽车", "rain " * 300)]
    copy = OnnxText.load(tmp_path, **options)
    np.testing.assert_array_equal(copy.encode(parts), source.encode(parts))
    assert copy.save(tmp_path, "mine") == options  # onto itself
    (tmp_path / "mine.onnx").unlink()
    with pytest.raises(ModelError, match=r"mine\.onnx is not there to be copied to .*again\.onnx; export"):
        copy.save(tmp_path, "again")


def test_the_prefix_goes_before_every_text() -> None:
    prefixed = OnnxText(Session(FOLDER / "text.onnx"), FOLDER / "tokenizer.json", dim=384, prefix="query: ")
    expected = vectors("query: a red bus")
    np.testing.assert_allclose(prefixed.encode([Part(Modality.TEXT, "a red bus")]), expected, atol=1e-6)


def test_like_meanings_are_near() -> None:
    car, automobile, soup = vectors("a red car", "a crimson automobile", "vegetable soup")
    assert car @ automobile > car @ soup + 0.2


def test_what_comes_after_max_tokens_is_not_read() -> None:
    start = "word " * 300
    first, second = vectors(start + "cat", start + "dog")
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_content_must_be_a_string() -> None:
    with pytest.raises(ShapeError, match="content of a text part to be a string; got int"):
        encoder().encode([Part(Modality.TEXT, 3)])  # type: ignore[arg-type]


def test_a_file_that_is_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    broken = OnnxText(Session(FOLDER / "text.onnx"), tmp_path / "tokenizer.json", dim=384)
    with pytest.raises(ModelError, match=r"tokenizer\.json cannot be read as a tokenizer"):
        broken.encode([Part(Modality.TEXT, "a")])


@pytest.mark.skipif(find_spec("duretrieval.language.glossary") is None, reason="no glossary here")
def test_chinese_through_a_glossary(tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text("红色\tred\n汽车\tcar\n", encoding="utf-8")
    through = OnnxText(
        Session(FOLDER / "text.onnx"), FOLDER / "tokenizer.json", dim=384, glossary=tmp_path / "words.tsv"
    )
    chinese = through.encode([Part(Modality.TEXT, "红色汽车"), Part(Modality.TEXT, "red car")])
    np.testing.assert_allclose(chinese[0], chinese[1], atol=1e-6)
    np.testing.assert_allclose(chinese[1], vectors("red car")[0], atol=1e-6)
