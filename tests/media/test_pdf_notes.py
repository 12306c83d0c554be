"""What was typed into a PDF or noted on it is found on its page, once."""

from __future__ import annotations

import pytest

from duretrieval.media import Limits, decode
from duretrieval.types import Reading


def write(path, annotations, form=True, pages=("tulips in spring",), beside=()):
    """A PDF by hand; annotations: (page, body) from 0; `beside`: objects 20, 21 ... that they refer to."""
    numbers = {n: 30 + n for n in range(len(annotations))}
    fields = " ".join(f"{n} 0 R" for n in numbers.values())
    kids = " ".join(f"{100 + 2 * n} 0 R" for n in range(len(pages)))
    objects = {
        1: f"<< /Type /Catalog /Pages 2 0 R {f'/AcroForm << /Fields [{fields}] >>' if form else ''} >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        **{20 + n: body for n, body in enumerate(beside)},
    }
    for n, (_, body) in enumerate(annotations):
        objects[numbers[n]] = f"<< /Type /Annot /Rect [20 100 200 120] {body} >>"
    for n, text in enumerate(pages):
        on_page = " ".join(f"{numbers[i]} 0 R" for i, (page, _) in enumerate(annotations) if page == n)
        objects[100 + 2 * n] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Resources << /Font << /F 3 0 R >> >> "
            f"/Contents {101 + 2 * n} 0 R /Annots [{on_page}] >>"
        )
        content = f"BT /F 18 Tf 20 200 Td ({text}) Tj ET"
        objects[101 + 2 * n] = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    data, places = b"%PDF-1.7\n", {}
    for number, body in objects.items():
        places[number] = len(data)
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{n} 1\n{place:010d} 00000 n \n" for n, place in places.items())
    end = f"xref\n0 1\n0000000000 65535 f \n{table}trailer << /Size 200 /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    path.write_bytes(data + end.encode())
    return path


def pages(path):
    return [(part.page, part.content) for part in decode(path, Reading(), Limits()).parts]


CHINESE = "<feff" + "郁金香".encode("utf-16-be").hex() + ">"
OPTIONS = "/Opt [[(r) (red roses)] [(t) (white tulips)] (cranes)]"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("/Subtype /Widget /FT /Tx /T (a) /V (typed words)", "typed words"),
        ("/Subtype /Widget /FT /Tx /Ff 4096 /T (a) /V (two\\rlines)", "two\nlines"),
        (f"/Subtype /Widget /FT /Tx /T (a) /V {CHINESE}", "郁金香"),
        (f"/Subtype /Widget /FT /Ch /Ff 131072 /T (a) {OPTIONS} /V (t)", "white tulips"),
        (f"/Subtype /Widget /FT /Ch /Ff 393216 /T (a) {OPTIONS} /V (my own)", "my own"),
        (f"/Subtype /Widget /FT /Ch /Ff 2097152 /T (a) {OPTIONS} /V [(t) (cranes)] /I [1 2]", "white tulips\ncranes"),
        ("/Subtype /Widget /FT /Tx /Ff 8192 /T (a) /V (secret)", None),
        ("/Subtype /Widget /FT /Btn /T (a) /V /Yes /AS /Yes", None),
        ("/Subtype /Widget /FT /Tx /T (a) /F 2 /V (hidden)", None),
        ("/Subtype /Widget /FT /Tx /T (a) /V ()", None),
        ("/Subtype /FreeText /DA (/Helv 12 Tf) /Contents (free words)", "free words"),
        ("/Subtype /FreeText /DA (/Helv 12 Tf) /RC (<body><p>rich &amp; free</p></body>)", "rich & free"),
        ("/Subtype /Text /Contents (a sticky note)", "a sticky note"),
        ("/Subtype /Highlight /QuadPoints [20 120 200 120 20 100 200 100] /Contents (why)", "why"),
        ("/Subtype /Stamp /Contents (approved)", "approved"),
        ("/Subtype /Popup /Contents (again)", None),
        ("/Subtype /Link /Contents (where it goes)", None),
        ("/Subtype /Text /F 2 /Contents (hidden)", None),
        ("/Subtype /Text /Contents (tulips  in)", None),
    ],
)
def test_fields_and_notes(tmp_path, body, found):
    path = write(tmp_path / "d.pdf", [(0, body)])
    assert pages(path) == [(1, "tulips in spring" + (f"\n\n{found}" if found else ""))]


def test_a_value_that_stands_at_the_field_above(tmp_path):
    above = "<< /FT /Tx /T (a) /V (from above) /Kids [30 0 R] >>"
    path = write(tmp_path / "d.pdf", [(0, "/Subtype /Widget /Parent 20 0 R")], beside=[above])
    path.write_bytes(path.read_bytes().replace(b"/Fields [30 0 R]", b"/Fields [20 0 R]"))
    assert pages(path) == [(1, "tulips in spring\n\nfrom above")]


@pytest.mark.parametrize("form", [True, False])
def test_each_page_has_its_own_and_nothing_twice(tmp_path, form):
    field = "/Subtype /Widget /FT /Tx /T (a) /V (typed)"
    notes = [(0, field), (0, field), (1, "/Subtype /Text /Contents (noted)"), (2, "/Subtype /Text /Contents (alone)")]
    path = write(tmp_path / "d.pdf", notes, form, pages=("first", "second", ""))
    assert pages(path) == [(1, "first\n\ntyped"), (2, "second\n\nnoted"), (3, "alone")]
