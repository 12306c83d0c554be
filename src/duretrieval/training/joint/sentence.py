"""A sentence-transformers model as nets that train: its texts, and its pictures where it is a joint model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from duretrieval.encode.hub.image import ImageTower
from duretrieval.encode.hub.preprocessing import preprocessing_by
from duretrieval.encode.hub.sentence import load_sentence
from duretrieval.encode.hub.source import folder_of
from duretrieval.encode.hub.text import TextTower, plain
from duretrieval.encode.hub.towers import Tower
from duretrieval.encode.tokens import limited
from duretrieval.errors import ConfigError, ModelError
from duretrieval.training.joint.net import JointNet, only, tower_for

ANY_LENGTH = 1_000_000
"""Tokens: more than any text has, for a model that reads all of it."""


@dataclass(frozen=True, slots=True, eq=False)
class SentenceText(TextTower):
    """Texts through all modules of the model: transformer, pooling, dense layers, unit length."""

    def rows(self, model: Any, *, input_ids: Tensor, attention_mask: Tensor) -> Any:
        """(b, dim)."""
        inputs = {"input_ids": input_ids, "modality": "text"}
        return model(inputs | ({"attention_mask": attention_mask} if self.masked else {}))["sentence_embedding"]


@dataclass(frozen=True, slots=True, eq=False)
class StaticText(TextTower):
    """The mean of a table's rows (`StaticEmbedding`), then the model's other modules.

    Unlike the library, which gives zeros, a text without tokens is read as a full stop, as everywhere in the engine.
    """

    def rows(self, model: Any, *, input_ids: Tensor, attention_mask: Tensor) -> Any:
        """(b, dim)."""
        there = attention_mask[:, :, None].to(model[0].embedding.weight.dtype)
        total = (functional.embedding(input_ids, model[0].embedding.weight) * there).sum(dim=1)
        features = {"sentence_embedding": total / there.sum(dim=1).clamp(min=1)}
        for module in list(model)[1:]:
            features = module(features)
        return features["sentence_embedding"]


@dataclass(frozen=True, slots=True, eq=False)
class SentenceImage(ImageTower):
    """Pictures through all modules of a model that is CLIP or like it."""

    def features(self, model: Any, squares: Tensor) -> Any:
        """(b, side, side, 3) uint8 -> (b, dim)."""
        return model({"pixel_values": self.preprocessing(squares), "modality": "image"})["sentence_embedding"]


def sentence_transformers(model: str | Path, tower: str = "text") -> nn.Module:
    """The tower of a sentence-transformers model that reads a modality, by hub id or folder.

    Raises:
        ConfigError: the model has no such tower, or cannot be written as a graph.
        ModelError: there is no such model.
    """
    loaded = load_sentence(folder_of("st", str(model)))
    towers = sentence_towers(loaded, str(model))
    chosen = tower_for("sentence-transformers", towers, tower)
    if len(towers) > 1:
        only(loaded[0].model, chosen)
    return JointNet(chosen, loaded)


def sentence_towers(model: Any, name: str) -> tuple[Tower, ...]:
    """What a loaded model reads that a graph can read too.

    Raises:
        ConfigError: it reads texts in a way that the engine's tokenizers cannot; the message says which.
    """
    first = model[0]
    if hasattr(first, "embedding") and hasattr(first, "num_embeddings"):
        return (_static(model),)
    ways = getattr(first, "modality_config", {})
    if "message" in ways or ways.get("text", {}).get("method") not in ("forward", "get_text_features"):
        raise ConfigError(
            f"st:{name} reads texts through a chat template or a module of its own, which a graph for the engine "
            f"cannot do; search with it in torch instead: --model st:{name}"
        )
    text = _text(model, name)
    if ways.get("image", {}).get("method") != "get_image_features":
        return (text,)
    try:
        own = preprocessing_by(getattr(first.processor, "image_processor", None), f"st:{name}")
    except (ModelError, AttributeError):
        return (text,)
    return (text, SentenceImage(text.dim, own))


def _text(model: Any, name: str) -> SentenceText:
    tokenizer = model[0].tokenizer
    if not getattr(tokenizer, "is_fast", False):
        raise ConfigError(f"st:{name} has no fast tokenizer; save it again with one (tokenizer.json)")
    prefix = model.prompts.get(model.default_prompt_name) or "" if model.default_prompt_name else ""
    if prefix and any(getattr(module, "include_prompt", True) is False for module in model):
        raise ConfigError(f"st:{name} leaves its prompt {prefix!r} out when it pools, which no graph of it can")
    length = min(model.max_seq_length or tokenizer.model_max_length, tokenizer.model_max_length, ANY_LENGTH)
    given = model[0].processing_kwargs.get("text", {})
    return SentenceText(
        dim=model.get_embedding_dimension(),
        tokenizer=plain(tokenizer, given.get("max_length", length)),
        max_tokens=given.get("max_length", length),
        pad_id=tokenizer.pad_token_id or 0,
        pad_to=given.get("max_length", length) if given.get("padding") == "max_length" else None,
        masked="attention_mask" in tokenizer.model_input_names,
        prefix=prefix,
    )


def _static(model: Any) -> StaticText:
    from tokenizers import Tokenizer

    own = Tokenizer.from_str(model[0].tokenizer.to_str())
    own.post_processor = None  # no tokens around a text
    longest = (own.truncation or {}).get("max_length", ANY_LENGTH)
    limited(own, longest)
    prefix = model.prompts.get(model.default_prompt_name) or "" if model.default_prompt_name else ""
    dim = model.get_embedding_dimension()
    return StaticText(dim, own, longest, pad_id=0, prefix=prefix)
