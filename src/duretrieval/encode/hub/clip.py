"""CLIP (Radford et al. 2021) and Chinese-CLIP (Yang et al. 2022)."""

from __future__ import annotations

from pathlib import Path

from duretrieval.encode.hub.image import image_tower
from duretrieval.encode.hub.joint import Joint, Opened, config_of, opened
from duretrieval.encode.hub.text import text_tower, tokenizer_of

CHINESE_TOKENS = 52
"""Chinese-CLIP was trained on texts of at most so many tokens (`context_length` of its own code)."""


def open_clip(name: str) -> Opened:
    """`clip:` with the id or the folder of a model of transformers' type clip."""
    return opened("clip", name, clip)


def open_chinese_clip(name: str) -> Opened:
    """`chinese-clip:` with the id or the folder of a model of transformers' type chinese_clip."""
    return opened("chinese-clip", name, chinese_clip)


def clip(folder: Path) -> Joint:
    """Texts are read at the end token, which causal attention lets see all of them and no padding."""
    config = config_of(folder, "clip")
    text = text_tower(tokenizer_of(folder), config.projection_dim, config.text_config.max_position_embeddings)
    return Joint(folder, (text, image_tower(folder, config.projection_dim)))


def chinese_clip(folder: Path) -> Joint:
    """Texts go through BERT (RoBERTa-wwm) and are read at its first token."""
    config = config_of(folder, "chinese_clip")
    positions = min(CHINESE_TOKENS, config.text_config.max_position_embeddings)
    text = text_tower(tokenizer_of(folder), config.projection_dim, positions)
    return Joint(folder, (text, image_tower(folder, config.projection_dim)))
