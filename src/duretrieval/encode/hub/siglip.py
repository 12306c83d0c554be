"""SigLIP (Zhai et al. 2023) and SigLIP 2 (Tschannen et al. 2025).

Both read a text at its last token, which is padding unless the text is long: the length never changes, and the model
is not told where the padding begins, as in training.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duretrieval.encode.hub.image import ImageTower, preprocessing_of
from duretrieval.encode.hub.joint import Joint, Opened, config_of, opened
from duretrieval.encode.hub.naflex import naflex_tower
from duretrieval.encode.hub.text import TextTower, plain, tokenizer_of
from duretrieval.errors import ModelError


def open_siglip(name: str) -> Opened:
    """`siglip:` with the id or the folder of a SigLIP model."""
    return opened("siglip", name, siglip)


def open_siglip2(name: str) -> Opened:
    """`siglip2:` with the id or the folder of a SigLIP 2 model, of one resolution or NaFlex."""
    return opened("siglip2", name, siglip2)


def siglip(folder: Path) -> Joint:
    """The tokenizer in tokenizer.json lowers case and drops punctuation, as in training."""
    config = config_of(folder, "siglip")
    text = _text(folder, config, lower=False)
    return Joint(folder, (text, ImageTower(text.dim, preprocessing_of(folder))))


def siglip2(folder: Path) -> Joint:
    """Gemma's tokenizer over lower-case text: the files of some models leave out that it was trained so."""
    config = config_of(folder, "siglip", "siglip2")
    text = _text(folder, config, lower=True)
    naflex = config.model_type == "siglip2"
    image = naflex_tower(folder, text.dim) if naflex else ImageTower(text.dim, preprocessing_of(folder))
    return Joint(folder, (text, image))


def _text(folder: Path, config: Any, *, lower: bool) -> TextTower:
    tokenizer = tokenizer_of(folder, as_saved=True)
    if tokenizer.padding_side != "right":
        raise ModelError(f"the tokenizer in {folder} pads on the left; SigLIP was trained with padding on the right")
    length = config.text_config.max_position_embeddings
    own = plain(tokenizer, length)
    if lower:
        lower_case(own)
    return TextTower(
        config.text_config.projection_size, own, length, tokenizer.pad_token_id, pad_to=length, masked=False
    )


def lower_case(tokenizer: Any) -> None:
    """Put lower-casing first; a second time changes nothing."""
    from tokenizers import normalizers

    rest = [tokenizer.normalizer] if tokenizer.normalizer is not None else []
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *rest])
