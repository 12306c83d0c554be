"""What Lance raises, in fewer words."""

from __future__ import annotations

import re

import pyarrow as pa

_FILE = re.compile(r"(?:data|_versions|_deletions|_indices|_transactions)/[\w./-]*\w")


def is_failure(error: BaseException) -> bool:
    """Whether Lance and Arrow raise such when a file is not as it should be.

    They have no exceptions of their own, and where their Rust panics not even one that is an `Exception`.
    """
    return isinstance(error, OSError | ValueError | RuntimeError | pa.ArrowException) or (
        type(error).__name__ == "PanicException"
    )


def reason(error: BaseException) -> str:
    """What an error of Lance's says, without the places in its source: the file and the first words."""
    text = " ".join(str(error).split())
    file = _FILE.search(text)
    words = re.split(r", /\S*\.rs:|\[?error_trace|: /", text.removeprefix("External error: "), maxsplit=1)[0]
    words = words.removeprefix("LanceError").strip()[:160]
    return f"{file[0]} cannot be read ({words})" if file and file[0] not in words else words or type(error).__name__
