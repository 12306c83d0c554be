"""Models of sentence-transformers with settings that its own batches, or half precision, make vectors depend on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from tests.training.joint.test_other_settings import set_in
from tests.training.joint.tiny_joint import TEXTS, sentence
from transformers import BertTokenizer

from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.joint import export_joint
from duretrieval.types import Array, Modality, Part

Tiny = Callable[[str], Path]


def texts(words: list[str]) -> list[Part]:
    return [Part(Modality.TEXT, word) for word in words]


def opened_and_written(folder: Path, words: list[str]) -> tuple[Array, Array]:
    export_joint(f"st:{folder}", folder.parent / "model")
    return tuple(Model.load(name).encode(texts(words)) for name in (f"st:{folder}", folder.parent / "model"))  # type: ignore[return-value]


@pytest.mark.parametrize("pooling", ["mean", "cls", "lasttoken"])
def test_a_tokenizer_that_pads_on_the_left_moves_no_text(tiny: Tiny, tmp_path: Path, pooling: str) -> None:
    """In the library a text's row changes with the length of its neighbours; alone it is what the model means."""
    sentence(tmp_path)
    set_in(tmp_path / "bert" / "tokenizer_config.json", padding_side="left")
    modules = [Transformer(str(tmp_path / "bert")), Pooling(32, pooling)]
    SentenceTransformer(modules=modules, device="cpu").save(str(tmp_path / "left"))
    library = SentenceTransformer(str(tmp_path / "left"), device="cpu")
    alone = np.concatenate([library.encode([word], normalize_embeddings=True) for word in TEXTS])
    assert np.abs(library.encode(TEXTS, normalize_embeddings=True) - alone).max() > 1e-2
    for rows in opened_and_written(tmp_path / "left", TEXTS):
        np.testing.assert_allclose(rows, alone, atol=1e-4)


def test_siglip_is_padded_as_it_was_trained(tiny: Tiny, tmp_path: Path) -> None:
    """The library pads to the longest text of a batch and tells SigLIP of no padding."""
    words = [text.lower() for text in TEXTS]
    folder = Path(shutil.copytree(tiny("siglip2"), tmp_path / "siglip2"))
    SentenceTransformer(modules=[Transformer(str(folder))], device="cpu").save(str(tmp_path / "st"))
    expected = Model.load(f"siglip2:{folder}").encode(texts(words))
    for rows in opened_and_written(tmp_path / "st", words):
        np.testing.assert_allclose(rows, expected, atol=1e-4)


def test_a_static_table_in_half_precision_is_summed_in_single(tmp_path: Path) -> None:
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(["[PAD]", "[UNK]", *"abcdef"])})
    table = torch.randn(8, 16, generator=torch.Generator().manual_seed(0)).half()
    modules = [StaticEmbedding(tokenizer.backend_tokenizer, embedding_weights=table)]
    SentenceTransformer(modules=modules, device="cpu").save(str(tmp_path / "static"))
    expected = unit(table.float().numpy()[[2, 3, 4, 4, 4]].mean(axis=0, keepdims=True))
    for rows in opened_and_written(tmp_path / "static", ["a b c c c"]):
        np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_a_static_table_reads_as_much_of_a_text_as_its_tokenizer(tmp_path: Path) -> None:
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(["[PAD]", "[UNK]", *"abcdef"])}).backend_tokenizer
    tokenizer.enable_truncation(3)
    torch.manual_seed(0)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=16)], device="cpu").save(str(tmp_path / "st"))
    words = ["a b c d e f", "a b c", "a"]
    expected = SentenceTransformer(str(tmp_path / "st"), device="cpu").encode(words, normalize_embeddings=True)
    np.testing.assert_allclose(expected[0], expected[1], atol=1e-6)
    for rows in opened_and_written(tmp_path / "st", words):
        np.testing.assert_allclose(rows, expected, atol=1e-4)
