"""Texts as rows of token ids. Training prepares them with the same functions as the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duretrieval.errors import ModelError, ShapeError
from duretrieval.types import Part


def text_of(part: Part) -> str:
    """The part's content. Raises ShapeError where it is not a string.

    Halves of an emoji, which JSON can hold and no tokenizer takes, are joined, or else become U+FFFD.
    """
    text = part.content
    if not isinstance(text, str):
        raise ShapeError(f"expected the content of a text part to be a string; got {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def read_tokenizer(file: Path, max_tokens: int) -> Any:
    """The `tokenizers.Tokenizer` of a tokenizer.json, cutting texts after `max_tokens`.

    Raises:
        ModelError: the file is not a tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises plain Exception
        raise ModelError(f"{file} cannot be read as a tokenizer: {error}") from error
    return limited(tokenizer, max_tokens)


def limited(tokenizer: Any, max_tokens: int, side: str | None = None) -> Any:
    """The same tokenizer, set to cut after max_tokens and not to pad, whatever its file says.

    side: "right" cuts the end of a text, "left" its beginning; None is as its file says, or else the end.
    """
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, direction=side or (tokenizer.truncation or {}).get("direction", "right"))
    return tokenizer


def token_ids(tokenizer: Any, text: str) -> list[int]:
    """Ids of a text; of a full stop where there is no token at all, so that there is something to pool.

    Most tokenizers put special tokens around a text, so that only those of some decoders get here.
    """
    ids: list[int] = tokenizer.encode(text).ids
    return ids or tokenizer.encode(".").ids or [0]
