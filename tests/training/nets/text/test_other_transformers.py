"""Transformers whose tables of positions, poolers or tokenizers are other than BERT's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tests.training.nets.text.tiny import SMALL, TEXTS, saved
from transformers import AutoModel, AutoTokenizer

from duretrieval import plugins
from duretrieval.errors import ConfigError, ModelError
from duretrieval.similarity import unit
from duretrieval.training.nets.text.transformer import transformer
from duretrieval.types import Modality, Part

WORDS = [*TEXTS, "rain " * 100, "🚌 bus\t\n", "夜里的红色汽车" * 20]
GPT = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 40}
OPT = {"hidden_size": 16, "ffn_dim": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "word_embed_proj_dim": 16}
SIDES = {"layers": 1, "attention_heads": 2, "ffn_dim": 24}
BART = {"d_model": 16, **{f"{side}_{key}": value for side in ("encoder", "decoder") for key, value in SIDES.items()}}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2Config", GPT),
    "opt": ("OPTConfig", {**OPT, "max_position_embeddings": 40}),
    "bart": ("BartConfig", {**BART, "max_position_embeddings": 40}),
    "clip": ("CLIPTextConfig", {**SMALL, "max_position_embeddings": 40}),
    "squeezebert": ("SqueezeBertConfig", {**SMALL, "embedding_size": 16, "max_position_embeddings": 40}),
}


def copied(folder: Path, place: Path, **settings: Any) -> Path:
    """A model whose tokenizer says what is given."""
    place = Path(shutil.copytree(folder, place))
    told = json.loads((place / "tokenizer_config.json").read_text())
    (place / "tokenizer_config.json").write_text(json.dumps({**told, **settings}))
    return place


def own_rows(folder: Path, max_tokens: int) -> Any:
    """Means over tokens, one text at a time."""
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    encoder = model.get_encoder() if model.config.is_encoder_decoder else model
    rows = []
    for text in WORDS:
        ids = tokenizer(text, return_tensors="pt", truncation=True, max_length=max_tokens)["input_ids"]
        with torch.no_grad():
            rows.append(encoder(input_ids=ids).last_hidden_state[0].mean(dim=0))
    return unit(torch.stack(rows).numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_cut_where_the_positions_end(kind: str, tmp_path: Path) -> None:
    """The tokenizer itself says that any length will do."""
    folder = copied(Path(saved("bert", tmp_path)), tmp_path / kind, model_max_length=int(1e30))
    (folder / "model.safetensors").unlink()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": 0, "eos_token_id": 0}
    name, settings = KINDS[kind]
    torch.manual_seed(0)
    config = getattr(transformers, name)(**{**ids, **settings, "vocab_size": len(tokenizer)})
    AutoModel.from_config(config).save_pretrained(folder)
    net = transformer(str(folder)).eval()
    assert net.max_tokens == 40
    expected, parts = own_rows(folder, 40), [Part(Modality.TEXT, text) for text in WORDS]
    with torch.no_grad():
        np.testing.assert_allclose(unit(net(**net.prepare(parts)).numpy()), expected, atol=1e-4)
    entry = net.export(tmp_path, "text")
    encoder = plugins.find("encoders", entry["use"]).load(tmp_path, **entry["options"])
    np.testing.assert_allclose(encoder.encode(parts), expected, atol=1e-4)
    with pytest.raises(ConfigError, match=r"max_tokens is 41; this model takes 3 to 40"):
        transformer(str(folder), max_tokens=41)


def test_a_tokenizer_that_cuts_the_beginning_cuts_the_beginning(tmp_path: Path) -> None:
    folder = copied(Path(saved("bert", tmp_path)), tmp_path / "left", truncation_side="left")
    net = transformer(str(folder), max_tokens=8).eval()
    parts = [Part(Modality.TEXT, text) for text in WORDS]
    entry = net.export(tmp_path, "text")
    encoder = plugins.find("encoders", entry["use"]).load(tmp_path, **entry["options"])
    np.testing.assert_allclose(encoder.encode(parts), own_rows(folder, 8), atol=1e-4)


def test_a_pooler_that_was_never_trained_is_refused(tmp_path: Path) -> None:
    """A masked language model holds none, and one drawn anew would give other rows at every load."""
    folder = copied(Path(saved("bert", tmp_path)), tmp_path / "mlm")
    config = transformers.AutoConfig.from_pretrained(folder)
    transformers.BertForMaskedLM(config).save_pretrained(folder)
    with pytest.raises(ModelError, match=r"no weights for 2 parameters that would be used \(pooler\.dense\.bias, "):
        transformer(str(folder), pooling="pooler")
    assert transformer(str(folder), pooling="cls").dim == 16
