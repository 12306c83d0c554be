"""Texts of every kind come as passages that keep their place."""

from dataclasses import replace
from pathlib import Path

import media_files
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import LIMITS, READING, chunks

from duretrieval.errors import EmptyMedia, LimitExceeded, UnsupportedMedia
from duretrieval.media.charset import decoded
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits
from duretrieval.media.passages import passages, width
from duretrieval.types import Modality

SHORT = replace(READING, passage_chars=20)
PROSE = st.text(st.sampled_from("ab .,!?\n\t狗是。，、！…\"')」"), max_size=300)


def words(path: Path, reading=READING) -> list[str]:
    return [part.content for part in decode(path, reading, LIMITS).parts]


def cut(text: str, reading=SHORT) -> list[str]:
    return [part.content for part in passages(text, reading)]


def test_paragraphs_first() -> None:
    assert cut("One of these.\n\nAnd two of those.") == ["One of these.", "And two of those."]
    assert cut("One.\n\nTwo.") == ["One.\n\nTwo."]


def test_then_sentences_then_words_then_the_limit() -> None:
    assert cut("A dog barked. A cat ran away.") == ["A dog barked.", "A cat ran away."]
    assert cut("a dog barked at the cat that ran") == ["a dog barked at the", "cat that ran"]
    assert cut("x" * 45) == ["x" * 20, "x" * 20, "x" * 5]


def test_chinese_counts_two_and_ends_without_a_space() -> None:
    assert width("狗ab") == 4
    assert cut("狗是人类的朋友。猫喜欢吃鱼。") == ["狗是人类的朋友。", "猫喜欢吃鱼。"]
    assert cut("狗" * 25) == ["狗" * 10, "狗" * 10, "狗" * 5]


@given(PROSE, st.integers(1, 40), st.integers(0, 1000))
def test_places_are_true_and_nothing_is_lost(text: str, limit: int, offset: int) -> None:
    found = list(passages(text, replace(READING, passage_chars=limit), page=3, offset=offset))
    end = offset
    for part in found:
        assert text[part.start_char - offset : part.end_char - offset] == part.content
        assert part.content == part.content.strip() != ""
        assert not text[end - offset : part.start_char - offset].strip()
        assert (part.modality, part.page) == (Modality.TEXT, 3)
        end = part.end_char
    assert not text[end - offset :].strip()


@given(PROSE, st.integers(2, 40))
def test_no_passage_is_past_the_limit(text: str, limit: int) -> None:
    assert all(width(passage) <= limit for passage in cut(text, replace(READING, passage_chars=limit)))


TEXT = {
    "zh": "狗是人类的好朋友。价格：12元。",
    "tw": "狗是人類的好朋友。",
    "ja": "犬は人間の良い友達です。",
    "ko": "개는 인간의 좋은 친구입니다.",
    "ru": "Собака лучший друг человека, и это правда.",
    "de": "Der Hund läuft über die Straße und hört nichts.",
    "pl": "Pies jest najlepszym przyjacielem człowieka. Koń też, ale większy. Żółw śpi.",
    "fr": "Où est le café près de l'hôtel ? Déjà fermé, à côté.",
}


@pytest.mark.parametrize(
    ("language", "encoding"),
    [(language, encoding) for language in TEXT for encoding in ("utf-8", "utf-8-sig", "utf-16")]
    + [("zh", "gb18030"), ("tw", "big5"), ("ja", "euc_jp"), ("ja", "shift_jis"), ("ko", "euc_kr")]
    + [("ru", "cp1251"), ("fr", "cp1252"), ("fr", "latin-1"), ("de", "cp1252"), ("pl", "cp1250")],
)
def test_encodings(language: str, encoding: str, tmp_path: Path) -> None:
    path = media_files.write_text(tmp_path / "a.txt", TEXT[language], encoding)
    assert words(path) == [TEXT[language]]


@pytest.mark.parametrize(
    "text", ["产品说明书", "葡萄压榨后，果汁静置发酵，酒窖里很凉。", "牛肉面 28元", "我爱北京天安门"]
)
def test_short_chinese(text: str) -> None:
    assert decoded(text.encode("gb18030")) == text


@pytest.mark.parametrize("text", ["產品說明書", "葡萄壓榨後，果汁靜置發酵，酒窖裡很涼。", "牛肉麵 28元"])
def test_short_traditional_chinese(text: str) -> None:
    assert decoded(text.encode("big5")) == text


