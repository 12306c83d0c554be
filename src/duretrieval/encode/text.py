"""Text to vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from duretrieval.encode.padding import padded
from duretrieval.encode.tokens import read_tokenizer, text_of, token_ids
from duretrieval.onnx import Session, copied
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part

ROWS = 32
"""Texts in one run of the graph."""


class OnnxText:
    """A sentence encoder: a tokenizer and a graph (input_ids, attention_mask) (b, t) int64 -> (b, dim) float32.

    output: "rows", or "tokens" of a graph that ends in (b, t, dim), of which a text's row is the mean.

    max_tokens: what comes after is not read.  glossary: a file in the folder that turns Chinese into English words
    before anything else (`language.glossary`), for an encoder that knows only English.  pad_id: fills what is shorter
    than its neighbours.  pad_to: at least so many tokens, for a graph that has learned to read the padding.  prefix:
    goes before every text, for an encoder that was trained so ("query: ").
    """

    modalities = frozenset({Modality.TEXT})

    def __init__(
        self,
        graph: Session,
        tokenizer: str | Path,
        *,
        dim: int,
        max_tokens: int = 256,
        glossary: str | Path | None = None,
        pad_id: int = 0,
        pad_to: int | None = None,
        prefix: str = "",
        output: Literal["rows", "tokens"] = "rows",
    ) -> None:
        tokenizer = Path(tokenizer)
        glossary = Path(glossary) if glossary is not None else None
        self.dim = dim
        self.max_tokens = max_tokens
        self.pad_id = pad_id
        self.pad_to = pad_to
        self.prefix = prefix
        self.output = output
        self._graph = graph
        self._tokenizer_file = tokenizer
        self._glossary_file = glossary

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        dim: int,
        file: str = "text.onnx",
        tokenizer: str = "tokenizer.json",
        max_tokens: int = 256,
        glossary: str | None = None,
        pad_id: int = 0,
        pad_to: int | None = None,
        prefix: str = "",
        output: Literal["rows", "tokens"] = "rows",
        threads: int | None = None,
    ) -> OnnxText:
        """The encoder in a model folder; its files are read on first use."""
        return cls(
            Session(Path(folder) / file, threads),
            Path(folder) / tokenizer,
            dim=dim,
            max_tokens=max_tokens,
            glossary=Path(folder) / glossary if glossary else None,
            pad_id=pad_id,
            pad_to=pad_to,
            prefix=prefix,
            output=output,
        )

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Copy its files into another model folder; returns the options that `load` needs to find them there.

        Raises:
            ModelError: a file of the encoder is no longer there.
        """
        options: dict[str, Any] = {
            "dim": self.dim,
            "file": self._graph.save(folder, name),
            "tokenizer": copied(self._tokenizer_file, Path(folder) / f"{name}-tokenizer.json"),
            "max_tokens": self.max_tokens,
        }
        if self._glossary_file:
            options["glossary"] = copied(self._glossary_file, Path(folder) / f"{name}-glossary.tsv")
        own: dict[str, Any] = {"pad_id": self.pad_id, "pad_to": self.pad_to, "prefix": self.prefix}
        if self.sequential:
            own["output"] = self.output
        return options | {key: value for key, value in own.items() if value}

    def encode(self, batch: Sequence[Part], /) -> Array:
        """Vectors of texts: (len(batch), dim) float32 unit rows.

        Texts of similar length go through the graph together: padding costs as much as words.

        Raises:
            ShapeError: a part's content is not a string.
            ModelError: the graph or the tokenizer cannot be read.
        """
        if self.sequential:
            found = [tokens.mean(axis=0) for tokens in self.sequence(batch)]
            return unit(np.stack(found)) if found else np.zeros((0, self.dim), np.float32)
        out = np.zeros((len(batch), self.dim), dtype=np.float32)
        for rows, _, vectors in self._runs(batch):
            out[rows] = unit(vectors)
        return out

    @property
    def sequential(self) -> bool:
        """Whether the graph ends in tokens."""
        return self.output == "tokens"

    def sequence(self, batch: Sequence[Part], /) -> list[Array]:
        """Of each text its tokens as the graph leaves them, (t, dim) float32, in order, special ones included.

        Raises:
            ShapeError, ModelError: as `encode`.
        """
        found: dict[int, Array] = {}
        for rows, lengths, tokens in self._runs(batch):
            found |= {i: held[:t] for i, t, held in zip(rows, lengths, tokens, strict=True)}
        return [found[i] for i in range(len(batch))]

    def _runs(self, batch: Sequence[Part]) -> Iterator[tuple[list[int], list[int], Array]]:
        """Places of texts, how many tokens each has, and what the graph makes of them."""
        tokens = [self._tokens(part) for part in batch]
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        batches = [order[start : start + ROWS] for start in range(0, len(order), ROWS)]
        runs = (padded([tokens[i] for i in rows], pad_id=self.pad_id, pad_to=self.pad_to) for rows in batches)
        for rows, made in zip(batches, self._graph.run_each(runs), strict=True):
            yield rows, [len(tokens[i]) for i in rows], made

    def _tokens(self, part: Part) -> list[int]:
        text = text_of(part)
        return token_ids(self._tokenizer, self.prefix + (self._glossary.translate(text) if self._glossary else text))

    @cached_property
    def _tokenizer(self) -> Any:
        return read_tokenizer(self._tokenizer_file, self.max_tokens)

    @cached_property
    def _glossary(self) -> Any:
        if self._glossary_file is None:
            return None
        from duretrieval.language.glossary import Glossary

        return Glossary.load(self._glossary_file)
