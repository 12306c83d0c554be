"""Text is decoded by all of it: wherever what is not ASCII begins, whatever is damaged, whatever NULs lie about."""

from __future__ import annotations

import tracemalloc

import pytest

from duretrieval.media import Limits, decode, read_manifest
from duretrieval.media.charset import encoding_of_file, to_text
from duretrieval.media.signature import Kind, sniff
from duretrieval.types import Reading

SPRING = "春天的花园里开满了郁金香，孩子们在草地上奔跑。"
PLAIN = "INFO service started ok\n"
LAST = [
    *((e, SPRING) for e in ("utf-8", "gbk", "gb18030")),
    ("gb18030", "id 9999: 红鞋"),
    ("big5", "春天的花園裡開滿了鬱金香。"),
    ("shift_jis", "春の庭にチューリップが咲いている。"),
    ("euc_jp", "春の庭にチューリップが咲いている。"),
    ("euc_kr", "봄 정원에 튤립이 가득 피었습니다."),
    ("latin-1", "Le café est fermé, déjà."),
    ("latin-1", "Die Übergröße"),
    ("cp1252", "It’s “naïve”."),
    ("cp1250", "Wiosenny ogród pełen tulipanów, żółw śpi"),
    ("cp1251", "Весенний сад полон тюльпанов."),
    ("koi8-r", "Весенний сад полон тюльпанов."),
    ("utf-16-le", SPRING),
    ("utf-16-be", SPRING),
]


@pytest.mark.parametrize("lines", [0, 100, 4_000, 100_000])
@pytest.mark.parametrize(("encoding", "last"), LAST)
def test_the_last_words_tell_the_encoding(tmp_path, encoding, last, lines):
    text = PLAIN * lines + last + "\n" + PLAIN * (lines > 0)
    data = text.encode(encoding)
    (tmp_path / "t").write_bytes(data)
    assert to_text(data) == text
    assert data.decode(encoding_of_file(tmp_path / "t")) == text


@pytest.mark.parametrize(("encoding", "word"), [("gbk", "我们"), ("big5", "我們的"), ("shift_jis", "です")])
@pytest.mark.parametrize("shift", range(4))
def test_blocks_and_samples_may_end_within_a_character(tmp_path, encoding, word, shift):
    text = "x" * (2**20 - 3 + shift) + word * 30 + "y" * 3_000_000
    data = text.encode(encoding)
    (tmp_path / "t").write_bytes(data)
    assert to_text(data) == data.decode(encoding_of_file(tmp_path / "t")) == text


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("lines", [4, 40, 4_000])
@pytest.mark.parametrize("last", [f"{SPRING}\n第二行\n", "an English line\n\nand another\n"])
def test_a_log_that_goes_on_in_another_encoding(tmp_path, mark, encoding, lines, last):
    (tmp_path / "t").write_bytes(PLAIN.encode() * lines + (mark + last).encode(encoding))
    chunk = decode(tmp_path / "t", Reading(passage_chars=200_000), Limits())
    assert [part.content for part in chunk.parts] == [PLAIN * lines + last.rstrip()]


def test_a_large_file_is_looked_at_in_little_memory(tmp_path):
    (tmp_path / "t").write_bytes(PLAIN.encode() * 1_000_000 + SPRING.encode("gbk"))
    tracemalloc.start()
    try:
        assert encoding_of_file(tmp_path / "t") == "gb18030"
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_a_manifest_is_decoded_by_all_of_it(tmp_path):
    rows = "".join(f"{n},harbour cranes number {n}\n" for n in range(4_000))
    (tmp_path / "m.csv").write_bytes(f"id,text\n{rows}last,{SPRING}\n".encode("gbk"))
    assert list(read_manifest(tmp_path / "m.csv"))[-1].texts == {"text": (SPRING,)}


@pytest.mark.parametrize("text", [SPRING, "café naïve résumé déjà", "“Quoted” once"])
@pytest.mark.parametrize("bad", [b"\xff", b"\xe9", b"\xb4"])
def test_one_bad_byte_costs_itself(text, bad):
    data = PLAIN.encode() * 4_000 + text.encode() + b" " + bad + b" end"
    assert to_text(data).endswith(f"{text} \ufffd end")


def test_a_broken_character_among_many_leaves_chinese_chinese():
    text = to_text(SPRING.encode("gbk") * 50 + b"\xff " + SPRING.encode("gbk") * 50)
    assert text.count(SPRING) == 100


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Good day\0 to you all", "Good day to you all"),
        (b"tulips\0", "tulips"),
        (b"one\0two\0three\0\n" * 500, "onetwothree\n" * 500),
        (b"a log line\n" + b"\0" * 9_000, "a log line"),
        (b"\0\0\0after a crash, more words", "after a crash, more words"),
        (f"花园里\0{SPRING}".encode(), f"花园里{SPRING}"),
        (f"花园里\0{SPRING}".encode("gbk"), f"花园里{SPRING}"),
        (f"{SPRING}\n第二行\n".encode("utf-16-le"), f"{SPRING}\n第二行"),
        (f"{SPRING}\n第二行\n".encode("utf-16-be"), f"{SPRING}\n第二行"),
    ],
)
def test_text_with_nuls_is_text(tmp_path, data, text):
    (tmp_path / "t").write_bytes(data)
    chunk = decode(tmp_path / "t", Reading(passage_chars=20_000), Limits())
    assert [part.content for part in chunk.parts] == [text.strip()]


@pytest.mark.parametrize(
    "head",
    [
        b".snd\0\0\0\x18\0\0\0\0\0\0\0\x03" + b"\0" * 4000,
        b"Creative Voice File\x1a\x1a\0\x14\x01\x1f\x11\x08\x04\0\0\xaa\xf4" + b"\x80" * 4000,
        b"YUV4MPEG2 W64 H48 F25:1\nFRAME\n" + b"\0" * 4000,
        b"caff\0\x01\0\0desc" + b"\0" * 4000,
        b"MThd\0\0\0\x06\0\x01\0\x02",
        b"\0" * 4096,
    ],
)
def test_sounds_and_films_with_few_controls_are_not_text(head):
    assert sniff(head) is Kind.MEDIA
