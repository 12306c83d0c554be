"""Folders and manifests: what there is to read, and what is wrong with it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from duretrieval.errors import ConfigError, MediaError
from duretrieval.media import digest, read_manifest, stamp, walk


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def names(folder: Path) -> list[str]:
    return [str(source.path.relative_to(folder)) for source in walk([folder])]


def test_walk_is_sorted_recursive_and_passes_over_hidden_files(tmp_path):
    tree(tmp_path, "b", "a/2", "a/1", "c/d/e", ".hidden", ".git/x")
    assert names(tmp_path) == ["a/1", "a/2", "b", "c/d/e"]
    assert [source.path.name for source in walk([tmp_path / ".hidden", tmp_path / ".git"])] == [".hidden", "x"]


def test_the_stamp_changes_with_the_file(tmp_path):
    (source,) = walk([tree(tmp_path, "a")])
    assert source.stamp == stamp(tmp_path / "a")
    os.utime(tmp_path / "a", ns=(1, 1))
    assert stamp(tmp_path / "a") != source.stamp


def test_links_are_followed_once(tmp_path):
    tree(tmp_path, "a/1")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "twice").symlink_to(tmp_path / "a")
    (tmp_path / "broken").symlink_to(tmp_path / "nothing")
    found = {str(source.path.relative_to(tmp_path)): source.problem for source in walk([tmp_path])}
    assert found == {"a/1": None, "broken": "it is a link to nothing"}


def test_what_is_no_file_is_a_problem(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert [source.problem for source in walk([tmp_path])] == ["it is not a file but a device, pipe or socket"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_an_unreadable_folder_is_a_problem(tmp_path):
    (tree(tmp_path, "a/1") / "a").chmod(0)
    assert [source.problem for source in walk([tmp_path])] == ["it cannot be looked at: permission denied"]


def test_a_path_that_does_not_exist_is_named_before_anything_is_read(tmp_path):
    with pytest.raises(MediaError, match=r"no file or folder at '.*nope'; check the spelling"):
        walk([tmp_path, tmp_path / "nope"])


def test_digest_is_of_the_content(tmp_path):
    tree(tmp_path, "a", "b")
    (tmp_path / "b").write_text("a")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert len(digest(tmp_path / "a")) == 32


ROW = {
    "id": "sku-1", "name": "Shoe", "title": "Red shoe 红鞋", "images": ["a.jpg", "sub/b.jpg"],
    "price": 12.5, "stock": 3, "sale": True, "added": "2024-05-01", "code": "007", "none": None,
}  # fmt: skip


def check_row(row, folder: Path) -> None:
    assert row.problem is None
    assert (row.id, row.name, row.texts) == ("sku-1", "Shoe", {"title": ("Red shoe 红鞋",)})
    assert row.files == (folder / "a.jpg", folder / "sub/b.jpg")
    assert row.fields == {
        "price": 12.5, "stock": 3, "sale": True, "added": datetime(2024, 5, 1, tzinfo=UTC), "code": "007"
    }  # fmt: skip
    assert [type(row.fields[name]) for name in ("price", "stock", "sale")] == [float, int, bool]


def test_jsonl(tmp_path):
    (tmp_path / "m").write_text(json.dumps(ROW) + "\n")
    check_row(*read_manifest(tmp_path / "m"), tmp_path)


def test_parquet(tmp_path):
    pq.write_table(pa.Table.from_pylist([ROW]), tmp_path / "m")
    check_row(*read_manifest(tmp_path / "m"), tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_csv(tmp_path, encoding):
    head = "id,name,title,images,price,stock,sale,added,code,none"
    lines = f"{head}\nsku-1,Shoe,Red shoe 红鞋,a.jpg|sub/b.jpg,12.5,3,true,2024-05-01,007,\n"
    (tmp_path / "m").write_text(lines, encoding=encoding)
    check_row(*read_manifest(tmp_path / "m"), tmp_path)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{not json", "line 2 is not JSON"),
        ("[1]", "line 2 is not an object in {} but a list"),
        (
            '{"id": "x", "price": 1}',
            "line 2: the row names no file and holds no text; its columns are id, price: say what each is",
        ),
        ('{"text": "a", "size": {"w": 1}}', r"line 2: column 'size' holds a nested value \(dict\)"),
        ('{"text": "a", "n": 99999999999999999999}', "beyond 64 bits"),
        ('{"text": true}', "column 'text' holds bool, not text"),
        ('{"image": "http://x/y.jpg"}', "column 'image' names an address"),
    ],
)
def test_a_bad_row_is_a_problem_and_the_next_one_is_read(tmp_path, line, problem):
    (tmp_path / "m").write_text(f'{{"text": "a"}}\n{line}\n{{"text": "b"}}\n')
    good, bad, after = read_manifest(tmp_path / "m")
    assert (good.problem, after.problem, after.number) == (None, None, 3)
    with pytest.raises(ValueError, match=problem):
        raise ValueError(bad.problem)


def test_a_csv_row_with_too_many_columns_is_a_problem(tmp_path):
    (tmp_path / "m").write_text("text,price\na,1\nb,2,3\nc,4\n")
    assert [row.problem for row in read_manifest(tmp_path / "m")] == [
        None, "line 3 has 3 columns, the first line names 2; quote its commas", None
    ]  # fmt: skip


def test_two_csv_columns_of_one_name_are_refused(tmp_path):
    (tmp_path / "m").write_text("text, price,text,,\na,1,b,,\n")
    with pytest.raises(ConfigError, match=r"has two columns named 'text'; rename one of them"):
        read_manifest(tmp_path / "m")


@pytest.mark.parametrize(("mark", "name"), [("\t", "tabs"), (";", "semicolons")])
def test_other_marks_between_columns(tmp_path, mark, name):
    lines = [["id", "text", "price"], ["x", "One, two", "3"], ["y", "a", "1", "2"]]
    (tmp_path / "m").write_text("\n".join(mark.join(line) for line in lines))
    row, bad = read_manifest(tmp_path / "m")
    assert (row.id, row.texts, row.fields) == ("x", {"text": ("One, two",)}, {"price": 3})
    assert bad.problem == f"line 3 has 4 columns, the first line names 3; quote its {name}"


def test_a_column_without_a_name_counts_the_rows_and_is_no_field(tmp_path):
    (tmp_path / "m").write_text(",text\n0,one\n")
    (row,) = read_manifest(tmp_path / "m")
    assert (row.texts, row.fields) == ({"text": ("one",)}, {})


def test_a_cell_may_hold_a_book(tmp_path):
    (tmp_path / "m").write_text("text\n" + "word " * 100_000 + "\n")
    (row,) = read_manifest(tmp_path / "m")
    assert len(row.texts["text"][0].split()) == 100_000


def test_columns_may_be_called_otherwise(tmp_path):
    (tmp_path / "m").write_text('{"sku": 7, "words": "a", "photo": "p.jpg", "secret": "s", "title": "t"}\n')
    columns = {"sku": "id", "words": "text", "photo": "file", "secret": "ignore", "title": "field"}
    (row,) = read_manifest(tmp_path / "m", columns)
    assert (row.id, row.texts, row.files) == ("7", {"words": ("a",)}, (tmp_path / "p.jpg",))
    assert row.fields == {"title": "t"}
    with pytest.raises(ConfigError, match=r"'sku' cannot be 'idd'\. Did you mean 'id'\? The roles are: id, name, text"):
        read_manifest(tmp_path / "m", {"sku": "idd"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be opened: no such file"),
        (b"", "is empty"),
        (b"[{}]", r"is one JSON list; write one object a line \(JSONL\)"),
        (b"\0\1\2\3" * 9, "is not a table; it can be JSONL, CSV or Parquet"),
        (b"PAR1 and nothing", "is a damaged Parquet file"),
    ],
)
def test_what_is_no_manifest(tmp_path, content, message):
    if content is not None:
        (tmp_path / "m").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_manifest(tmp_path / "m")