def test_a_text_cut_within_a_character(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("友谊长存".encode()[:-1])
    assert words(tmp_path / "a.txt") == ["友谊长"]


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "shift_jis"])
def test_a_sample_cut_within_a_character(encoding: str) -> None:
    text = {"gb18030": "我们", "big5": "我們", "shift_jis": "です"}[encoding]
    assert decoded(b"x" + (text * 60_000).encode(encoding)) == "x" + text * 60_000


def test_no_text_in_any_encoding() -> None:
    with pytest.raises(UnsupportedMedia, match="it is neither text in any known encoding nor a known kind of file"):
        decoded(bytes(range(128, 256)) * 4 + b"\x81\x00\xff" * 7)


def test_only_white_space(tmp_path: Path) -> None:
    with pytest.raises(EmptyMedia, match="it holds no text"):
        decode(media_files.write_text(tmp_path / "a.txt", " \n\n\t\n"), READING, LIMITS)


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(EmptyMedia, match="the file is empty"):
        decode(media_files.write_text(tmp_path / "a.txt", ""), READING, LIMITS)


def test_too_long(tmp_path: Path) -> None:
    path = media_files.write_text(tmp_path / "a.txt", "word " * 500)
    expected = r"a text of 0.0025 million characters; the limit is 0.001 \(Limits.max_chars\)"
    with pytest.raises(LimitExceeded, match=expected):
        decode(path, READING, Limits(max_chars=1000))
    with pytest.raises(LimitExceeded, match=r"the limit is 0.0001 \(Limits.max_chars\)"):
        decode(path, READING, Limits(max_chars=100))


@pytest.mark.parametrize("joint", [" ", "\n", "\n\n", "。"])
def test_a_long_text_in_chunks(joint: str, tmp_path: Path) -> None:
    """Every word once, in order, over five chunks."""
    numbers = [f"word{i}" for i in range(20_000)]
    path = media_files.write_text(tmp_path / "a.txt", joint.join(numbers))
    text = path.read_text(encoding="utf-8")
    found = chunks(path, SHORT)
    parts = [part for chunk in found for part in chunk.parts]
    assert len(found) == -(-len(parts) // 2000) >= 5
    assert all(text[part.start_char : part.end_char] == part.content for part in parts)
    assert "".join("".join(part.content for part in parts).split()).replace("。", "") == "".join(numbers)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["word. " * 1_600_000, "x" * 10_000_000, "狗是。\n" * 2_000_000])
def test_ten_million_characters(text: str, tmp_path: Path) -> None:
    path = media_files.write_text(tmp_path / "a.txt", text)
    parts = [part for chunk in chunks(path) for part in chunk.parts]
    assert (parts[0].start_char, parts[-1].end_char) == (0, len(text.rstrip()))


def test_markdown_keeps_its_signs(tmp_path: Path) -> None:
    path = media_files.write_markdown(tmp_path / "a.md")
    [passage] = words(path)
    assert passage.startswith("# Wine\n\nGrapes are pressed.")


def test_a_page_without_its_scripts(tmp_path: Path) -> None:
    path = media_files.write_html(
        tmp_path / "a.html",
        "<h1>Wine</h1><p>Grapes <b>are</b> pressed.<br>Juice ferments.</p><script>var hidden = 1;</script>"
        "<style>p { color: red }</style><!-- a remark --><svg><text>a drawing</text></svg>"
        "<table><tr><td>oak</td><td>steel</td></tr></table>",
        title="On  wine\n and oak",
    )
    chunk = decode(path, READING, LIMITS)
    assert chunk.fields == {"kind": "text", "title": "On wine and oak"}
    text = " ".join(" ".join(part.content for part in chunk.parts).split())
    assert text == "Wine Grapes are pressed. Juice ferments. oak steel"


def test_a_page_says_its_encoding(tmp_path: Path) -> None:
    page = "<html><head><meta charset='gb2312'><title>狗</title></head><body><p>狗是好朋友。</p></body></html>"
    path = media_files.write_text(tmp_path / "a.html", page, "gb18030")
    chunk = decode(path, READING, LIMITS)
    assert (chunk.fields["title"], chunk.parts[0].content) == ("狗", "狗是好朋友。")


def test_a_page_of_scripts_only(tmp_path: Path) -> None:
    path = media_files.write_html(tmp_path / "a.html", "<script>var hidden = 1;</script>")
    with pytest.raises(EmptyMedia, match="it holds no text"):
        decode(path, READING, LIMITS)


def test_a_page_that_is_too_long(tmp_path: Path) -> None:
    path = media_files.write_html(tmp_path / "a.html", "<p>word</p>" * 500)
    with pytest.raises(LimitExceeded, match=r"a text of 0.00.* million characters; the limit is 0.001"):
        decode(path, READING, Limits(max_chars=1000))
