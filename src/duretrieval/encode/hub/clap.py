"""CLAP (Wu et al. 2023): texts and sounds."""

from __future__ import annotations

from pathlib import Path

from duretrieval.encode.hub.joint import Joint, Opened, config_of, opened
from duretrieval.encode.hub.pretrained import read
from duretrieval.encode.hub.sound import SoundTower
from duretrieval.encode.hub.text import text_tower, tokenizer_of


def open_clap(name: str) -> Opened:
    """`clap:` with the id or the folder of a model of transformers' type clap."""
    return opened("clap", name, clap)


def clap(folder: Path) -> Joint:
    """Texts go through RoBERTa, whose positions begin after the padding id."""
    from transformers import ClapFeatureExtractor

    config = config_of(folder, "clap")
    positions = config.text_config.max_position_embeddings - config.text_config.pad_token_id - 1
    text = text_tower(tokenizer_of(folder), config.projection_dim, positions)
    extractor = read(ClapFeatureExtractor, folder, "feature extractor")
    return Joint(folder, (text, SoundTower(config.projection_dim, extractor)))
