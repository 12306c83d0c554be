"""Words of English and Chinese texts."""

from __future__ import annotations

import json
import sys

import pytest

from duretrieval.errors import ConfigError, MissingExtra
from duretrieval.language.parts_of_speech import chinese, english
from duretrieval.language.stop_words import CHINESE, ENGLISH
from duretrieval.language.words import Words, pieces

ALL = Words(stop_words=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Two dogs, running in the snow!", ["two", "dogs", "running", "in", "the", "snow"]),
        ("Don't  stop: the cat’s café", ["don't", "stop", "the", "cat's", "café"]),
        ("snow_man, ice-cream 3.5", ["snow", "man", "ice", "cream", "3", "5"]),
        ("ＦＵＬＬ width １２", ["full", "width", "12"]),
        ("Straße ΑΘΗΝΑ МОСКВА", ["straße", "αθηνα", "москва"]),
        ("两只黑色的狗在雪地里跑", ["两只", "黑色", "的", "狗", "在", "雪地", "里", "跑"]),
        ("我的iPhone是2024年的", ["我", "的", "iphone", "是", "2024", "年", "的"]),
        ("", []),
        ("… — ！", []),
    ],
)
def test_words_by_eye(text: str, words: list[str]) -> None:
    assert ALL(text) == words


def test_stop_words_are_left_out() -> None:
    assert Words()("Two dogs, running in the snow") == ["two", "dogs", "running", "snow"]
    assert Words()("两只黑色的狗在雪地里跑") == ["两只", "黑色", "狗", "雪地", "跑"]
    assert Words(lower=False)("The Dogs of War") == ["Dogs", "War"]
    assert Words()("a dog without a collar, not a cat") == ["dog", "without", "collar", "not", "cat"]


@pytest.mark.parametrize("text", ["To be, or to be", "The Who", "是的"])
def test_a_text_of_nothing_but_stop_words_keeps_them(text: str) -> None:
    assert Words()(text) == ALL(text) != []


def test_stop_words_are_words() -> None:
    """Each entry is what the splitting of texts gives, so that each can be met."""
    assert all(pieces(word) == [word] for word in ENGLISH | CHINESE)
    assert "not" not in ENGLISH
    assert "不" not in CHINESE


@pytest.mark.parametrize(
    ("parts", "text", "words"),
    [
        (("noun",), "他很快地跑到北京大学去了", ["北京大学"]),
        (("noun", "verb"), "他很快地跑到北京大学去了", ["跑", "到", "北京大学", "去"]),
        (("adjective",), "这是一个非常漂亮的红色杯子", ["漂亮"]),
        (("noun",), "three beautiful houses of happiness quickly", ["houses", "happiness"]),
        (("adjective", "number"), "three beautiful observations", ["three", "beautiful"]),
        (("adverb",), "the family quickly ran", ["quickly"]),
    ],
)
def test_parts_of_speech(parts: tuple[str, ...], text: str, words: list[str]) -> None:
    assert Words(stop_words=False, parts_of_speech=parts)(text) == words  # type: ignore[arg-type]


def test_what_a_word_can_be() -> None:
    assert english("red") == ("noun", "verb", "adjective")
    assert english("12") == english("twelve") == ("number",)
    assert english("without") == ("function",)
    assert english("handful") == ("noun", "verb", "adjective")
    assert chinese("ns") == ("noun",)
    assert chinese("vn") == ("verb", "noun")
    assert len(chinese("x")) == 6


def test_characters_need_no_rjieba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rjieba", None)
    assert Words(chinese="characters", stop_words=False)("黑狗 dog") == ["黑", "狗", "dog"]
    assert Words()("a black dog") == ["black", "dog"]
    with pytest.raises(MissingExtra, match=r"there is Chinese in the text.*pip install 'duretrieval\[chinese\]'"):
        Words()("黑狗")


def test_a_vocabulary_without_chinese_needs_no_rjieba(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Words(parts_of_speech=("noun",))
    assert words.for_vocabulary(["dog", "狗"]) == words
    english_only = words.for_vocabulary(["dog", "cat"])
    monkeypatch.setitem(sys.modules, "rjieba", None)
    assert english_only("黑狗 dog") == ["黑", "狗", "dog"]


def test_settings_survive_json() -> None:
    for words in (Words(), Words(lower=False, stop_words=False, parts_of_speech=("noun",), chinese="characters")):
        assert Words.of(json.loads(json.dumps(words.settings()))) == words
    assert Words.of({}) == Words()


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="words has no setting 'stopwords'; it has lower, stop_words, "):
        Words.of({"stopwords": True})
    with pytest.raises(ConfigError, match="parts_of_speech has 'nouns'; it can have noun, verb, "):
        Words.of({"parts_of_speech": ["nouns"]})
    with pytest.raises(ConfigError, match="chinese is 'jieba'; it can be words or characters"):
        Words.of({"chinese": "jieba"})
