"""Texts for a joint model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from duretrieval.encode.hub.pretrained import read
from duretrieval.encode.padding import padded
from duretrieval.encode.tokens import limited, text_of, token_ids
from duretrieval.errors import ModelError
from duretrieval.types import Modality, Part

NO_PAD = 0
"""Fills rows where a tokenizer has no id for padding: the mask hides it."""


@dataclass(frozen=True, slots=True, eq=False)
class TextTower:
    """A tokenizer and how its tokens are padded: exactly what the engine's `OnnxText` does with a tokenizer.json."""

    dim: int
    tokenizer: Any
    """A `tokenizers.Tokenizer` without padding, which cuts at max_tokens."""
    max_tokens: int
    pad_id: int
    pad_to: int | None = None
    """So many tokens always: SigLIP's last token is padding, and its vector is read there."""
    masked: bool = True
    """Whether the model is told where the padding is; SigLIP was trained without."""
    prefix: str = ""
    """Goes before every text."""

    modalities = frozenset({Modality.TEXT})

    @property
    def reading(self) -> Mapping[str, Any]:
        """Texts are read alike for all models."""
        return {}

    def arrays(self, parts: Sequence[Part]) -> dict[str, npt.NDArray[Any]]:
        """input_ids and attention_mask, both (b, t) int64.

        Raises:
            ShapeError: a part's content is not a string.
        """
        tokens = [token_ids(self.tokenizer, self.prefix + text_of(part)) for part in parts]
        return dict(padded(tokens, pad_id=self.pad_id, pad_to=self.pad_to))

    def rows(self, model: Any, *, input_ids: Any, attention_mask: Any) -> Any:
        """(b, dim), projected."""
        if not self.masked:
            return model.get_text_features(input_ids=input_ids).pooler_output
        return model.get_text_features(input_ids=input_ids, attention_mask=attention_mask).pooler_output


def tokenizer_of(place: str | Path, *, as_saved: bool = False) -> Any:
    """The fast tokenizer of transformers for a model, by folder or hub id.

    as_saved: tokenizer.json as it is, whatever class the model names: SigLIP's own class needs sentencepiece, and the
    one that fixed-resolution SigLIP 2 names is plain Gemma's.

    Raises:
        ModelError: there is no tokenizer that transformers can make fast.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    tokenizer = read(PreTrainedTokenizerFast if as_saved else AutoTokenizer, place, "tokenizer")
    if not tokenizer.is_fast or not has_words(tokenizer):
        raise ModelError(
            f"{place} has no tokenizer.json ({type(tokenizer).__name__}), nor words to make one of, and the engine "
            "runs no other; save it again with a fast tokenizer, or choose a model that has one"
        )
    return tokenizer


def has_words(tokenizer: Any) -> bool:
    """Whether it knows more than special tokens: where its files are missing, transformers makes one that does not."""
    return len(tokenizer) > len(set(tokenizer.all_special_tokens))


def plain(tokenizer: Any, max_tokens: int) -> Any:
    """A `tokenizers.Tokenizer` of its own that does not pad and cuts at max_tokens, on the side the tokenizer cuts."""
    from tokenizers import Tokenizer

    own = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    return limited(own, max_tokens, tokenizer.truncation_side)


def text_tower(tokenizer: Any, dim: int, positions: int) -> TextTower:
    """Of a model with so many positions, as long as its tokenizer allows, and told where the padding is."""
    longest = min(positions, tokenizer.model_max_length)
    pad_id = NO_PAD if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    return TextTower(dim, plain(tokenizer, longest), longest, pad_id)
