"""Chinese into English, word by word: the segmenter on small tables, then the table that is shipped."""

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duretrieval import builtin
from duretrieval.errors import ConfigError
from duretrieval.language.glossary import Glossary, has_han

SHIPPED = builtin.FOLDER / "glossary-zh.tsv"

TINY = {
    "红": "red",
    "红色": "red",
    "汽车": "car",
    "车": "vehicle",
    "猫": "cat",
    "的": "-",
    "研究": "research",
    "研究生": "graduate student",
    "生命": "life",
    "命": "fate",
    "白": "white",
    "白天": "daytime",
    "天鹅": "swan",
    "鹅": "goose",
}


@pytest.fixture(scope="module")
def shipped() -> Glossary:
    return Glossary.load(SHIPPED)


@pytest.fixture
def tiny() -> Glossary:
    return Glossary(TINY, {"貓": "猫", "紅": "红", "車": "车"})


def rows() -> list[tuple[str, str]]:
    """The two sides of every line of the shipped table that is not a comment."""
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    pairs = [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs)
    return pairs  # type: ignore[return-value]


# What it does, on a table small enough to check by eye


def test_words_are_joined_in_order_and_silent_ones_vanish(tiny: Glossary) -> None:
    assert tiny.translate("红色的汽车") == "red car"


def test_traditional_characters_are_read_as_simplified_ones_and_shown_as_written(tiny: Glossary) -> None:
    assert tiny.translate("紅色的汽車") == "red car"
    assert tiny.explain("紅色的汽車") == [("紅色", "red"), ("的", ""), ("汽車", "car")]


def test_unknown_characters_are_dropped_next_to_known_ones_and_kept_otherwise(tiny: Glossary) -> None:
    assert tiny.translate("魑魅猫") == "cat"
    assert tiny.translate("魑魅") == "魑魅"
    assert tiny.translate("魑魅的") == "魑魅的"
    assert tiny.translate("魑魅, 猫") == "魑魅, cat"
    assert tiny.explain("魑猫") == [("魑", ""), ("猫", "cat")]


def test_text_of_silent_words_alone_stays(tiny: Glossary) -> None:
    assert tiny.translate("的") == "的"


def test_even_cuts_win_and_then_the_longer_last_word(tiny: Glossary) -> None:
    assert tiny.translate("研究生命") == "research life"
    assert tiny.translate("白天鹅") == "white swan"


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("iPhone的猫", "iPhone cat"),
        ("3只猫", "3 cat"),
        ("猫cat猫", "cat cat cat"),
        ("猫，汽车。", "cat, car."),
        ("猫。汽车", "cat. car"),
        ("“猫”", '"cat"'),
        ("（猫）and 车", "(cat)and vehicle"),
        ("猫\n车", "cat\nvehicle"),
        ("a-猫", "a-cat"),
    ],
)
def test_latin_digits_and_punctuation_stay_between(tiny: Glossary, text: str, english: str) -> None:
    assert tiny.translate(text) == english


def test_has_han() -> None:
    assert has_han("a 猫")
    assert not has_han("a cat, ねこ 고양이")


# The same answer as trying every cut


def cost(words: list[str]) -> tuple[int, int, int, list[int]]:
    """What the glossary minimises; the last field breaks ties for the longer word, from the end."""
    known = [word for word in words if word in TINY]
    return (
        sum(word not in TINY for word in words),
        len(known),
        sum(len(word) ** 2 for word in known),
        [-len(word) for word in reversed(words)],
    )


def every_cut(run: str) -> list[list[str]]:
    places = range(1, len(run))
    cuts = (cut for size in range(len(run)) for cut in combinations(places, size))
    found = ([run[i:j] for i, j in zip((0, *cut), (*cut, len(run)), strict=True)] for cut in cuts)
    return [words for words in found if all(word in TINY or len(word) == 1 for word in words)]


@given(st.text(alphabet=sorted(set("".join(TINY)) | {"魑"}), min_size=1, max_size=9))
def test_segmentation_is_the_best_of_all(run: str) -> None:
    words = [word for word, _ in Glossary(TINY, {}).explain(run)]
    assert words == min(every_cut(run), key=cost)


# Properties of the shipped table


