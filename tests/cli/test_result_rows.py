"""A result keeps to the terminal's width, in every script, and says what it is."""

from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.text import Text
from tests.cli.conftest import Shell

from duretrieval import Evidence, Hit, Item, Modality, Part
from duretrieval.cli.rows import cut, cut_path, hit_lines, print_hits
from duretrieval.collection import Collection

BUS = "The red bus stops in front of the station. " * 5
CHINESE = "红色的公共汽车停在车站前面，乘客们排队上车，司机微笑着向大家问好。" * 5


def hit(part: Part, source: str = "", *, also: tuple[Part, ...] = (), digest: str = "d", **fields: str | float) -> Hit:
    item = Item("0123456789abcdef", source, (part, *also), fields, digest=digest)
    return Hit(item, 7.94, tuple(Evidence(p, 0.5, 7.94) for p in (part, *also)))


def lines(found: Hit, width: int | None, id: str = "012345") -> list[str]:
    return [line.plain for line in hit_lines(found, id, Text("  1   7.9  "), width)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(folder: Path, name: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return str(path)


def test_a_text_a_picture_and_a_film(folder: Path) -> None:
    assert lines(hit(Part(Modality.TEXT, BUS, page=3), made(folder, "a/notes.pdf")), 60) == [
        "  1   7.9  a/notes.pdf                                012345",
        "           text page 3 · The red bus stops in front of the…",
    ]
    assert lines(hit(Part(Modality.IMAGE, None), made(folder, "bus.png")), 40) == [
        "  1   7.9  bus.png                012345",
        "           picture",
    ]
    moments = tuple(Part(Modality.VIDEO, None, start_s=s, end_s=s + 5) for s in (65.0, 5.0))
    film = hit(moments[0], made(folder, "film.mp4"), also=(moments[1], Part(Modality.AUDIO, None, start_s=9, end_s=14)))
    assert lines(film, 80)[1].strip() == "frames 1:05-1:10, also 0:05-0:10, sound 0:09-0:14"


def test_a_product_has_its_title_price_and_picture(folder: Path) -> None:
    picture = made(folder, "shop/bus.png")
    title = Part(Modality.TEXT, "A toy bus")
    fields = {"kind": "item", "name": "A toy bus", "price": 20.0, "货币": "EUR", "brand": "Acme"}
    part = Part(Modality.IMAGE, None, file=picture)
    product = hit(title, f"{folder}/products.csv#0123", also=(part,), digest="", **fields)
    assert lines(product, 60) == [
        "  1   7.9  A toy bus  price 20, 货币 EUR              012345",
        "           text · shop/bus.png",
    ]
    described = hit(Part(Modality.TEXT, BUS), f"{folder}/p.csv#0123", also=(part,), digest="", **fields)
    assert lines(described, 60)[1] == "           text · The red bus stops in front… · shop/bus.png"


def test_gone_files_and_problems_are_marked(folder: Path) -> None:
    gone = hit(Part(Modality.TEXT, BUS), str(folder / "gone.txt"))
    assert lines(gone, 60)[1].startswith("           text · gone · The red bus")
    item = Item(
        "i", made(folder, "half.docx"), (Part(Modality.TEXT, BUS),), digest="d", problem="a piece of it is\nlost"
    )
    half = Hit(item, 1.0, (Evidence(item.parts[0], 0.5, 1.0),))
    assert lines(half, 60)[2] == r"           a piece of it is\nlost"


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
@pytest.mark.parametrize("words", [BUS, CHINESE, "x" * 500, "\x1b[2J\u202e\n" * 50, "🚌" * 200])
def test_no_line_is_wider_than_the_terminal(width: int, words: str, folder: Path) -> None:
    """Nor does any begin in the first column, whatever is long."""
    name = words.replace("\n", "")[:80]
    picture = Part(Modality.IMAGE, None, file=f"{folder}/{name}/{name}.png")
    moments = tuple(Part(Modality.AUDIO, None, start_s=s, end_s=s + 3601.0) for s in range(9))
    for found in (
        hit(Part(Modality.TEXT, words), f"{folder}/{name}/{name}.txt"),
        hit(Part(Modality.TEXT, words), "p.csv#1", also=(picture,), digest="", name=words, price=words),
        hit(moments[0], f"{folder}/{name}.wav", also=moments[1:]),
        hit(picture, "made", digest="", name=""),
    ):
        for id in ("012345", words[:60]):
            for line in lines(found, width, id):
                assert cell_len(line) <= width
                assert line.startswith(("  1   7.9  ", "           "))
                assert "\n" not in line


def test_piped_paths_are_whole(folder: Path) -> None:
    long = made(folder, f"{'folder/' * 30}name.txt")
    first, second = lines(hit(Part(Modality.TEXT, CHINESE), long), None)
    assert first == f"  1   7.9  {'folder/' * 30}name.txt  012345"
    assert second.endswith("…")


def test_cutting() -> None:
    assert cut("short", 5) == "short"
    assert cut("longer", 5) == "long…"
    assert cut("红色汽车", 6) == "红色…"
    assert cut_path("stuff/Pictures/2019/bus.png", 18) == "stuff/Pic…/bus.png"
    assert cut_path("stuff/IMG_20190712_183045(edited).png", 20) == "IMG_20190712_…d).png"
    assert cut_path("a/b", 3) == "a/b"


def test_what_scores_are_and_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_hits([])
    assert capsys.readouterr().out == "Nothing found.\n"


def test_the_id_of_a_row_is_one_that_commands_take(folder: Path, shell: Shell) -> None:
    """Short where it can be, longer where others begin so; an id that begins another is meant by itself."""
    ids = ["sku-2024-0001", "sku-2024-0002", "sku-2024", "0123456789abcdef"]
    with Collection.open(".duretrieval") as c:
        c.add([Item(id, id, (Part(Modality.TEXT, f"tulips {id}"),)) for id in ids])
        assert [c.short(id) for id in ids] == ["sku-2024-0001", "sku-2024-0002", "sku-2024", "012345"]
        assert all(c.get(c.short(id)).id == id for id in ids)
    rows = shell("search", "tulips").out.splitlines()[::2]
    for row in rows:
        assert shell("show", row.split()[-1]).code == 0
        assert shell("search", "--like", row.split()[-1]).code == 0
