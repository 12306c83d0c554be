"""What a word can be: noun, verb, adjective, adverb, number, or a function word.

Chinese is tagged in its sentence by jieba. English is looked at word by word: a list of function words, then endings,
and what is left may be noun, verb and adjective alike, since most English words are more than one ("the red", "to
water"). So a filter is strict about Chinese, and about English function words, numbers and adverbs, but not the rest.
"""

from __future__ import annotations

from typing import Literal, get_args

from duretrieval.language.stop_words import ENGLISH, listed

PartOfSpeech = Literal["noun", "verb", "adjective", "adverb", "number", "function"]
PARTS: tuple[PartOfSpeech, ...] = get_args(PartOfSpeech)

_FUNCTION = ENGLISH | listed("no not never nothing nobody none nor cannot can't don't won't isn't without")
_NUMBERS = listed(
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion"
)
_NOT_ADVERBS = listed(
    "family fly reply supply july italy ally assembly anomaly belly bully butterfly dragonfly jelly lily rally holy "
    "ugly friendly lovely lonely early elderly daily weekly silly hilly curly woolly likely lively monthly "
    "yearly"
)
_NOT_ADJECTIVES = listed("handful spoonful mouthful armful cupful vegetable table cable syllable")
_NOUN_ENDINGS = ("tion", "sion", "ment", "ness", "ship", "hood", "ism", "ity")
_ADJECTIVE_ENDINGS = ("ous", "ful", "less", "able", "ible")  # not "ish", for the fish; nor "ed", he painted it

# The first letter of a tag of jieba (the ICTCLAS set) -> what the word can be. What is not here can be anything.
_CHINESE: dict[str, tuple[PartOfSpeech, ...]] = {
    **dict.fromkeys("nstf", ("noun",)),
    "v": ("verb",),
    **dict.fromkeys("abz", ("adjective",)),
    "d": ("adverb",),
    "m": ("number",),
    **dict.fromkeys("rqpcueyohk", ("function",)),
}
# Tags that say two things: 研究/vn is a verb used as a noun.
_CHINESE_TWO: dict[str, tuple[PartOfSpeech, ...]] = {
    "vn": ("verb", "noun"),
    "vd": ("verb", "adverb"),
    "an": ("adjective", "noun"),
    "ad": ("adjective", "adverb"),
}
_OPEN: tuple[PartOfSpeech, ...] = ("noun", "verb", "adjective")


def english(word: str) -> tuple[PartOfSpeech, ...]:
    """What a word in lower case can be; english("quickly") == ("adverb",), english("red") == ("noun", "verb", ...)."""
    if word in _FUNCTION:
        return ("function",)
    if word.isnumeric() or word in _NUMBERS:
        return ("number",)
    if word.endswith("ly") and len(word) > 4 and word not in _NOT_ADVERBS:
        return ("adverb",)
    long = len(word) > 5
    if long and (word.endswith(_NOUN_ENDINGS) or word.removesuffix("s").endswith(_NOUN_ENDINGS)):
        return ("noun",)
    if long and word.endswith(_ADJECTIVE_ENDINGS) and word not in _NOT_ADJECTIVES:
        return ("adjective",)
    return _OPEN


def chinese(tag: str) -> tuple[PartOfSpeech, ...]:
    """What a word with a tag of jieba can be; chinese("ns") == ("noun",)."""
    return _CHINESE_TWO.get(tag) or _CHINESE.get(tag[:1]) or PARTS
