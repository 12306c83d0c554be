"""A dictionary of words that may stand for one another."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from duretrieval.errors import ConfigError

OURS = (Path(__file__).with_name("synonyms_en.txt"), Path(__file__).with_name("synonyms_zh.txt"))


@cache
def synonyms(file: str = "") -> Mapping[str, tuple[str, ...]]:
    """The other words of each word's groups, in lower case.

    file: a group a line, words separated by commas (Chinese ones too), "#" begins a remark; "": what comes along.

    Raises:
        ConfigError: the file cannot be read, or has no group of two words.
    """
    found: dict[str, dict[str, None]] = {}
    for path in (Path(file),) if file else OURS:
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the synonyms '{path}' cannot be read: {error}") from error
        for line in lines:
            group = [word.strip() for word in line.partition("#")[0].replace("，", ",").split(",") if word.strip()]
            for word in group:
                others = found.setdefault(word.lower(), {})
                others.update(dict.fromkeys(other for other in group if other.lower() != word.lower()))
    known = {word: tuple(others) for word, others in found.items() if others}
    if not known:
        raise ConfigError(f"the synonyms '{file}' hold no group of two words; write one a line: car, automobile, auto")
    return known