@given(st.text())
def test_text_without_chinese_is_unchanged(shipped: Glossary, text: str) -> None:
    if not has_han(text):
        assert shipped.translate(text) == text


@given(
    st.text(alphabet=st.one_of(st.characters(exclude_categories=("Cs",)), st.sampled_from("猫狗的在雪地里跑，。 a1")))
)
def test_any_text_translates_and_is_explained_whole(shipped: Glossary, text: str) -> None:
    english = [word for _, word in shipped.explain(text) if word]
    if english:  # else it stays as it is
        assert [word for word in english if word not in shipped.translate(text)] == []
    assert "".join(word for word, _ in shipped.explain(text)) == "".join(c for c in text if has_han(c))


@given(st.lists(st.sampled_from([chinese for chinese, english in rows() if not english.startswith("=")]), min_size=1))
def test_known_words_in_a_row_leave_nothing_unknown(shipped: Glossary, words: list[str]) -> None:
    pairs = shipped.explain("".join(words))
    assert len(pairs) <= len(words)
    known = {chinese for chinese, _ in rows()}
    assert all(word in known for word, _ in pairs)


# The shipped table itself


def test_the_table_is_clean() -> None:
    text = SHIPPED.read_bytes().decode("utf-8")
    assert "\r" not in text
    assert text.endswith("\n")
    for line in text.splitlines():
        assert line == line.strip(), line
    chinese = [side for side, _ in rows()]
    assert len(chinese) == len(set(chinese))
    for side, english in rows():
        assert english.startswith("=") or (english.isascii() and english.isprintable()), side
        assert "  " not in english, side


def test_both_ways_of_writing_are_covered() -> None:
    """A character that Big5 (traditional text) does not have needs a traditional one that is read as it."""
    variants = {side: english[1] for side, english in rows() if english.startswith("=")}
    words = [side for side, english in rows() if not english.startswith("=")]
    assert not set(variants) & set("".join(words))
    assert not set(variants) & set(variants.values())
    written_alike = set("〇哐嘣噼擀狓獴着糍蝰蝽鮟鱇鱥鹮")
    for character in set("".join(words)) - set(variants.values()) - written_alike:
        assert character.encode("big5")


def test_it_is_broad(shipped: Glossary) -> None:
    assert len(shipped) > 10_000
    assert sum(english.startswith("=") for _, english in rows()) > 1_000


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("两只黑色的狗在雪地里跑", "two black dog snow running"),
        ("一隻小貓在沙發上睡覺", "a kitten on the sofa sleeping"),
        ("我想找一张生日蛋糕的照片", "a birthday cake photo"),
        ("下雨的声音和打雷", "raining sound and thunder"),
        ("婴儿在哭", "baby crying"),
        ("門鈴", "doorbell"),
        ("骑自行车的老爷爷", "riding a bicycle old man"),
        ("机器学习的数学基础", "machine learning mathematics basis"),
        ("老虎、狮子和3只iPhone手机", "tiger, lion and 3 iPhone cell phone"),
        ("不要红色的汽车", "without red car"),
        ("北京大学生", "Beijing college student"),
        ("捷運站", "subway station"),
        ("魑魅魍魉", "魑魅魍魉"),
    ],
)
def test_queries(shipped: Glossary, chinese: str, english: str) -> None:
    assert shipped.translate(chinese) == english


# What a person who edits the table is told


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("猫 cat", "line 2: there is no tab; write it as"),
        ("cat\t猫", "line 2: 'cat' is not made of Chinese characters only"),
        ("猫\t", "line 2: the English '' is empty or has stray white space"),
        ("猫\tcat ", "line 2: the English 'cat ' is empty or has stray white space"),
        ("猫\tcat\tpet", "line 2: the English .* stray white space"),
        ("貓猫\t=猫", "line 2: a variant is one character for one character"),
        ("狗\thound", "line 2: 狗 was given before; keep one of the two lines"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "glossary.tsv"
    path.write_text(f"狗\tdog\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        Glossary.load(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.tsv cannot be read as a glossary"):
        Glossary.load(tmp_path / "none.tsv")
    (tmp_path / "latin.tsv").write_bytes(b"caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.tsv cannot be read as a glossary"):
        Glossary.load(tmp_path / "latin.tsv")
