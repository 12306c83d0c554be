"""BERT and its family: any encoder of tokens that `transformers` loads, pooled into one row per text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from duretrieval.encode.hub.pretrained import check_held, read_model
from duretrieval.encode.hub.text import tokenizer_of
from duretrieval.encode.padding import padded
from duretrieval.encode.tokens import limited, text_of, token_ids
from duretrieval.errors import ConfigError
from duretrieval.training.nets.text import pooling as pool
from duretrieval.training.nets.tokens import TokensOf
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality, Part

Pooling = Literal["cls", "mean", "max", "last", "pooler", "attention"]

MAX_TOKENS = 256
TABLES = frozenset({"position_embeddings", "position_embedding", "embed_positions", "wpe"})
"""What models call their tables of positions."""
MAX_BYTES = 2_000_000_000
"""Of weights in one graph: an ONNX file is one protocol buffer, which ends at 2 GB."""


class TextTransformer(nn.Module):
    """h = model(tokens); row = W pool(h).

    model: takes (input_ids, attention_mask) (b, t) and returns an object with `last_hidden_state` (b, t, d), as an
    `AutoModel` does.  tokenizer: a `tokenizers.Tokenizer`.  dim: None is d, without W.  pooling "pooler" is the model's
    own, a layer on the first token that its pretraining learned.
    """

    modalities = frozenset({Modality.TEXT})

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        *,
        hidden: int,
        pooling: Pooling = "mean",
        max_tokens: int = MAX_TOKENS,
        prefix: str = "",
        dim: int | None = None,
    ) -> None:
        super().__init__()
        if pooling not in get_args(Pooling):
            raise ConfigError(f"pooling is {pooling!r}; it can be {', '.join(get_args(Pooling))}")
        self.dim = dim or hidden
        self.max_tokens = max_tokens
        self.prefix = prefix
        self.pooling = pooling
        self.model = model
        self.attention = pool.Attention(hidden) if pooling == "attention" else None
        self.project = nn.Linear(hidden, dim, bias=False) if dim else None
        self._tokenizer = limited(tokenizer, max_tokens)

    @property
    def reading(self) -> dict[str, Any]:
        """Texts are read as every model reads them."""
        return {}

    def prepare(self, parts: Sequence[Part]) -> dict[str, Tensor]:
        """input_ids and attention_mask, (len(parts), t) int64.

        Raises:
            ShapeError: a part's content is not a string.
        """
        rows = [token_ids(self._tokenizer, self.prefix + text_of(part)) for part in parts]
        return {name: torch.from_numpy(array) for name, array in padded(rows).items()}

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(b, t), (b, t) -> (b, dim). Token types are zero, as for any text that is alone."""
        output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        rows = self._pool(output, attention_mask)
        return self.project(rows) if self.project is not None else rows

    sequential = True

    def sequence(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """W h of every token, not pooled, and which are there: (b, t, dim), (b, t) bool."""
        hidden: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.project(hidden) if self.project is not None else hidden, attention_mask > 0

    def _pool(self, output: Any, mask: Tensor) -> Tensor:
        if self.pooling == "pooler":
            pooled: Tensor = output.pooler_output
            return pooled
        if self.attention is not None:
            attended: Tensor = self.attention(output.last_hidden_state, mask)
            return attended
        return pool.PLAIN[self.pooling](output.last_hidden_state, mask)

    def export(self, folder: str | Path, name: str, *, tokens: bool = False) -> dict[str, Any]:
        """Write `name`.onnx, pooling inside, and `name`-tokenizer.json, for `encode.text.OnnxText`.

        tokens: the graph ends in tokens, and pools nothing.

        Raises:
            ConfigError: the weights do not fit in one ONNX file.
        """
        size = sum(parameter.numel() * parameter.element_size() for parameter in self.parameters())
        if size > MAX_BYTES:
            raise ConfigError(
                f"the text encoder has {size / 1e9:.1f} GB of weights and an ONNX file holds {MAX_BYTES / 1e9:.1f} GB; "
                "train a smaller model, or train this one as the teacher of a smaller one"
            )
        example = self.prepare([Part(Modality.TEXT, text) for text in ("a", "two words or more")])
        device = next(self.parameters()).device
        inputs = {key: tensor.to(device) for key, tensor in example.items()}
        graph = TokensOf(self) if tokens else self
        to_onnx(graph, Path(folder) / f"{name}.onnx", inputs, free={key: [1] for key in inputs})
        tokenizer = f"{name}-tokenizer.json"
        self._tokenizer.save(str(Path(folder) / tokenizer))
        options = {"dim": self.dim, "file": f"{name}.onnx", "tokenizer": tokenizer, "max_tokens": self.max_tokens}
        own = {"prefix": self.prefix, "output": "tokens" if tokens else ""}
        return {"use": "onnx-text", "options": {**options, **{key: value for key, value in own.items() if value}}}


def transformer(
    model: str,
    *,
    pooling: Pooling = "mean",
    max_tokens: int | None = None,
    prefix: str = "",
    dim: int | None = None,
) -> TextTransformer:
    """A pretrained transformer from a hub's name or a folder.

    pooling: what the model was trained with: mean for sentence encoders (E5, MiniLM), cls for BGE, last for decoders.
    max_tokens: None is 256, or fewer where the model takes fewer.  prefix: goes before every text ("query: " for E5).
    dim: learn a projection to so many; None is the model's own length.

    Raises:
        ModelError: nothing that can be loaded is there, its tokenizer has no tokenizer.json, or it lacks weights.
        ConfigError: the model has no pooler, or no room for so many tokens.
    """
    encoder, tokenizer, lacking = _pretrained(model)
    _set_pooler(encoder, model, pooling)
    used = (key for key, _ in encoder.named_parameters() if key in lacking)
    check_held(used, model, "choose another pooling or another model")
    longest = _max_tokens(max_tokens, encoder, tokenizer)
    return TextTransformer(
        encoder,
        limited(tokenizer.backend_tokenizer, longest, tokenizer.truncation_side),
        hidden=encoder.config.hidden_size,
        pooling=pooling,
        max_tokens=longest,
        prefix=prefix,
        dim=dim,
    )


def _pretrained(name: str) -> tuple[Any, Any, frozenset[str]]:
    """The model, in float32 whatever it was saved in, its tokenizer, and the parameters it holds no weights for."""
    from transformers import AutoModel

    tokenizer = tokenizer_of(name)
    model, lacking = read_model(AutoModel, name)
    encoder = model.get_encoder() if model.config.is_encoder_decoder else model
    drawn = {id(parameter) for key, parameter in model.named_parameters() if key in lacking}
    return encoder, tokenizer, frozenset(key for key, value in encoder.named_parameters() if id(value) in drawn)


def _set_pooler(encoder: Any, name: str, pooling: str) -> None:
    """Refuse a pooler that is not there; drop one that is not used, which would be a parameter that never learns."""
    has_pooler = getattr(encoder, "pooler", None) is not None
    if pooling == "pooler" and not has_pooler:
        raise ConfigError(f"{name!r} has no pooler; take pooling = 'cls' or 'mean'")
    if pooling != "pooler" and has_pooler:
        encoder.pooler = nn.Identity()  # not None: SqueezeBERT calls whatever is there


def _max_tokens(wanted: int | None, encoder: nn.Module, tokenizer: Any) -> int:
    most = min(_positions(encoder) or tokenizer.model_max_length, tokenizer.model_max_length)
    special = tokenizer.num_special_tokens_to_add()
    if wanted is not None and not special < wanted <= most:
        raise ConfigError(f"max_tokens is {wanted}; this model takes {special + 1} to {most}")
    return wanted or min(MAX_TOKENS, most)


def _positions(model: nn.Module) -> int | None:
    """How many tokens the model has positions for; None where it does not number them (T5, rotary positions).

    RoBERTa and its kin count from one past the padding id, so 514 rows are 512 positions; BART and OPT from 2.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) and name.rpartition(".")[2] in TABLES:
            unused = 0 if module.padding_idx is None else module.padding_idx + 1
            return module.num_embeddings - int(getattr(module, "offset", unused))
    return None
