"""One odd value costs itself: neither its item, nor its neighbours, nor the run."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from duretrieval import Item, Modality, Part
from duretrieval.collection.collection import Collection
from duretrieval.collection.ingest import Report
from duretrieval.media.container import _taken

ROSES = (Part(Modality.TEXT, "roses in a vase"),)
NEIGHBOUR = Item("ok", "ok", (Part(Modality.TEXT, "tulips in a field"),), {"year": 2024})
EAST, WEST = timezone(timedelta(hours=5)), timezone(-timedelta(hours=5))


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with Collection.open(tmp_path / "collection") as opened:
        yield opened


def added(collection: Collection, *odd: Item) -> tuple[Report, dict[str, Item]]:
    """Two neighbours around the odd ones; they are whole and found, whatever happens."""
    report = collection.add([NEIGHBOUR, *odd, Item("after", "after", ROSES, {"year": 2025})])
    found = {item.id: item for item in collection.items()}
    assert (found["ok"].fields["year"], found["after"].fields["year"]) == (2024, 2025)
    assert [found[name].problem for name in ("ok", "after")] == [None, None]
    assert len(found) == len(odd) + 2
    assert collection.verify() == []
    return report, found


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\0b", "a\0b"),
        ("\ud800", "\\ud800"),
        ("", ""),
        (datetime.min, datetime(1, 1, 1, tzinfo=UTC)),
        (datetime.max, datetime.max.replace(tzinfo=UTC)),
        (datetime(2024, 5, 1, 2, tzinfo=EAST), datetime(2024, 4, 30, 21, tzinfo=UTC)),
        (date(2024, 5, 1), datetime(2024, 5, 1, tzinfo=UTC)),
        (float("nan"), None),
        (float("-inf"), None),
        (None, None),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
    ],
)
def test_a_field_is_kept_or_says_nothing(collection: Collection, value: Any, kept: Any) -> None:
    report, found = added(collection, Item("odd", "odd", ROSES, {"x": value, "colour": "red"}))
    assert report.problems == {}
    assert found["odd"].fields.get("x") == kept
    assert found["odd"].fields["colour"] == "red"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("x", datetime.min.replace(tzinfo=EAST), "0001-01-01 00:00:00.05:00, which no calendar holds in UTC; correct"),
        ("x", datetime.max.replace(tzinfo=WEST), "9999-12-31 .*, which no calendar holds in UTC; correct it"),
        ("x", 2**63, "is 9223372036854775808, past 64 bits; bring it as text"),
        ("x", -(2**4_000), "is a number of 4,001 bits, past 64 bits; bring it as text"),
        ("x", [1], "is a list; a field holds text, a number"),
        ("year", "last year", "'year' holds integers here; item 'odd' brings text 'last year'. Convert the value"),
        ("year", "x" * 1_000_000, "'year' holds integers here; item 'odd' brings text 'x+\\.\\.\\.x+'. Convert"),
        ("source", "me", "'source', a name the store needs itself; rename it"),
        ("a\0", 1, r"has a field 'a\\x00'; rename it"),
        ("", 1, "has a field ''; rename it"),
    ],
)
def test_a_field_that_cannot_be_kept_is_listed_and_the_others_stay(
    collection: Collection, name: str, value: Any, reason: str
) -> None:
    report, found = added(collection, Item("odd", "odd", ROSES, {name: value, "colour": "red"}))
    assert list(report.problems) == ["odd"]
    assert re.search(reason, report.problems["odd"])
    assert found["odd"].problem == report.problems["odd"]
    assert dict(found["odd"].fields) == {"kind": "item", "name": "odd", "colour": "red"}
    assert len(found["odd"].parts) == 1


def test_every_unfit_field_of_a_batch_is_listed(collection: Collection) -> None:
    many = [Item(f"i{i}", f"i{i}", ROSES, {"x": 2**70, "y": [i], "n": i}) for i in range(20)]
    report, found = added(collection, *many)
    assert len(report.problems) == 20
    assert "past 64 bits" in report.problems["i7"]
    assert "is a list" in report.problems["i7"]
    assert found["i7"].fields["n"] == 7


ODD = ["a\0b", "half \ud83d", "bytes \udcff", "", "\x1b[2J", "x" * 100_000, "\u202e"]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:20])
def test_names_of_any_kind(collection: Collection, odd: str) -> None:
    item = Item(odd, f"source {odd}", (Part(Modality.TEXT, f"roses {odd}"),), {"name": odd}, stamp=odd, problem=odd)
    _, found = added(collection, item)
    name = odd.replace("\ud83d", "\\ud83d").replace("\udcff", "\\udcff")
    assert (found[name].source, found[name].fields["name"]) == (f"source {name}", name)
    assert collection.get("after").id == "after"
    assert len(collection.search(f"roses {odd}")) == 3


def test_a_part_out_of_place_is_a_part(collection: Collection) -> None:
    part = Part(Modality.TEXT, "roses", start_s=float("nan"), page=2**70, end_char=-(2**63), file="a\udcff.txt")
    _, found = added(collection, Item("odd", "odd", (part,)))
    [kept] = found["odd"].parts
    assert (kept.start_s, kept.page, kept.end_char, kept.file) == (None, None, None, "a\\udcff.txt")


@pytest.mark.parametrize("name", ["a\0b.jpg", "a\ud800.jpg", "n" * 300 + ".jpg"], ids=ascii)
def test_a_file_that_cannot_be(collection: Collection, name: str) -> None:
    report, _ = added(collection, Item("odd", "odd", (Part(Modality.IMAGE, Path(name)),)))
    assert list(report.problems) == ["odd"]
    assert re.search("no file can have the name|file name too long", report.problems["odd"])


ROWS = [
    {"id": "nul\0", "text": "ro\0ses", "name": "\0", "x": "\0"},
    {"id": "half \ud800", "text": "roses \ud800", "k\ud800": "\ud800"},
    {"id": "nul in a file", "file": "a\0.jpg"},
    {"id": "long file", "file": "n" * 300 + ".jpg"},
    {"id": "first day", "text": "roses", "when": "0001-01-01T00:00:00+05:00"},
    {"id": "last day", "text": "roses", "when": "9999-12-31T23:59:59-05:00"},
    {"id": "no day", "text": "roses", "when": "0000-00-00"},
    {"id": "huge", "text": "roses", "n": 2**80},
    {"id": "neither", "text": "roses", "n": float("nan"), "m": float("inf")},
    {"id": "i" * 10_000, "name": "n" * 1_000_000, "text": "roses"},
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"][:20])
def test_a_row_of_a_manifest_stops_nothing(collection: Collection, tmp_path: Path, row: dict[str, Any]) -> None:
    manifest = tmp_path / "rows.jsonl"
    rows = [{"id": "before", "text": "tulips"}, row, {"id": "after", "text": "tulips", "when": "2024-05-01"}]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = collection.add_manifests(manifest)
    assert report.indexed == 3
    assert not {f"{manifest}#before", f"{manifest}#after"} & set(report.problems)
    assert collection.get("after").fields["when"] == datetime(2024, 5, 1, tzinfo=UTC)
    assert collection.add_manifests(manifest).unchanged == 3
    assert collection.add_manifests(manifest, prune=True).removed == 0


def test_dates_of_a_parquet_file_that_no_calendar_holds(collection: Collection, tmp_path: Path) -> None:
    columns = {
        "id": ["first", "odd", "last"],
        "text": ["tulips", "roses", "lilies"],
        "s": pa.array([0, 300_000_000_000, 1], pa.timestamp("s")),
        "ns": pa.array([1_001, 1_000, 2_000], pa.timestamp("ns", "UTC")),
        "day": pa.array([0, 2**30, 1], pa.date32()),
    }
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    report = collection.add_manifests(tmp_path / "rows.parquet")
    assert (report.indexed, report.problems) == (3, {})
    assert collection.get("first").fields["ns"] == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert collection.get("last").fields["day"] == datetime(1970, 1, 2, tzinfo=UTC)
    assert collection.get("last").fields["s"] == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert set(collection.get("odd").fields) == {"kind", "name", "ns"}


@pytest.mark.parametrize("seconds", [300_000_000_000, 2**55, -62_135_596_801, -1])
def test_a_clock_that_was_wrong(
    collection: Collection, tmp_path: Path, request: pytest.FixtureRequest, seconds: int
) -> None:
    roomy = Path("/dev/shm")  # keeps dates that few other file systems hold
    folder = Path(tempfile.mkdtemp(dir=roomy if roomy.is_dir() else tmp_path))
    request.addfinalizer(lambda: shutil.rmtree(folder))
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text(f"tulips in {name}")
    os.utime(folder / "b.txt", (seconds, seconds))
    if (folder / "b.txt").stat().st_mtime != seconds:
        pytest.skip("this file system keeps no such date")
    assert collection.add(folder).problems == {}
    dates = {str(item.fields["name"]): item.fields.get("modified") for item in collection.items()}
    assert None not in (dates["a.txt"], dates["c.txt"])
    assert dates["b.txt"] == (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC) if seconds == -1 else None)
    assert collection.add(folder).unchanged == 3


NO_DAYS = ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "0000-00-00", "11476-01-01"]


@pytest.mark.parametrize("written", NO_DAYS)
def test_a_film_of_no_day_is_a_film(written: str) -> None:
    assert _taken({"com.apple.quicktime.creationdate": written}) is None
    assert _taken({"creation_time": written}) is None
