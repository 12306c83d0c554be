"""Texts and documents: passages that keep their place, in any encoding."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.media.samples import write_docx, write_pdf, write_pptx, write_xlsx

from duretrieval.errors import ConfigError, DamagedMedia, EmptyMedia, LimitExceeded, UnsupportedMedia
from duretrieval.media import Limits, decode
from duretrieval.media.charset import to_text
from duretrieval.media.document import text_of
from duretrieval.media.passages import split, width
from duretrieval.media.pdf import open_document
from duretrieval.types import Reading

READING = Reading()
LIMITS = Limits()
CHINESE = "今天天气很好，我们去公园散步。看见一只小猫坐在树下！"
TRADITIONAL = "今天天氣很好，我們去公園散步。看見一隻小貓坐在樹下！"


def read(path, reading=READING, limits=LIMITS):
    parts, fields, start, first = [], {}, None, True
    while first or start is not None:
        chunk = decode(path, reading, limits, start)
        parts, fields, start, first = [*parts, *chunk.parts], fields or chunk.fields, chunk.next, False
    return parts, fields


def texts(path, **options):
    return [part.content for part in read(path, **options)[0]]


def put(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_passages_by_eye():
    text = "One.\n\nTwo is longer. It has two sentences.\n\n三。四！"
    assert [text[slice(*span)] for span in split(text, 16)] == [
        "One.",
        "Two is longer.",
        "It has two",
        "sentences.",
        "三。四！",
    ]
    assert [text[slice(*span)] for span in split(text, 600)] == [text]


@given(st.text(st.sampled_from("ab 猫狗。！？.!?\n\t，”"), max_size=300), st.integers(2, 60))
def test_passages_lose_nothing_and_fit(text, limit):
    spans = list(split(text, limit))
    covered = {i for start, end in spans for i in range(start, end)}
    assert all(width(text[start:end]) <= limit and text[start:end].strip() == text[start:end] for start, end in spans)
    assert all(end <= following for (_, end), (following, _) in pairwise(spans))
    assert all(text[i].isspace() for i in range(len(text)) if i not in covered)


@given(st.text(st.sampled_from("ab 猫狗。！？.!?\n\t，”"), max_size=300), st.integers(2, 60), st.integers(0, 20))
def test_passages_after_one_are_those_of_the_whole(text, limit, n):
    spans = list(split(text, limit))
    assert [list(split(text, limit, begin=end)) for _, end in spans[n : n + 1]] == [spans[n + 1 :]] * len(
        spans[n : n + 1]
    )


def test_a_limit_below_one_character_is_refused():
    with pytest.raises(ConfigError, match="passage_chars is 1; it must be at least 2"):
        list(split("猫", 1))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *((e, CHINESE) for e in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030", "gbk")),
        ("big5", TRADITIONAL),
        ("gbk", "id,名称\n1,红鞋\n"),
        ("big5", "紅鞋，貓"),
        ("euc_kr", "안녕하세요 오늘 날씨가 좋네요"),
        ("euc_jp", "これは日本語のテキストです。今日はとても天気が良いです。"),
        ("utf-16-le", "no mark at all"),
        ("utf-16-be", "no mark at all"),
        ("shift_jis", "これは日本語のテキストです。今日はとても天気が良いです。"),
        ("gb18030", "产品说明书"),
        ("big5", "牛肉麵 28元"),
        ("euc_jp", "犬は人間の良い友達です。"),
        ("shift_jis", "犬は人間の良い友達です。"),
        ("euc_kr", "개는 인간의 좋은 친구입니다."),
        ("cp1251", "Собака лучший друг человека."),
        ("koi8-r", "Собака лучший друг человека."),
        ("cp1252", "Où est le café près de l'hôtel ? Déjà fermé, à côté."),
        ("cp1252", "Der Hund läuft über die Straße und hört nichts."),
        ("cp1250", "Pies jest najlepszym przyjacielem człowieka. Koń też, ale większy. Żółw śpi."),
        ("cp1253", "Ο σκύλος είναι ο καλύτερος φίλος."),
        ("cp1251", "Сегодня хорошая погода, мы гуляли в парке и видели кошку."),
    ],
)
def test_encodings(tmp_path, encoding, text):
    assert texts(put(tmp_path / "t", text, encoding)) == [text.strip()]


def test_long_legacy_texts_are_decoded_as_a_whole():
    assert to_text((TRADITIONAL + "\n").encode("big5") * 5000) == (TRADITIONAL + "\n") * 5000


@pytest.mark.parametrize(
    ("encoding", "word"), [("gb18030", "我们"), ("big5", "我們的"), ("shift_jis", "です"), ("euc_kr", "우리")]
)
def test_a_sample_that_ends_within_a_character(encoding, word):
    text = "x" + word * 60_000
    assert to_text(text.encode(encoding)) == text


def test_damaged_utf8_stays_utf8():
    data = (CHINESE * 20).encode()
    assert to_text(data[:300] + b"\xff" + data[300:]).replace("\ufffd", "") == CHINESE * 20
    assert to_text(data[:-1])[:-1] == (CHINESE * 20)[:-1]


def test_places_over_many_chunks(tmp_path):
    text = "\n\n".join(f"Paragraph {n}. 第{n}段。" + "x " * 200 for n in range(3000))
    parts, _ = read(put(tmp_path / "t", text))
    assert len(parts) > 2000
    assert all(text[part.start_char : part.end_char] == part.content for part in parts)
    assert "".join("".join(part.content.split()) for part in parts) == "".join(text.split())


@pytest.mark.slow
@pytest.mark.parametrize("text", ["word. " * 500_000, "x" * 3_000_000, "狗是。\n" * 700_000])
def test_millions_of_characters(tmp_path, text):
    """Each chunk begins where the one before ended: in quadratic time this would take minutes."""
    parts, _ = read(put(tmp_path / "t", text))
    spans = [(part.start_char, part.end_char) for part in parts]
    assert (spans[0][0], spans[-1][1]) == (0, len(text.rstrip()))
    assert all(text[end:start].strip() == "" for (_, end), (start, _) in pairwise(spans))


def test_markdown_title(tmp_path):
    assert read(put(tmp_path / "t", "# A *title*\n\nWords."))[1] == {"kind": "text", "title": "A *title*"}


PAGE = """<!doctype html><html><head><title>My  page</title><style>x{}</style></head><body><h1>Head</h1>
<p>One <b>bold</b> word.<p>Two.<ul><li>a<li>b</ul><script>bad()</script><table><tr><td>c<td>d</table></body></html>"""


def test_html(tmp_path):
    parts, fields = read(put(tmp_path / "t", PAGE))
    assert fields["title"] == "My page"
    assert parts[0].content == "Head\n\nOne bold word.\n\nTwo.\n\na\nb\n\nc d"


def test_html_in_what_it_says(tmp_path):
    page = f'<html><head><meta charset="gb2312"></head><body>{CHINESE}</body></html>'
    assert texts(put(tmp_path / "t", page, "gbk")) == [CHINESE]


def test_pdf(tmp_path):
    path = write_pdf(tmp_path / "d.pdf", ["Hello world.\nSecond line.", "", "第三页：中文。"], title="标题")
    parts, fields = read(path)
    assert [(part.page, part.content) for part in parts] == [(1, "Hello world.\nSecond line."), (3, "第三页：中文。")]
    assert fields == {"kind": "text", "pages": 3, "title": "标题"}


def test_pdf_of_many_pages_keeps_its_places(tmp_path):
    path = write_pdf(tmp_path / "d.pdf", [f"This is page {n}." for n in range(1, 201)])
    parts, _ = read(path)
    assert [part.content for part in parts] == [f"This is page {part.page}." for part in parts]
    with open_document(path) as document:
        whole = text_of(document)
    assert all(whole[part.start_char : part.end_char] == part.content for part in parts)
    with pytest.raises(LimitExceeded, match="200 pages, above the limit of 100; raise `max_pages`"):
        read(path, limits=Limits(max_pages=100))


def test_a_scanned_pdf_says_so(tmp_path):
    with pytest.raises(EmptyMedia, match="if it was scanned, run text recognition"):
        read(write_pdf(tmp_path / "d.pdf", ["", ""]))


def test_a_broken_pdf_says_so(tmp_path):
    with pytest.raises(DamagedMedia, match="begins as a PDF does but cannot be opened"):
        read(put(tmp_path / "d", "%PDF-1.7 and nothing"))


def test_office(tmp_path):
    path = write_docx(tmp_path / "d.docx", ["One.", "二。"], [["a", "b"], ["c", "d"]])
    assert texts(path) == ["One.\n\n二。\n\na | b\nc | d"]
    parts, fields = read(write_pptx(tmp_path / "d.pptx", ["Slide one", "幻灯片"]))
    assert [(part.page, part.content) for part in parts] == [(1, "Slide one"), (2, "幻灯片")]
    assert fields["pages"] == 2
    parts, _ = read(write_xlsx(tmp_path / "d.xlsx", {"Prices": [["x", 1], ["y", 2.5]], "空": [["z", None]]}))
    assert [(part.page, part.content) for part in parts] == [(1, "Prices\nx | 1\ny | 2.5"), (2, "空\nz")]


def test_a_cut_office_file_says_so(tmp_path):
    path = write_docx(tmp_path / "d.docx", ["One."])
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DamagedMedia, match="begins as an Office file does but is not whole"):
        read(path)
    with pytest.raises(LimitExceeded, match="bytes when unpacked, above the limit"):
        read(write_docx(path, ["One."]), limits=Limits(memory_bytes=1000))


@pytest.mark.parametrize("text", ["ID3 tags", "GIF89a", "BZh", "OTTO", "8BPS", "OggS", "The ftyp box", "See %PDF-1.7"])
def test_words_that_begin_as_a_format_does(tmp_path, text):
    assert texts(put(tmp_path / "t", f"{text} and what they mean.")) == [f"{text} and what they mean."]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", EmptyMedia, "no bytes"),
        (b" \n ", EmptyMedia, "no text"),
        (b"PK\3\4" + b"\0" * 26 + b"a.txt", UnsupportedMedia, "a zip archive, which is not searched"),
        (b"\x7fELF\2" + b"\0" * 60, UnsupportedMedia, "a program or library"),
        (b"MZ\x90\0" + b"\0" * 60, UnsupportedMedia, "a Windows program"),
        (b"{\\rtf1 hello}", UnsupportedMedia, "save it as .docx"),
        (b"x" * 500, LimitExceeded, "500 bytes of text, above the limit of 40; raise `max_chars`"),
    ],
)
def test_what_cannot_be_read(tmp_path, content, error, message):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(error, match=message):
        read(tmp_path / "f", limits=Limits(max_chars=10))


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(ValueError, match="cannot be opened: no such file"):
        read(tmp_path / "none")
    (tmp_path / "f").write_text("four")
    with pytest.raises(LimitExceeded, match="4 bytes, above the limit of 3; raise `max_bytes`"):
        read(tmp_path / "f", limits=Limits(max_bytes=3))
