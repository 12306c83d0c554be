"""What a walk passes over, refuses and reaches."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from duretrieval import Item, Modality, Part
from duretrieval.collection import changed, copies, sources
from duretrieval.collection.collection import Collection
from duretrieval.errors import MediaError
from duretrieval.media.folders import digest, walk
from duretrieval.media.limits import Limits


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.txt").write_text("tulips in spring")
    return tmp_path / "media"


def problems(report_or_walk: object) -> dict[str, str]:
    return {Path(source).name: problem for source, problem in getattr(report_or_walk, "problems").items()}  # noqa: B009


def runs(place: Path, *paths: Path) -> Iterator[tuple[int, int]]:
    """(indexed, unchanged) of one run after another."""
    while True:
        with Collection.open(place) as collection:
            report = collection.add(list(paths))
            assert report.problems == {}
            yield report.indexed, report.unchanged


@pytest.mark.parametrize("place", ["mine", "deeper/still/mine", "a b c 集合", "x.txt"])
def test_a_collection_never_indexes_itself(folder: Path, place: str) -> None:
    run = runs(folder / place, folder)
    assert [next(run) for _ in range(3)] == [(1, 0), (0, 1), (0, 1)]


def test_nor_another_however_one_comes_there(folder: Path, tmp_path: Path) -> None:
    other = folder / "other"
    assert next(runs(other, folder)) == (1, 0)
    (tmp_path / "elsewhere").mkdir()
    for name, target in [("all", other), ("parts", other / "parts.lance"), ("data", other / "parts.lance/data")]:
        (tmp_path / "elsewhere" / name).symlink_to(target)
    inside = next((other / "parts.lance" / "data").iterdir())
    (tmp_path / "elsewhere" / "one.txt").symlink_to(inside)
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    run = runs(tmp_path / "collection", folder)
    assert [next(run), next(run)] == [(1, 0), (0, 1)]
    shutil.copytree(other / "parts.lance", folder / "of another name")
    assert next(run) == (0, 1)


def test_leftovers_of_a_migration_and_of_a_killed_creation_are_no_files(folder: Path) -> None:
    run = runs(folder / "mine", folder)
    next(run)
    parts = folder / "mine" / "parts.lance"
    for name in ("parts.lance.next", "parts.lance.old"):
        shutil.copytree(parts, folder / "mine" / name)
    (folder / "killed" / "parts.lance" / "data").mkdir(parents=True)
    (folder / "killed" / "parts.lance" / "data" / "x.lance").write_bytes(b"\0" * 100)
    (folder / "killed" / "parts.lance" / "_writer.lock").touch()
    assert next(run) == (0, 1)


@pytest.mark.parametrize("given", ["mine", "mine/parts.lance", "mine/parts.lance/data", "link", "inner"])
def test_a_path_into_a_collection_is_refused(folder: Path, tmp_path: Path, given: str) -> None:
    next(runs(tmp_path / "mine", folder))
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    (tmp_path / "inner").symlink_to(tmp_path / "mine/parts.lance/data")
    for place in ("mine", "other"):
        with (
            Collection.open(tmp_path / place) as collection,
            pytest.raises(
                MediaError, match=rf"'.*{given}' is a collection, or a part of one \(.*parts\.lance.*\), and no"
            ),
        ):
            collection.add(tmp_path / given)


def test_files_beside_a_collection_are_files(folder: Path) -> None:
    run = runs(folder, folder)
    assert [next(run), next(run)] == [(1, 0), (0, 1)]


def test_what_was_indexed_of_a_collection_is_pruned(folder: Path) -> None:
    with Collection.open(folder / "mine") as collection:
        collection.add(folder)
        eaten = folder / "mine/parts.lance/data/x.lance"
        eaten.touch()
        collection.add(Item("eaten", str(eaten), problem="it is empty"))
        assert collection.add(folder, prune=True).removed == 1


def test_a_file_over_the_limit_is_refused_unread(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "vm.img").open("wb") as file:
        file.truncate(6_000_000_000)
    hashed: list[Path] = []
    monkeypatch.setattr(sources, "digest", lambda path: hashed.append(path) or digest(path))
    with Collection.open(folder.parent / "collection", limits=Limits(max_bytes=1_000_000)) as collection:
        report = collection.add(folder)
        assert problems(report) == {
            "vm.img": "it has 6,000,000,000 bytes, above the limit of 1,000,000; raise `max_bytes` to read it"
        }
        assert hashed == [folder / "a.txt"]
        assert collection.add(folder).unchanged == 2


def test_folders_deeper_than_calls(folder: Path, request: pytest.FixtureRequest) -> None:
    """900 of them by names of one letter; and on, to where no path reaches."""
    request.addfinalizer(lambda: subprocess.run(["rm", "-rf", folder], check=True))  # Python's own does not come down
    here = os.open(folder, os.O_RDONLY)
    for depth in range(2500):
        os.mkdir("d", dir_fd=here)
        if depth in (899, 2499):
            with os.fdopen(os.open("deep.txt", os.O_CREAT | os.O_WRONLY, dir_fd=here), "w") as file:
                file.write(f"tulips at {depth}")
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
    with Collection.open(folder.parent / "collection") as collection:
        report = collection.add(folder)
        assert (report.indexed, list(report.problems.values())) == (3, ["it cannot be looked at: file name too long"])
        assert sum(item.problem is None for item in collection.items()) == 2
        assert collection.add(folder, prune=True).removed == 0
        assert collection.verify() == []


def test_links_in_a_ring(folder: Path) -> None:
    (folder / "up").symlink_to(folder)
    (folder / "ring").symlink_to("ring")
    (folder / "x").mkdir()
    (folder / "x" / "y").symlink_to(folder / "z")
    (folder / "z").symlink_to(folder / "x")
    found = {source.path.name: source.problem for source in walk([folder])}
    assert found == {"a.txt": None, "ring": "it cannot be looked at: too many levels of symbolic links"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows itself as files")
def test_the_system_is_no_place_of_files(folder: Path) -> None:
    for number, target in enumerate(["/proc", "/sys", "/proc/kmsg", "/proc/self/mem", "/sys/kernel", "/dev/zero"]):
        (folder / f"l{number}").symlink_to(target)
    shown = "it lies where the system shows itself (as in /proc, /sys and /dev), which is no place of files"
    device = "it is not a file but a device, pipe or socket"
    expected = {**{f"l{n}": shown for n in range(5)}, "l5": device}
    with Collection.open(folder.parent / "collection") as collection:
        assert problems(collection.add(folder)) == expected
        rows = [Item(f"i{n}", f"i{n}", (Part(Modality.IMAGE, folder / f"l{n}"),)) for n in (2, 3, 5)]
        report = collection.add(rows)
        assert report.problems == {f"i{n}": f"l{n}: {expected[f'l{n}']}" for n in (2, 3, 5)}
        with pytest.raises(MediaError, match="not a file but a device, pipe or socket"):
            collection.search(folder / "l5")


def test_pipes_and_sockets_are_listed_at_once(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
    with Collection.open(folder.parent / "collection") as collection:
        assert set(problems(collection.add(folder))) == {"pipe", "socket"}
        report = collection.add(Item("i", "i", (Part(Modality.AUDIO, folder / "pipe"),)))
        assert report.problems == {"i": "pipe: it is not a file but a device, pipe or socket"}
    assert len(digest(folder / "pipe")) == 32  # of nothing, and without waiting


def test_a_file_that_grows_while_it_is_read_has_an_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, fstat = digest(folder / "a.txt"), os.fstat

    def grows(descriptor: int) -> os.stat_result:
        facts = fstat(descriptor)
        (folder / "a.txt").write_text("tulips in spring and more" * 1000)
        return facts

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", grows)
        assert digest(folder / "a.txt") == before


def test_what_vanishes_during_a_walk_was_not_there(folder: Path) -> None:
    for name in ("b.txt", "c.txt", "d"):
        (folder / name).mkdir() if name == "d" else (folder / name).write_text(name)
    found = walk([folder])
    assert next(found).path.name == "a.txt"
    (folder / "b.txt").unlink()
    (folder / "d").rmdir()
    assert [(source.path.name, source.problem) for source in found] == [("c.txt", None)]


def test_a_file_that_vanishes_before_it_is_decoded_is_a_problem(folder: Path) -> None:
    (folder / "b.txt").write_text("roses")
    with Collection.open(folder.parent / "collection") as collection:
        found = list(sources.from_paths([folder]))
        (folder / "b.txt").unlink()
        report = collection._ingest(found, None, False, 1)
        assert problems(report) == {"b.txt": "it cannot be opened: no such file or directory"}
        assert len(collection.search("tulips")) == 1


def test_copies_by_the_thousand_are_looked_at_once_each(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    gone = copies.is_gone

    def counted(path: Path) -> bool:
        nonlocal looks
        looks += 1
        return bool(gone(path))

    monkeypatch.setattr(copies, "is_gone", counted)
    monkeypatch.setattr(changed, "BATCH", 10)
    for number in range(60):
        (folder / f"copy{number}.txt").write_text("tulips in spring")
    with Collection.open(folder.parent / "collection") as collection:
        assert collection.add(folder / "a.txt").indexed == 1
        report = collection.add(folder)
        assert (report.indexed, report.unchanged, looks) == (60, 1, 1)
        shutil.move(folder, folder.with_name("moved"))
        looks = 0
        report = collection.add(folder.with_name("moved"))
        assert (report.indexed, report.moved, looks) == (0, 61, 61)
        assert len(collection) == 61
        assert collection.verify() == []


def test_a_copy_of_what_has_changed_since_is_read_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed, "BATCH", 1)
    (folder / "b.txt").write_text("tulips in spring")
    with Collection.open(folder.parent / "collection") as collection:
        collection.add([folder / "a.txt", folder / "b.txt"])
        (folder / "c.txt").write_text("tulips in spring")
        (folder / "a.txt").write_text("roses in a vase")
        collection.add(folder)
        texts = {item.fields["name"]: item.parts[0].content for item in collection.items()}
        assert texts == {"a.txt": "roses in a vase", "b.txt": "tulips in spring", "c.txt": "tulips in spring"}


def test_twins_with_a_problem_are_both_tried_again(folder: Path) -> None:
    for name in ("x.jpg", "y.jpg"):
        (folder / name).write_bytes(b"\xff\xd8\xff\xe0 not much of a picture")
    with Collection.open(folder.parent / "collection") as collection:
        collection.add(folder)
        assert collection.add([folder / "x.jpg"], retry=True).indexed == 1
        assert collection.add(folder, retry=True).indexed == 2
