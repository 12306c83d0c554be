"""Words of English and Chinese: segments, stop words, parts of speech, synonyms, a glossary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.language.glossary import Glossary as Glossary
    from duretrieval.language.glossary import has_han as has_han
    from duretrieval.language.unknown import Unknown as Unknown
    from duretrieval.language.words import Words as Words
    from duretrieval.language.words import pieces as pieces
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "glossary": "Glossary has_han",
            "unknown": "Unknown",
            "words": "Words pieces",
        },
    )
