"""Drawings, however much stands before them, zipped or not."""

from __future__ import annotations

import gzip

import pytest
from tests.media.samples import corners

from duretrieval.errors import DamagedMedia, LimitExceeded, MediaError, UnsupportedMedia
from duretrieval.media import Kind, Limits, decode, svg
from duretrieval.types import Reading

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><title>Halves</title>'
    '<rect width="50" height="100" fill="red"/><rect x="50" width="50" height="100" fill="blue"/></svg>'
)
PREAMBLES = {
    "none": "",
    "a long comment": '<?xml version="1.0"?>\n<!-- ' + "words and <svg width='7' height='9'> and - \n" * 3000 + "-->",
    "many comments": "<!-- one -->\n" * 5000,
    "space": "\n \t" * 5000,
    "a long declaration": '<?xml version="1.0"' + " " * 9000 + "?>",
    "instructions": "<?xpacket begin=''?>" + "<?xml-stylesheet href='a.css'?>" * 500,
    "a doctype": '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x.y/svg11.dtd" [\n'
    + '<!ENTITY name "value">\n' * 1000
    + "]>",
}


def read(path, **limits):
    return decode(path, Reading(image_side=64), Limits(**limits))


def check(path) -> None:
    chunk = read(path)
    assert chunk.fields == {"kind": "image", "width": 100, "height": 100, "title": "Halves"}
    assert corners(chunk.parts[0].content) == "rbrb"


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("preamble", PREAMBLES)
def test_a_drawing_however_much_stands_before_it(tmp_path, preamble, encoding, zipped):
    data = (PREAMBLES[preamble] + DRAWING).encode(encoding)
    (tmp_path / "d").write_bytes(gzip.compress(data) if zipped else data)
    check(tmp_path / "d")


def test_a_gzip_in_pieces(tmp_path):
    (tmp_path / "d").write_bytes(gzip.compress(DRAWING[:60].encode()) + gzip.compress(DRAWING[60:].encode()))
    check(tmp_path / "d")


@pytest.mark.parametrize("bomb", [DRAWING + " " * 10**8, "<!--" + " " * 10**8 + "-->" + DRAWING])
def test_a_bomb_is_not_unpacked(tmp_path, bomb):
    (tmp_path / "d").write_bytes(gzip.compress(bomb.encode()))
    with pytest.raises((LimitExceeded, UnsupportedMedia), match=r"raise `max_chars`|a gzip archive"):
        read(tmp_path / "d")
    (tmp_path / "d").write_bytes(gzip.compress(DRAWING.encode() + b" " * 900))
    with pytest.raises(LimitExceeded, match="1,001 characters, above the limit of 1,000; raise `max_chars`"):
        read(tmp_path / "d", max_chars=1000)


def test_other_gzips_are_not_searched(tmp_path):
    (tmp_path / "d").write_bytes(gzip.compress(b"<!-- a comment --> and words"))
    with pytest.raises(UnsupportedMedia, match="a gzip archive, which is not searched"):
        read(tmp_path / "d")


def test_a_cut_drawing_says_so(tmp_path):
    (tmp_path / "d").write_bytes(gzip.compress(DRAWING.encode())[:-25])
    with pytest.raises(DamagedMedia, match=r"the drawing cannot be rendered|no <svg> element"):
        read(tmp_path / "d")


@pytest.mark.parametrize("words", ["words", "<!-- a comment that does not end", "<p>words</p>"])
def test_much_space_before_words(tmp_path, words):
    (tmp_path / "d").write_text("<!-- one -->\n" * 1000 + words)
    assert read(tmp_path / "d").fields["kind"] == "text"


@pytest.mark.parametrize(
    "drawing",
    [
        *("<!-- " * 200_000 + "<svg>", "<svg " * 200_000, "<svg>" + "<!ENTITY " * 200_000),
        '<svg><!ENTITY x "' + "&" * 500_000,
        *("<svg " + ":w" * 500_000 + ">", "<svg width='1' height='1'>" + "<title " * 200_000),
        "<svg width='1' height='1'>" + "href=" * 200_000,
    ],
)
def test_a_drawing_made_to_be_searched_for_ever_is_refused(tmp_path, drawing):
    (tmp_path / "d.svg").write_text(drawing)
    with pytest.raises(MediaError):
        next(svg.read(tmp_path / "d.svg", Kind.SVG, Reading(), Limits(), None))
