"""What has learned, put back into the model of transformers that it was taken from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from duretrieval.encode.hub.pretrained import read_model
from duretrieval.encode.hub.text import tokenizer_of
from duretrieval.errors import ConfigError
from duretrieval.training.export.hub.towers import WITHOUT, Tower
from duretrieval.training.nets.text.transformer import TextTransformer


def save_text(tower: Tower, place: Path) -> None:
    """The model of transformers that the net was made of, with what the net has learned, and its tokenizer.

    What the net does not use (a pooler, a decoder) is as it began.
    """
    from transformers import AutoModel

    net: TextTransformer = tower.net
    model, lacking = read_model(AutoModel, tower.model)
    take(model.get_encoder() if model.config.is_encoder_decoder else model, net.model, tower)
    model.save_pretrained(place, state_dict={k: v for k, v in model.state_dict().items() if k not in lacking})
    tokenizer = tokenizer_of(tower.model)
    tokenizer.padding_side = "right"  # no text's row may depend on how long its neighbours are
    tokenizer.model_max_length = net.max_tokens
    tokenizer.save_pretrained(place)


def take(whole: nn.Module, part: Any, tower: Tower) -> None:
    """Put a net's weights into the model that it was taken from.

    Raises:
        ConfigError: it holds others.
    """
    strange = whole.load_state_dict(part.state_dict(), strict=False).unexpected_keys
    if strange:
        raise ConfigError(
            f"the encoder of {tower.modality} has weights that {tower.model} has no place for ({strange[0]}); {WITHOUT}"
        )
