"""What a cell may hold, and what it costs when it cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duretrieval.errors import ConfigError
from duretrieval.media import read_manifest
from duretrieval.media.manifest import line_of, nameless, read_manifests
from duretrieval.media.roles import NAMES, ROLES, Roles


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ({"tags": ["x", "y"]}, r"line 1: column 'tags' holds a nested value \(list\)"),
        ({"size": {"w": 1}}, r"line 1: column 'size' holds a nested value \(dict\)"),
        ({"n": 10**20}, r"line 1: column 'n' holds 1000.* beyond 64 bits"),
        ({"image": "https://x.org/a.jpg"}, "line 1: column 'image' names an address"),
        ({"image": "data:image/png;base64,iVBOR"}, "line 1: column 'image' names an address"),
        (
            {"image": "iVBOR" * 99},
            r"column 'image' holds 495 characters, '(iVBOR){16} \.\.\.', which are no path",
        ),
        ({"caption": {"a": 1}}, "line 1: column 'caption' holds dict, not text"),
        ({"caption": ["fine", {"a": 1}]}, "line 1: column 'caption' holds dict, not text"),
        ({"id": ["a", "b"]}, "line 1: column 'id' holds 2 values; give one"),
        ({"id": {"a": 1}}, "line 1: column 'id' holds dict, not text"),
        ({"label": ["a", "b"]}, "line 1: column 'label' holds 2 values; give one"),
    ],
)
def test_a_bad_cell_costs_the_cell(tmp_path: Path, cell: dict[str, object], problem: str) -> None:
    (row,) = read_manifest(jsonl(tmp_path / "m", {"text": "red tulips", "price": 3, **cell}))
    assert row.texts["text"] == ("red tulips",)
    assert row.fields == {"price": 3}
    assert row.texts.get("caption", ("fine",)) == ("fine",)
    with pytest.raises(ValueError, match=problem):
        raise ValueError(row.problem)


PIECES = [
    "id",
    "text",
    "image",
    '"',
    ",",
    ";",
    "\t",
    "\n",
    "\r",
    "\0",
    "{",
    "}",
    '"id":',
    '"text":"a"',
    "1",
    "花",
    "|",
    "NaN",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from(["", "id,text,label\n", '{"text": "a"}\n{']))
@settings(max_examples=300, deadline=None)
def test_whatever_is_in_it_is_rows_or_an_error_in_words(pieces: list[str], begin: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        path.write_text(begin + "".join(pieces), encoding="utf-8", newline="")
        try:
            rows = list(read_manifest(path))
        except ConfigError:
            return
    given_ids = [row.given for row in rows if row.given]
    assert len(set(given_ids)) == len(given_ids)
    assert all(row.contents or row.problem for row in rows)


def test_a_list_is_several(tmp_path: Path) -> None:
    (row,) = read_manifest(
        jsonl(tmp_path / "m", {"captions": ["a", "", None, float("nan"), "b", 7], "images": ["x", "y"], "tags": []})
    )
    assert row.texts == {"captions": ("a", "b", "7")}
    assert row.files == (tmp_path / "x", tmp_path / "y")
    assert (row.fields, row.problem) == ({}, None)


def test_facts_are_kept_as_written_and_are_fields(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("text,label,key,split,start\na,1e2,007,dev,2024-05-01\n")
    (row,) = read_manifest(tmp_path / "m")
    assert row.facts == {"label": "1e2", "key": "007", "split": "dev", "start": "2024-05-01"}
    assert (row.fields["label"], row.fields["key"], row.problem) == (100.0, "007", None)


@pytest.mark.parametrize(
    "heading", ["ID,Text,IMAGE", " id , TEXT,Image", "ＩＤ;Ｔｅｘｔ;Ｉｍａｇｅ", "\u3000Id\ttext\timage"]
)
@pytest.mark.parametrize("mark", ["", "\ufeff", "\ufeff\ufeff", "\n\n"])
def test_names_in_any_case_width_and_dress(tmp_path: Path, heading: str, mark: str) -> None:
    by = next(sign for sign in ",;\t" if sign in heading)
    (tmp_path / "m").write_text(mark + heading + "\n" + by.join(["7", "a b", "x.png"]) + "\n", encoding="utf-8")
    (row,) = read_manifest(tmp_path / "m")
    assert (row.given, row.texts, row.files) == ("7", {"text": ("a b",)}, (tmp_path / "x.png",))


def test_nul_characters_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(b"id,text,image\n1,red\0 tulips,r\0.png\n\0\n2\0,white,w.png\n")
    (tmp_path / "m.jsonl").write_bytes(
        b'{"id": "1", "text": "red\\u0000 tulips", "image": "r\\u0000.png"}\n\0\n{"id": "2\0", "te\\u0000xt": "white"}'
    )
    for name in ("m.csv", "m.jsonl"):
        first, second = read_manifest(tmp_path / name)
        assert (first.texts, first.files) == ({"text": ("red tulips",)}, (tmp_path / "r.png",))
        assert (second.id, second.problem) == ("2", None)


def test_a_name_twice_in_one_object(tmp_path: Path) -> None:
    (tmp_path / "m").write_text('{"text": "a", "text": "b"}\n')
    (row,) = read_manifest(tmp_path / "m")
    assert (row.texts, row.problem) == ({"text": ("a",)}, "line 1 names 'text' twice; the first is taken")


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("Text,id,text\na,1,b\n")
    with pytest.raises(ConfigError, match=r"two columns named 'Text' \(the other is written 'text'\); rename one"):
        read_manifest(tmp_path / "m")
    pq.write_table(pa.table([["a"], ["b"]], names=["text", "text"]), tmp_path / "p")
    with pytest.raises(ConfigError, match=r"two columns named 'text'; rename one"):
        read_manifest(tmp_path / "p")


def test_letters_beyond_ascii_may_come_late(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"id,text\n" + b"1,plain\n" * 10_000 + "2,红色的花在花瓶里\n".encode("gbk"))
    *_, last = read_manifest(tmp_path / "m")
    assert last.texts == {"text": ("红色的花在花瓶里",)}


def test_an_id_stands_once_and_the_first_row_keeps_it(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "a.jsonl", {"id": "1", "text": "red tulips"}, {"id": 1, "text": "white roses"})
    two = jsonl(tmp_path / "b.jsonl", {"id": "1", "text": "a crane"})
    first, second, third = read_manifests([one, two])
    assert (first.given, first.problem) == ("1", None)
    assert second.problem == "line 2: its id '1' is that of line 1; give it another, or none"
    assert third.problem == "line 1: its id '1' is that of line 1 of a.jsonl; give it another, or none"
    assert second.contents == third.contents == ()
    assert len({first.id, second.id, third.id}) == 3


def test_no_row_can_call_itself_as_one_without_an_id(tmp_path: Path) -> None:
    path = tmp_path / "m"
    jsonl(path, {"text": "a"}, {"id": nameless(path, 1), "text": "b"}, {"id": "2", "text": "c"})
    rows = list(read_manifest(path))
    assert [row.id for row in rows] == [nameless(path, 1), nameless(path, 2), "2"]
    assert "as only rows without an id are called; give it another" in str(rows[1].problem)
    assert [line_of(row.id) for row in rows] == [1, 2, None]
    assert nameless(path, 1) != nameless(tmp_path / "n", 1)


class TestRoles:
    def test_the_page_has_every_role_and_every_name(self) -> None:
        page = (Path(__file__).parents[2] / "docs" / "manifests.md").read_text(encoding="utf-8")
        table = {line.split("|")[1].strip(): line.split("|")[2] for line in page.splitlines() if line.startswith("| `")}
        told = {role.strip("` "): names for roles, names in table.items() for role in roles.split(",")}
        assert set(ROLES) <= set(told)
        assert all(name in told[role].replace(" ", "").split(",") for name, role in NAMES.items())

    def test_every_role_is_known_by_a_name_or_said(self) -> None:
        assert set(NAMES.values()) | {"score", "field", "ignore"} == set(ROLES)

    def test_what_is_said_goes_before_what_is_known(self) -> None:
        roles = Roles({"货号": "id", "TITLE": "ignore"})
        assert [roles(name) for name in ("货号", "id", "Title", "Text", "Price")] == [
            ("货号", "id"), ("id", "field"), ("title", "ignore"), ("text", "text"), ("Price", "field")
        ]  # fmt: skip

    @pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
    def test_a_misspelt_column_is_refused(self, tmp_path: Path, kind: str) -> None:
        rows = [{"标题": "a", "图片": "x.png"}] * 3
        path = tmp_path / "m"
        if kind == "jsonl":
            jsonl(path, {"标题": "a"}, *rows)
        elif kind == "csv":
            path.write_text("标题;图片\na;x.png\n", encoding="utf-8")
        else:
            pq.write_table(pa.Table.from_pylist(rows), path)
        with pytest.raises(ConfigError, match=r"m has no column '图像'\. Its columns are: 标题, 图片"):
            read_manifest(path, {"标题": "text", "图像": "image"})
        assert {row.problem for row in read_manifest(path, {"标题": "text", "图片": "image"})} <= {None}

    def test_of_several_manifests_one_needs_the_column(self, tmp_path: Path) -> None:
        paths = [jsonl(tmp_path / "a", {"words": "x"}), jsonl(tmp_path / "b", {"text": "y"})]
        assert [row.problem for row in read_manifests(paths, {"words": "text"})] == [None, None]
        with pytest.raises(ConfigError, match=r"a and .*b has no column 'word'\. Did you mean 'words'\?"):
            read_manifests(paths, {"word": "text"})
