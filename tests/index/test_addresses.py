"""A collection's place: a folder of any name, a known address, or a sentence."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from duretrieval.collection.collection import Collection, parts_of
from duretrieval.errors import CollectionError, NotACollection
from duretrieval.index.lance import place


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("mine", "mine"),
        (Path("a/b c/集合"), "a/b c/集合"),
        ("C:mine", "C:mine"),
        ("note:mine", "note:mine"),
        ("s3://bucket/name/", "s3://bucket/name"),
        (Path("s3://bucket/name"), "s3://bucket/name"),
        ("GS://bucket", "gs://bucket"),
        (Path("az://container/x"), "az://container/x"),
        ("file:///data/mine", "/data/mine"),
        (Path("file:///data/mine"), "/data/mine"),
    ],
)
def test_what_is_meant(typed: str | Path, meant: str) -> None:
    assert place.address(typed) == meant
    assert parts_of(typed) == f"{meant}/parts.lance"


@pytest.mark.parametrize("typed", ["foo://bar", "http://x/y", "ftp:/x", "memory://m"])
def test_an_unknown_address_makes_no_folder(typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for given in (typed, Path(typed)):
        with pytest.raises(NotACollection, match=r"no address of a collection; give a folder, or .* s3://, gs://, az"):
            Collection.open(given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a:b", "foo:/bar", "a b%20c#d?e", "s3:"])
def test_folders_that_look_like_something_else(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir(parents=True)
    (tmp_path / "a.txt").write_text("tulips")
    for counts in ((1, 0), (0, 1)):
        with Collection.open(name) as collection:
            report = collection.add("a.txt")
            assert (report.indexed, report.unchanged) == counts
    assert (tmp_path / name / "parts.lance").is_dir()


def test_object_storage_is_created_and_opened(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("tulips")
    address = f"file-object-store://{tmp_path}/mine"
    with pytest.raises(NotACollection, match="there is no collection at file-object-store://"):
        Collection.open(address, create=False)
    for counts in ((1, 0), (0, 1)):
        with Collection.open(address) as collection:
            report = collection.add(tmp_path / "a.txt")
            assert (report.indexed, report.unchanged) == counts
    assert (tmp_path / "mine" / "parts.lance").is_dir()


def test_object_storage_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(CollectionError, match=r"az://b/c/parts.lance cannot be used: .*; check the address, and"):
        Collection.open("az://b/c")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "x"),
            "the disk is full; make room and run the same again, for what was finished is kept",
        ),
        (
            OSError("LanceError(IO): x No space left on device (os error 28), /home/x.rs:1"),
            "the disk is full; make room",
        ),
        (RuntimeError("LanceError(IO): x (os error 30)"), "it is read-only; give a place that can be written to"),
        (PermissionError(errno.EACCES, "x"), "permission denied; ask its owner for the right to it, or give another"),
        (OSError(errno.EIO, "x"), "input/output error; give another place with -c"),
    ],
)
def test_what_a_disk_refuses(error: Exception, sentence: str) -> None:
    with pytest.raises(CollectionError) as caught, place.telling("mine/parts.lance"):
        raise error
    assert str(caught.value).startswith(f"the collection's place mine/parts.lance cannot be used: {sentence}")


def test_what_no_disk_said_passes() -> None:
    with pytest.raises(ValueError, match="a fault of ours"), place.telling("mine"):
        raise ValueError("a fault of ours")


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        CollectionError, match=r"file/c/parts\.lance cannot be used: not a directory; give another place"
    ):
        Collection.open(tmp_path / "file" / "c")
    with pytest.raises(CollectionError, match="cannot be used: file name too long; give another place with -c"):
        Collection.open(tmp_path / ("n" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(CollectionError, match="cannot be used: permission denied; ask its owner"):
        Collection.open(tmp_path / "mine")


def test_a_disk_that_fills_keeps_what_was_finished(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: a commit that does not fit is an error, and changes nothing."""
    (tmp_path / "a.txt").write_text("tulips in spring")
    (tmp_path / "b.txt").write_text("roses in a vase")
    command = [sys.executable, "-m", "duretrieval", "index", "-c", str(tmp_path / "mine")]
    subprocess.run([*command, str(tmp_path / "a.txt")], check=True, capture_output=True)
    limit = ["sh", "-c", 'ulimit -f 2; exec "$0" "$@"']
    limited = subprocess.run([*limit, *command, str(tmp_path / "b.txt")], capture_output=True, text=True)
    assert limited.returncode == 1
    assert "Traceback" not in limited.stderr
    assert "cannot be used: a file would be larger than is allowed; raise the limit (ulimit -f)" in limited.stderr
    with Collection.open(tmp_path / "mine") as collection:
        assert len(collection) == 1
        assert collection.add([tmp_path / "a.txt", tmp_path / "b.txt"]).indexed == 1
        assert collection.verify() == []
