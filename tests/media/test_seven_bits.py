"""Text that shifts ASCII into other scripts, in files of every kind that holds text."""

from __future__ import annotations

import pytest

from duretrieval.media import Kind, Limits, decode, read_manifest, sniff
from duretrieval.media.charset import encoding_of, to_text
from duretrieval.types import Reading

JAPANESE = "吾輩は猫である。名前はまだ無い。"
CHINESE = "我们今天去看一只猫，它很大。"
KOREAN = "나는 고양이로소이다. 이름은 아직 없다."
TEXTS = [
    ("iso2022_jp", JAPANESE),
    ("iso2022_jp_ext", "ﾈｺが好き、" + JAPANESE),
    ("iso2022_jp_2", "日本語と 한국어, 中国话"),
    ("iso2022_jp_2004", JAPANESE + "①"),
    ("iso2022_kr", KOREAN),
    ("hz", CHINESE),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
@pytest.mark.parametrize("before", ["", "ASCII first.\n", "line after line\n" * 100_000])
def test_a_text(encoding, text, before):
    text = before + text + "\nand ASCII again\n"
    assert to_text(text.encode(encoding)) == text


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_files(tmp_path, encoding, text):
    for name, before, after in (("a.txt", "A cat: ", ""), ("a.html", "<html><body><p>", "</p></body></html>")):
        (tmp_path / name).write_bytes((before + text + after).encode(encoding))
        (part,) = decode(tmp_path / name, Reading(), Limits()).parts
        assert text in part.content


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_a_manifest(tmp_path, encoding, text):
    text = text.replace(",", "")
    (tmp_path / "a.csv").write_bytes(f"id,text\r\n1,{text}\r\n2,plain\r\n".encode(encoding))
    assert [row.texts for row in read_manifest(tmp_path / "a.csv")] == [{"text": (text,)}, {"text": ("plain",)}]


def test_one_broken_character_costs_itself():
    data = JAPANESE.encode("iso2022_jp").replace(b"\x1b$B", b"\x1b$B\x2f\x7e", 1)
    assert to_text(data).endswith(JAPANESE[1:])


@pytest.mark.parametrize(
    "text",
    [
        "a log with \x1b[31mred\x1b[0m and \x1b(B\x1b[m in it",
        "a line \x1b(0lqqk\x1b(B drawn by a terminal",
        '(format t "~{~a~^, ~}" list)',
        '(format nil "~{ab~}" list) and ~{name~} and cd ~/{a,b}',
        "approx ~{5} of ~{6}",
        "\x1b[0m" * 10,
    ],
)
def test_signs_that_shift_nothing(text):
    assert encoding_of(text.encode()) == "utf-8"
    assert to_text(text.encode()) == text


def test_signs_in_a_text_beyond_ascii_are_characters():
    text = "naïve \x1b$B café ~{ab~}" * 3
    assert to_text(text.encode()) == text


def test_controls_without_the_korean_sign_are_no_text():
    data = b"\x0e\x0f" * 40 + b"abc"
    assert sniff(data) is Kind.MEDIA
    assert sniff(b"\x1b$)C" + data) is Kind.TEXT
