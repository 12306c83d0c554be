"""Tables of items, in the three formats people have them in."""

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from duretrieval.errors import ConfigError, MediaError
from duretrieval.media.manifest import Row, read_manifest

WINE = {"id": "w1", "name": "Barolo", "title": "A red wine", "price": 12.5, "stock": 3, "organic": True, "颜色": "红"}


def rows(path: Path, **columns: str) -> list[Row]:
    return list(read_manifest(path, columns))


def write_jsonl(path: Path, lines: list[object]) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def write_csv(path: Path, lines: list[dict[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.DictWriter(file, list(lines[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        table.writeheader()
        table.writerows(lines)
    return path


def write_parquet(path: Path, lines: list[dict[str, object]]) -> Path:
    pq.write_table(pa.Table.from_pylist(lines), path)
    return path


def write(path: Path, lines: list[dict[str, object]]) -> Path:
    return {".jsonl": write_jsonl, ".ndjson": write_jsonl, ".parquet": write_parquet}.get(path.suffix, write_csv)(
        path, lines
    )


FORMATS = [".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_row(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a{suffix}", [WINE | {"image": "photos/1.jpg", "made": "2019-10-01"}])
    [row] = rows(path)
    assert row == Row(
        id="w1",
        name="Barolo",
        number=1,
        texts={"title": "A red wine"},
        files=(tmp_path / "photos/1.jpg",),
        fields={
            "price": 12.5,
            "stock": 3,
            "organic": True,
            "颜色": "红",
            "made": datetime(2019, 10, 1, tzinfo=UTC),
        },
    )
    assert {name: type(value) for name, value in row.fields.items()}["stock"] is int


@pytest.mark.parametrize("suffix", FORMATS)
def test_several_files(suffix: str, tmp_path: Path) -> None:
    listed = suffix in (".jsonl", ".ndjson", ".parquet")
    images = ["1.jpg", "sub/2.jpg"] if listed else "1.jpg| sub/2.jpg"
    [row] = rows(write(tmp_path / f"a{suffix}", [{"images": images, "audio": "/elsewhere/a.wav"}]))
    assert row.files == (tmp_path / "1.jpg", tmp_path / "sub/2.jpg", Path("/elsewhere/a.wav"))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_row_without_an_id_has_its_number(suffix: str, tmp_path: Path) -> None:
    found = rows(write(tmp_path / f"a{suffix}", [{"text": "one"}, {"text": "two"}]))
    assert [(row.id, row.name, row.number) for row in found] == [("row 1", "row 1", 1), ("row 2", "row 2", 2)]


def test_empty_cells_are_not_there(tmp_path: Path) -> None:
    [row] = rows(write(tmp_path / "a.csv", [{"id": "", "text": "words", "price": "", "image": ""}]))
    assert (row.id, dict(row.fields), row.files) == ("row 1", {}, ())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("3", 3),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("007", "007"),
        ("+49 30 1234", "+49 30 1234"),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("infinity", "infinity"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-01T12:00:00Z", datetime(2024, 5, 1, 12, tzinfo=UTC)),
        ("2024-05-01T12:00:00+02:00", datetime.fromisoformat("2024-05-01T12:00:00+02:00")),
        ("2024-99-01", "2024-99-01"),
        ("red", "red"),
    ],
)
def test_a_csv_cell_becomes_what_it_looks_like(written: str, read: object, tmp_path: Path) -> None:
    """What only resembles a number (a leading nought, an underscore) stays as it was written."""
    [row] = rows(write(tmp_path / "a.csv", [{"text": "x", "value": written}]))
    assert (row.fields["value"], type(row.fields["value"])) == (read, type(read))


def test_an_id_stays_text(tmp_path: Path) -> None:
    assert [row.id for row in rows(write(tmp_path / "a.csv", [{"id": "007", "text": "x"}]))] == ["007"]
    assert [row.id for row in rows(write(tmp_path / "a.jsonl", [{"id": 7, "text": "x"}]))] == ["7"]


def test_parquet_types(tmp_path: Path) -> None:
    made = datetime(2024, 5, 1, 12)
    [row] = rows(write(tmp_path / "a.parquet", [{"text": "x", "made": made, "day": date(2024, 5, 1), "none": None}]))
    assert row.fields == {"made": made.replace(tzinfo=UTC), "day": datetime(2024, 5, 1, tzinfo=UTC)}


def test_columns_can_be_told_what_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [{"sku": "007", "nom": "Vin", "note": "12", "photo": "1.jpg", "title": "3"}])
    [row] = rows(path, sku="id", nom="name", note="text", photo="file", title="field")
    assert (row.id, row.name, row.texts, row.files) == ("007", "Vin", {"note": "12"}, (tmp_path / "1.jpg",))
    assert row.fields == {"title": 3}


def test_a_role_that_there_is_not(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [{"photo": "1.jpg"}])
    with pytest.raises(ConfigError, match=r"'photo'.*'picture'.*id, name, text, file, field"):
        rows(path, photo="picture")


def test_bad_rows_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = write_jsonl(
        tmp_path / "a.jsonl",
        [
            {"id": "good", "text": "x"},
            "{not json",
            "[1, 2]",
            {"id": "empty"},
            {"id": "deep", "text": "x", "size": {"w": 1}},
            "",
            {"id": "also good", "text": "y"},
        ],
    )
    assert [(row.id, row.problem and row.problem.split(" (char")[0]) for row in rows(path)] == [
        ("good", None),
        (
            "row 2",
            "the line is not JSON: Expecting property name enclosed in double quotes: line 1 column 2",
        ),
        ("row 3", "the line is not a JSON object"),
        ("empty", "row 4: the row names no file and holds no text"),
        ("deep", "row 5: column 'size': a dict cannot be a field; give each value a column of its own"),
        ("also good", None),
    ]


def test_a_csv_row_with_too_many_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,one\n2,two,three\n3,three\n")
    found = rows(tmp_path / "a.csv")
    assert [row.problem for row in found] == [None, "3 values for 2 columns", None]
    assert [row.id for row in found] == ["1", "row 2", "3"]


def test_a_csv_row_with_too_few_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,price\none\n")
    [row] = rows(tmp_path / "a.csv")
    assert (row.problem, dict(row.fields)) == (None, {})


def test_a_table_saved_by_a_chinese_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("title,颜色\n红酒，产自意大利,红\n".encode("gb18030"))
    [row] = rows(tmp_path / "a.csv")
    assert (row.texts, row.fields) == ({"title": "红酒，产自意大利"}, {"颜色": "红"})


def test_what_is_no_number_and_what_is_too_large(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ['{"text": "x", "price": NaN}', {"text": "x", "isbn": 10**30}])
    none, large = rows(path)
    assert (none.problem, dict(none.fields)) == (None, {})
    assert large.problem == "row 2: column 'isbn': the number is too large; write it as text, in quotes"


def test_a_column_without_a_name_is_an_index(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",text\n0,one\n")
    assert dict(rows(tmp_path / "a.csv")[0].fields) == {}


def test_a_line_that_is_no_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\n" + "x" * 50_000_001 + "\nlast\n")
    assert [row.problem for row in rows(tmp_path / "a.csv")] == [
        "the line is not CSV: field larger than field limit (50000000)",
        None,
    ]


def test_a_very_long_cell(tmp_path: Path) -> None:
    [row] = rows(write(tmp_path / "a.csv", [{"text": "long " * 100_000}]))
    assert len(row.texts["text"]) == 500_000


def test_not_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"there is no manifest .*a.csv"):
        rows(tmp_path / "a.csv")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(MediaError, match=r"is not a manifest: its name must end in .jsonl, .ndjson, .csv, .tsv, .par"):
        rows(tmp_path / "a.txt")
    (tmp_path / "a.parquet").write_text("x")
    with pytest.raises(MediaError, match=r"a.parquet is not a Parquet file"):
        rows(tmp_path / "a.parquet")


def test_rows_come_one_at_a_time(tmp_path: Path) -> None:
    """A large table is not read whole before its first row."""
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": "x"}] * 3)
    found = read_manifest(path)
    assert next(found).number == 1
    assert next(found).number == 2
