"""All that a person sees of an Office file, whatever wraps it and whatever it claims, and nothing that was deleted."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time

import docx
import openpyxl
import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from tests.media.samples import write_docx, write_pptx, write_xlsx

from duretrieval.errors import DamagedMedia, LimitExceeded, UnsupportedMedia
from duretrieval.media import Limits, decode
from duretrieval.types import Reading

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"


def pages(path):
    return [part.content for part in decode(path, Reading(passage_chars=5_000), Limits()).parts]


def pack(path, main, parts, relations=(), types=OFFICE):
    """A package by hand: relations (from, id, kind, to)."""
    links = {"": [("main", "officeDocument", main)]}
    for source, name, kind, target in relations:
        links.setdefault(source, []).append((name, kind, target))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for source, named in links.items():
            folder, _, name = source.rpartition("/")
            inner = "".join(f'<Relationship Id="{i}" Type="{types}/{k}" Target="/{t}"/>' for i, k, t in named)
            archive.writestr(f"{folder}/_rels/{name}.rels".lstrip("/"), f"<Relationships>{inner}</Relationships>")
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def run(text):
    return f"<w:r><w:t>{text}</w:t></w:r>"


def par(text):
    return f"<w:p>{run(text)}</w:p>"


def cell(text):
    return f"<w:tc>{par(text)}</w:tc>"


def word(body, root="document"):
    spaces = f'xmlns:w="{W}" xmlns:a="{A}" xmlns:r="{OFFICE}" xmlns:v="v" xmlns:mc="mc" xmlns:c="c" xmlns:dgm="dgm"'
    return f"<w:{root} {spaces}>{body}</w:{root}>"


def control(inner, properties="<w:alias w:val='never'/>"):
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{inner}</w:sdtContent></w:sdt>"


def box(text):
    return f"<w:txbxContent>{par(text)}</w:txbxContent>"


BODIES = [
    (control(par("in a block")), "in a block"),
    (control(control(par("in two"))), "in two"),
    (f"<w:p>{run('a ')}{control(run('b'))}{run(' c')}</w:p>", "a b c"),
    (f"<w:p>{run('a ')}<w:ins>{run('b')}</w:ins><w:del><w:r><w:delText>no</w:delText></w:r></w:del></w:p>", "a b"),
    (f"<w:ins>{par('whole')}</w:ins>", "whole"),
    (f"<w:p><w:moveFrom>{run('no')}</w:moveFrom><w:moveTo>{run('moved')}</w:moveTo></w:p>", "moved"),
    (f"<w:p><w:smartTag><w:smartTagPr/>{run('smart')}</w:smartTag></w:p>", "smart"),
    (f"<w:p><w:hyperlink><w:ins>{run('link')}</w:ins></w:hyperlink></w:p>", "link"),
    (f"<w:p><w:fldSimple w:instr='PAGE'>{run('field')}</w:fldSimple></w:p>", "field"),
    (f"<w:p><w:r><w:instrText>PAGE</w:instrText></w:r>{run('7')}</w:p>", "7"),
    ("<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/></w:r></w:p>", "a\tb"),
    (f"<w:p>{run('before')}<w:r><w:pict><v:textbox>{box('boxed')}</v:textbox></w:pict></w:r></w:p>", "before\n\nboxed"),
    (
        f"<w:p><w:r><mc:AlternateContent><mc:Choice>{box('once')}</mc:Choice><mc:Fallback>{box('once')}</mc:Fallback>"
        f"</mc:AlternateContent></w:r></w:p>{par('after')}",
        "once\n\nafter",
    ),
    (
        "<w:p><w:r><mc:AlternateContent><mc:Choice><a:blip/></mc:Choice>"
        f"<mc:Fallback>{box('old way')}</mc:Fallback></mc:AlternateContent></w:r></w:p>",
        "old way",
    ),
    ("<w:p><w:r><w:pict><v:shape><v:textpath string='DRAFT'/></v:shape></w:pict></w:r></w:p>", "DRAFT"),
    (f"<w:p><w:ruby><w:rt>{run('kan')}</w:rt><w:rubyBase>{run('漢')}</w:rubyBase></w:ruby></w:p>", "漢(kan)"),
    (
        f"<w:tbl><w:tr>{cell('a')}<w:tc>{control(par('b'))}</w:tc></w:tr>"
        + control(f"<w:tr>{cell('c')}{control(cell('d'))}</w:tr>")
        + "</w:tbl>",
        "a | b\nc | d",
    ),
    (f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr>{cell('no')}</w:tr></w:tbl>{par('yes')}", "yes"),
    (f"<w:tbl><w:tr><w:tc><w:tbl><w:tr>{cell('deep')}</w:tr></w:tbl></w:tc></w:tr></w:tbl>", "deep"),
]


@pytest.mark.parametrize(("body", "text"), BODIES)
@pytest.mark.parametrize("types", [OFFICE, STRICT])
def test_what_a_document_shows(tmp_path, body, text, types):
    parts = {"word/document.xml": word(f"<w:body>{body}</w:body>")}
    assert pages(pack(tmp_path / "d", "word/document.xml", parts, types=types)) == [text]


def test_a_document_and_what_is_around_it(tmp_path):
    main = "word/document.xml"
    ends = "".join(f"<w:headerReference r:id='{n}'/>" for n in ("h1", "h2")) + "<w:footerReference r:id='f'/>"
    drawn = "<c:chart r:id='chart'/><dgm:relIds r:dm='data' r:lo='none'/>"
    parts = {
        main: word(f"<w:body><w:p><w:r>{drawn}</w:r></w:p>{par('body')}<w:sectPr>{ends}</w:sectPr></w:body>"),
        **{f"word/h{n}.xml": word(par("head"), "hdr") for n in (1, 2)},
        "word/f.xml": word(par("foot"), "ftr"),
        "word/n.xml": word(f"<w:footnote>{par('a note')}</w:footnote>", "footnotes"),
        "word/e.xml": word(f"<w:endnote>{par('an end')}</w:endnote>", "endnotes"),
        "word/c.xml": f"<c:s xmlns:c='c' xmlns:a='{A}'><c:chart><a:p><a:r><a:t>Sales</a:t></a:r></a:p>"
        "<c:strCache><c:pt><c:v>North</c:v></c:pt><c:pt><c:v>South</c:v></c:pt></c:strCache></c:chart></c:s>",
        "word/data.xml": f"<d xmlns:a='{A}'><pt><t><a:p><a:r><a:t>Step</a:t></a:r></a:p></t></pt></d>",
    }
    links = [("h1", "header"), ("h2", "header"), ("f", "footer"), ("n", "footnotes"), ("e", "endnotes")]
    relations = [(main, name, kind, f"word/{name}.xml") for name, kind in links]
    relations += [(main, "chart", "chart", "word/c.xml"), (main, "data", "diagramData", "word/data.xml")]
    path = pack(tmp_path / "d", main, parts, relations)
    assert pages(path) == ["head\n\nSales\n\nNorth | South\n\nStep\n\nbody\n\na note\n\nan end\n\nfoot"]


@pytest.mark.parametrize(
    "held",
    [
        "<html><body>page of <b>tulips</b></body></html>",
        "MIME-Version: 1.0\nContent-Type: text/html\n\n<html><body>page of <b>tulips</b></body></html>",
    ],
)
def test_a_page_put_into_a_document(tmp_path, held):
    main = "word/document.xml"
    parts = {main: word(f"<w:body>{par('before')}<w:altChunk r:id='a'/>{par('after')}</w:body>"), "word/a.x": held}
    assert pages(pack(tmp_path / "d", main, parts, [(main, "a", "aFChunk", "word/a.x")])) == [
        "before\n\npage of tulips\n\nafter"
    ]


def test_merged_cells_are_read_once(tmp_path):
    document = docx.Document()
    table = document.add_table(2, 2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(1, 0).text = "a"
    document.save(tmp_path / "d.docx")
    assert pages(tmp_path / "d.docx") == ["wide\na"]


VARIANTS = {
    "docx": ["wordprocessingml.template.main", "ms-word.document.macroEnabled.main", "ms-word.template.macroEnabled"],
    "pptx": ["presentationml.slideshow.main", "presentationml.template.main", "ms-powerpoint.slideshow.macroEnabled"],
    "xlsx": ["spreadsheetml.template.main", "ms-excel.sheet.macroEnabled.main", "ms-excel.template.macroEnabled.main"],
}


@pytest.mark.parametrize(("plain", "claimed"), [(plain, said) for plain, all_ in VARIANTS.items() for said in all_])
def test_only_the_content_type_differs(tmp_path, plain, claimed):
    path = tmp_path / f"d.{plain}"
    match plain:
        case "docx":
            write_docx(path, ["tulips"])
        case "pptx":
            write_pptx(path, ["tulips"])
        case "xlsx":
            write_xlsx(path, {"tulips": [["roses"]]})
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "other", "w") as new:
        for name in old.namelist():
            data = old.read(name).decode("utf-8", "surrogateescape")
            if name == "[Content_Types].xml":
                for usual in ("wordprocessingml.document", "presentationml.presentation", "spreadsheetml.sheet"):
                    data = data.replace(f"vnd.openxmlformats-officedocument.{usual}.main", f"vnd.{claimed}")
                assert claimed in data
            new.writestr(name, data.encode("utf-8", "surrogateescape"))
    assert pages(tmp_path / "other") == pages(path) != []


def test_slides_with_groups_tables_charts_and_notes(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Title"
    inner = slide.shapes.add_group_shape().shapes.add_group_shape().shapes.add_textbox(0, 0, 9, 9)
    inner.text_frame.text = "grouped\vtwice"
    table = slide.shapes.add_table(1, 2, 0, 0, 9, 9).table
    table.cell(0, 0).text, table.cell(0, 1).text = "x", "y"
    data = CategoryChartData()
    data.categories = ["North", "South"]
    data.add_series("Sold", (1, 2))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.PIE, 0, 0, 9, 9, data).chart
    chart.chart_title.text_frame.text = "Sales"
    slide.notes_slide.notes_text_frame.text = "a note"
    deck.save(tmp_path / "d.pptx")
    text = "Title\n\ngrouped\ntwice\n\nx | y\n\nSales\nSold\nNorth | South\n\na note"
    assert pages(tmp_path / "d.pptx") == [text]


def test_a_diagram_on_a_slide_and_two_ways_to_show_a_shape(tmp_path):
    def shape(text):
        return f"<sp><txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></txBody></sp>"

    main, slide = "ppt/p.xml", "ppt/s.xml"
    parts = {
        main: f"<presentation xmlns:r='{OFFICE}'><sldIdLst><sldId id='256' r:id='s'/></sldIdLst></presentation>",
        slide: f"<sld xmlns:a='{A}' xmlns:r='{OFFICE}'><cSld><spTree>"
        f"<AlternateContent><Choice>{shape('once')}</Choice><Fallback>{shape('once')}</Fallback></AlternateContent>"
        "<graphicFrame><a:graphic><relIds r:dm='d'/></a:graphic></graphicFrame></spTree></cSld></sld>",
        "ppt/d.xml": f"<dataModel xmlns:a='{A}'><t><a:p><a:r><a:t>Step</a:t></a:r></a:p></t></dataModel>",
    }
    links = [(main, "s", "slide", slide), (slide, "d", "diagramData", "ppt/d.xml")]
    assert pages(pack(tmp_path / "d", main, parts, links)) == ["once\n\nStep"]


def sheet(path, rows, before="", strings="", state="visible"):
    main = "xl/workbook.xml"
    parts = {
        main: f"<workbook xmlns:r='{OFFICE}'><sheets><sheet name='S' state='{state}' r:id='s'/></sheets></workbook>",
        "xl/s.xml": f"<worksheet>{before}<sheetData>{rows}</sheetData></worksheet>",
        "xl/t.xml": f"<sst>{strings}</sst>",
    }
    return pack(path, main, parts, [(main, "s", "worksheet", "xl/s.xml"), (main, "t", "sharedStrings", "xl/t.xml")])


@pytest.mark.parametrize("said", ["A1", "A1:A1", "A1:XFD1048576", "C7:D9", "nonsense", ""])
def test_a_sheet_is_as_large_as_it_is(tmp_path, said):
    rows = "<row r='1'><c r='A1'><v>1</v></c><c r='C1'><v>2.50</v></c></row><row r='900000'><c><v>3</v></c></row>"
    path = sheet(tmp_path / "d", rows, before=f"<dimension ref='{said}'/>")
    assert pages(path) == ["S\n1 | 2.5\n3"]


@pytest.mark.parametrize(
    ("held", "strings", "text"),
    [
        ("<c t='inlineStr'><is><t>in</t></is></c>", "", "in"),
        ("<c t='inlineStr'><is><r><t>i</t></r><r><t>n</t></r></is></c>", "", "in"),
        ("<c t='s'><v>1</v></c>", "<si><t>a</t></si><si><t>漢</t><rPh><t>kan</t></rPh></si>", "漢"),
        ("<c t='s'><v>7</v></c><c><v>1</v></c>", "<si><t>a</t></si>", "1"),
        ("<c t='str'><f>A1</f><v>saved</v></c>", "", "saved"),
        ("<c t='b'><v>1</v></c>", "", "TRUE"),
        ("<c t='e'><v>#N/A</v></c>", "", "#N/A"),
        ("<c><v>0.10000000000000001</v></c>", "", "0.1"),
        ("<c t='str'><v>a_x000D_b_x0041_</v></c>", "", "abA"),
    ],
)
@pytest.mark.parametrize("state", ["visible", "hidden", "veryHidden"])
def test_cells_of_every_kind(tmp_path, held, strings, text, state):
    path = sheet(tmp_path / "d", f"<row>{held}</row>", strings=strings, state=state)
    assert pages(path) == [f"S\n{text}"]


def test_dates_as_a_person_reads_them(tmp_path):
    book = openpyxl.Workbook()
    book.active.append([date(2024, 1, 31), datetime(2024, 1, 31, 18, 5), time(7, 30), 45292])
    book.active["A2"], book.active["A2"].number_format = 45292, '0 "days"'
    book.save(tmp_path / "d.xlsx")
    assert pages(tmp_path / "d.xlsx") == ["Sheet\n2024-01-31 | 2024-01-31 18:05:00 | 07:30:00 | 45292\n45292"]


def test_a_string_told_a_million_times_stays_within_the_limit(tmp_path):
    rows = "<row><c t='s'><v>0</v></c></row>" * 1_000
    path = sheet(tmp_path / "d", rows, strings=f"<si><t>{'x' * 30_000}</t></si>")
    with pytest.raises(LimitExceeded, match="above the limit of 20,000,000; raise `max_chars`"):
        pages(path)


def test_a_text_box_on_a_sheet(tmp_path):
    main = "xl/workbook.xml"
    parts = {
        main: f"<workbook xmlns:r='{OFFICE}'><sheets><sheet name='S' r:id='s'/></sheets></workbook>",
        "xl/s.xml": "<worksheet/>",
        "xl/d.xml": f"<wsDr xmlns:a='{A}'><sp><txBody><a:p><a:r><a:t>boxed</a:t></a:r></a:p></txBody></sp></wsDr>",
    }
    links = [(main, "s", "worksheet", "xl/s.xml"), ("xl/s.xml", "d", "drawing", "xl/d.xml")]
    assert pages(pack(tmp_path / "d", main, parts, links)) == ["S\nboxed"]


@pytest.mark.parametrize(
    ("main", "message"),
    [("xl/workbook.bin", "a binary Excel workbook; save it as .xlsx"), ("x/y.xml", "holds no document, slides or")],
)
def test_what_else_comes_in_an_office_wrapper(tmp_path, main, message):
    with pytest.raises(UnsupportedMedia, match=message):
        pages(pack(tmp_path / "d", main, {main: "<other/>"}))


def test_a_name_that_is_a_letter_does_not_garble_what_is_said(tmp_path):
    nested = "<w:tbl><w:tr><w:tc>" * 400 + par("x") + "</w:tc></w:tr></w:tbl>" * 400
    path = pack(tmp_path / "c", "word/document.xml", {"word/document.xml": word(f"<w:body>{nested}</w:body>")})
    with pytest.raises(DamagedMedia, match="the office decoder failed: maximum recursion depth exceeded"):
        pages(path)
