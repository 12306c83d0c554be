"""What people note on documents, sheets and slides, and what is printed around sheets."""

from __future__ import annotations

import docx
import openpyxl
import pytest
from openpyxl.comments import Comment
from tests.media.test_office import OFFICE, A, W, pack, pages, par, sheet, word


def test_comments_in_a_document(tmp_path):
    document = docx.Document()
    words = document.add_paragraph("The text.").runs
    document.add_comment(words, text="Is this so?", author="Ann")
    document.save(tmp_path / "d.docx")
    assert pages(tmp_path / "d.docx") == ["The text.\n\nIs this so?"]


def test_a_document_s_notes_and_comments_come_after_it_in_order(tmp_path):
    main = "word/document.xml"
    parts = {main: word(f"<w:body>{par('body')}</w:body>")}
    parts |= {
        f"word/{name}.xml": word(f"<w:{name}>{par('a ' + name)}</w:{name}>") for name in ("comment", "end", "foot")
    }
    links = [
        (main, "a", "comments", "word/comment.xml"),
        (main, "b", "endnotes", "word/end.xml"),
        (main, "c", "footnotes", "word/foot.xml"),
    ]
    assert pages(pack(tmp_path / "d", main, parts, links)) == ["body\n\na foot\n\na end\n\na comment"]


def test_notes_on_cells(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "Total"
    book.active["A1"].comment = Comment("Ann:\ncheck this", "Ann")
    book.save(tmp_path / "d.xlsx")
    assert pages(tmp_path / "d.xlsx") == ["Sheet\nTotal\nAnn:\ncheck this"]


def write_conversation(path):
    main = "xl/workbook.xml"
    copy = "<comment authorId='0'><text><t>[Threaded comment] Your version ... Why one?</t></text></comment>"
    note = "<comment authorId='1'><text><r><t>a </t></r><r><t>note</t></r></text></comment>"
    parts = {
        main: f"<workbook xmlns:r='{OFFICE}'><sheets><sheet name='S' r:id='s'/></sheets></workbook>",
        "xl/s.xml": "<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>",
        "xl/c.xml": f"<comments><authors><author>tc={{1}}</author><author>Ann</author></authors>"
        f"<commentList>{copy}{note}</commentList></comments>",
        "xl/t.xml": "<ThreadedComments><threadedComment><text>Why one?</text></threadedComment>"
        "<threadedComment><text>Because.</text></threadedComment></ThreadedComments>",
    }
    links = [
        (main, "s", "worksheet", "xl/s.xml"),
        ("xl/s.xml", "c", "comments", "xl/c.xml"),
        ("xl/s.xml", "t", "threadedComment", "xl/t.xml"),
    ]
    return pack(path, main, parts, links)


def test_a_conversation_on_a_cell_is_there_once(tmp_path):
    assert pages(write_conversation(tmp_path / "d")) == ["S\n1\nWhy one?\nBecause.\na note"]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("<oddHeader>&amp;L&amp;\"Arial,Bold\"&amp;12Report&amp;C&amp;K00FF00Q&amp;&amp;A</oddHeader>", "Report Q&A"),
        ("<oddHeader>once</oddHeader><evenHeader>once</evenHeader>", "once"),
        ("<oddHeader>&amp;P</oddHeader><oddFooter>&amp;RSecret</oddFooter>", "Secret"),
    ],
)  # fmt: skip
def test_what_is_printed_around_a_sheet(tmp_path, said, text):
    path = sheet(tmp_path / "d", "<row><c><v>1</v></c></row>")
    rows = "<row><c><v>1</v></c></row></sheetData><headerFooter>" + said + "</headerFooter><sheetData>"
    assert pages(sheet(path, rows)) == [f"S\n1\n{text}"]


@pytest.mark.parametrize(
    "comments",
    [
        "<cmLst><cm><pos/><text>Too long?</text></cm></cmLst>",
        f"<cmLst xmlns:a='{A}'><cm><txBody><a:p><a:r><a:t>Too long?</a:t></a:r></a:p></txBody></cm></cmLst>",
    ],
)
def test_comments_on_a_slide(tmp_path, comments):
    main, slide = "ppt/p.xml", "ppt/s.xml"
    shape = "<sp><txBody><a:p><a:r><a:t>Slide</a:t></a:r></a:p></txBody></sp>"
    parts = {
        main: f"<presentation xmlns:r='{OFFICE}'><sldIdLst><sldId id='256' r:id='s'/></sldIdLst></presentation>",
        slide: f"<sld xmlns:a='{A}'><cSld><spTree>{shape}</spTree></cSld></sld>",
        "ppt/c.xml": comments,
    }
    links = [(main, "s", "slide", slide), (slide, "c", "comments", "ppt/c.xml")]
    assert pages(pack(tmp_path / "d", main, parts, links)) == ["Slide\n\nToo long?"]


def test_halves_of_a_character_become_one(tmp_path):
    path = sheet(tmp_path / "d", "<row><c t='str'><v>_xD83D__xDE00_ _xD83D_</v></c></row>")
    assert pages(path) == ["S\n😀 \ufffd"]


def test_a_slide_of_many_shapes_is_read_in_order(tmp_path):
    shapes = "".join(f"<sp><txBody><a:p><a:r><a:t>{n}</a:t></a:r></a:p></txBody></sp>" for n in range(30))
    main, slide = "ppt/p.xml", "ppt/s.xml"
    parts = {
        main: f"<presentation xmlns:r='{OFFICE}'><sldIdLst><sldId id='256' r:id='s'/></sldIdLst></presentation>",
        slide: f"<sld xmlns:a='{A}' xmlns:w='{W}'><cSld><spTree><grpSp>{shapes}</grpSp>{shapes}</spTree></cSld></sld>",
    }
    text = "\n\n".join(map(str, [*range(30), *range(30)]))
    assert pages(pack(tmp_path / "d", main, parts, [(main, "s", "slide", slide)])) == [text]
