"""SigLIP (Zhai et al. 2023) and SigLIP 2 (Tschannen et al. 2025).

Both read a text at its last token, which is padding unless the text is long: the length never changes, and the model
is not told where the padding begins, as in training.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duretrieval.encode.hub.image import image_tower
from duretrieval.encode.hub.joint import Joint, Opened, config_of, opened
from duretrieval.encode.hub.naflex import naflex_tower
from duretrieval.encode.hub.text import TextTower, plain, tokenizer_of
from duretrieval.errors import ModelError

PUNCTUATION = r"[!-/:-@\[-`{-~]"
"""The 32 marks of Python's `string.punctuation`."""


def open_siglip(name: str) -> Opened:
    """`siglip:` with the id or the folder of a SigLIP model."""
    return opened("siglip", name, siglip)


def open_siglip2(name: str) -> Opened:
    """`siglip2:` with the id or the folder of a SigLIP 2 model, of one resolution or NaFlex."""
    return opened("siglip2", name, siglip2)


def siglip(folder: Path) -> Joint:
    """Lower-case text without punctuation, as in training, whether tokenizer.json says so or not."""
    config = config_of(folder, "siglip")
    text = _text(folder, config, punctuation=False)
    return Joint(folder, (text, image_tower(folder, text.dim)))


def siglip2(folder: Path) -> Joint:
    """Gemma's tokenizer over lower-case text: the files of some models leave out that it was trained so."""
    config = config_of(folder, "siglip", "siglip2")
    text = _text(folder, config, punctuation=True)
    naflex = config.model_type == "siglip2"
    image = naflex_tower(folder, text.dim) if naflex else image_tower(folder, text.dim)
    return Joint(folder, (text, image))


def _text(folder: Path, config: Any, *, punctuation: bool) -> TextTower:
    tokenizer = tokenizer_of(folder, as_saved=True)
    if tokenizer.padding_side != "right":
        raise ModelError(f"the tokenizer in {folder} pads on the left; SigLIP was trained with padding on the right")
    if tokenizer.pad_token_id is None:
        raise ModelError(
            f"the tokenizer in {folder} names no padding token, which SigLIP reads; name it and save again"
        )
    length = config.text_config.max_position_embeddings
    own = plain(tokenizer, length)
    canonical(own, punctuation=punctuation)
    return TextTower(
        config.text_config.projection_size, own, length, tokenizer.pad_token_id, pad_to=length, masked=False
    )


def canonical(tokenizer: Any, *, punctuation: bool) -> None:
    """Put first what the models' authors do to a text: lower case; and for SigLIP, no ASCII punctuation, single spaces.

    A second time it changes nothing.  punctuation: whether it stays.
    """
    from tokenizers import Regex, normalizers

    steps: list[Any] = [normalizers.Lowercase()]
    if not punctuation:
        steps += [normalizers.Replace(Regex(PUNCTUATION), ""), normalizers.Replace(Regex(r"\s+"), " ")]
        steps += [normalizers.Strip()]
    rest = [tokenizer.normalizer] if tokenizer.normalizer is not None else []
    tokenizer.normalizer = normalizers.Sequence([*steps, *rest])
