"""PDF and Office documents: words with their pages."""

import sys
import zipfile
from pathlib import Path

import media_files
import pytest
from media_files import write_docx, write_pdf, write_pptx, write_xlsx
from reading import LIMITS, READING, chunks

from duretrieval.errors import DamagedMedia, EmptyMedia, LimitExceeded, MissingExtra, UnsupportedMedia
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits


def paged(path: Path) -> list[tuple[int | None, str]]:
    return [(part.page, part.content) for chunk in chunks(path) for part in chunk.parts]


def test_pages_of_a_pdf(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", ("Grapes are pressed.", "", "Juice ferments."), title="On wine")
    chunk = decode(path, READING, LIMITS)
    assert chunk.fields == {"kind": "text", "pages": 3, "title": "On wine"}
    assert paged(path) == [(1, "Grapes are pressed."), (3, "Juice ferments.")]
    assert [(part.start_char, part.end_char) for part in chunk.parts] == [(0, 19), (0, 15)]


def test_five_hundred_pages_in_chunks(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [f"This is page {i}." for i in range(1, 651)])
    assert len(chunks(path)) == 2
    assert paged(path) == [(i, f"This is page {i}.") for i in range(1, 651)]


def test_too_many_pages(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", ["word"] * 3)
    with pytest.raises(LimitExceeded, match=r"it has 3 pages; the limit is 2 \(Limits.max_pages\)"):
        decode(path, READING, Limits(max_pages=2))


def test_a_scan(tmp_path: Path) -> None:
    with pytest.raises(EmptyMedia, match="none of its 2 pages holds text; a scan has to be read by a person or an OCR"):
        decode(write_pdf(tmp_path / "a.pdf", ("", "")), READING, LIMITS)


def test_a_locked_pdf(tmp_path: Path) -> None:
    data = write_pdf(tmp_path / "a.pdf").read_bytes()
    lock = (
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -44 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >> "
        b"/ID [<41> <41>] /Root"
    )
    (tmp_path / "a.pdf").write_bytes(data.replace(b"/Root", lock))
    with pytest.raises(DamagedMedia, match="it is locked with a password"):
        decode(tmp_path / "a.pdf", READING, LIMITS)


def test_a_pdf_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4\nand nothing more")
    with pytest.raises(DamagedMedia, match="it cannot be opened"):
        decode(tmp_path / "a.pdf", READING, LIMITS)


def test_a_damaged_page_costs_itself_only(tmp_path: Path) -> None:
    data = write_pdf(tmp_path / "a.pdf", ("one", "two", "three")).read_bytes()
    second = data.index(b"(two)")
    page = data.index(b"/Type /Page ", second)
    (tmp_path / "a.pdf").write_bytes(data[:page] + b"/Type /Pige " + data[page + 12 :])
    assert (1, "one") in paged(tmp_path / "a.pdf")
    assert (3, "three") in paged(tmp_path / "a.pdf")


def test_word(tmp_path: Path) -> None:
    path = write_docx(tmp_path / "a.docx", ("Invoice for grapes.", "应付款在五月。"))
    assert paged(path) == [(None, "Invoice for grapes.\n\n应付款在五月。\n\nBarrels | 12")]
    assert decode(path, READING, LIMITS).fields == {"kind": "text"}


def test_powerpoint(tmp_path: Path) -> None:
    path = write_pptx(tmp_path / "a.pptx", ("Harvest", "Cellar"))
    assert paged(path) == [(1, "Harvest\n\nSpeak slowly"), (2, "Cellar")]
    assert decode(path, READING, LIMITS).fields == {"kind": "text", "pages": 2}


def test_shapes_in_a_group(tmp_path: Path) -> None:
    import pptx

    show = pptx.Presentation()
    group = show.slides.add_slide(show.slide_layouts[6]).shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 100, 100).text_frame.text = "within a group"
    show.save(str(tmp_path / "a.pptx"))
    assert paged(tmp_path / "a.pptx") == [(1, "within a group")]


def test_excel(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", ("Prices", "Stock"))
    assert paged(path) == [(1, "Prices\nrow of Prices | 42"), (2, "Stock\nrow of Stock | 42")]
    assert decode(path, READING, LIMITS).fields == {"kind": "text", "pages": 2}


def test_no_words(tmp_path: Path) -> None:
    import pptx

    show = pptx.Presentation()
    show.slides.add_slide(show.slide_layouts[6])
    show.save(str(tmp_path / "a.pptx"))
    with pytest.raises(EmptyMedia, match="the document holds no text"):
        decode(tmp_path / "a.pptx", READING, LIMITS)


def test_a_document_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match=r"a text of .* million characters; the limit is .* \(Limits.max_chars\)"):
        decode(write_docx(tmp_path / "a.docx"), READING, Limits(max_chars=10))


def test_a_truncated_document(tmp_path: Path) -> None:
    path = write_docx(tmp_path / "a.docx")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DamagedMedia, match="the document is truncated or damaged"):
        decode(path, READING, LIMITS)


def test_a_document_that_unpacks_to_too_much(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.docx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "x")
        with archive.open("word/document.xml", "w", force_zip64=True) as entry:
            for _ in range(51):
                entry.write(bytes(10_000_000))
    with pytest.raises(LimitExceeded, match="it unpacks to 510 MB; the limit is 500"):
        decode(tmp_path / "a.docx", READING, LIMITS)


def test_a_package_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("[Content_Types].xml", "x")
    with pytest.raises(UnsupportedMedia, match="it is a package of parts, but no Word, PowerPoint or Excel document"):
        decode(tmp_path / "a.docx", READING, LIMITS)


def test_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("holiday.txt", "x")
    with pytest.raises(UnsupportedMedia, match="it is an archive, which holds nothing to find"):
        decode(tmp_path / "a.zip", READING, LIMITS)


@pytest.mark.parametrize(("suffix", "package"), [("docx", "docx"), ("pptx", "pptx"), ("xlsx", "openpyxl")])
def test_without_the_extra(suffix: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = getattr(media_files, f"write_{suffix}")(tmp_path / f"a.{suffix}")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"Office documents need {package}: pip install 'duretrieval\[office\]'"):
        decode(path, READING, LIMITS)
