"""A migration that is cut off, goes on, meets changes made meanwhile, a damaged beginning, or a full disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.hashed import hashed

from duretrieval.collection import upkeep
from duretrieval.collection.collection import Collection
from duretrieval.index.lance import place
from duretrieval.index.lance.store import LanceStore
from duretrieval.types import Item, Modality, Part


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Six items made in Python, all with one source, and two models."""
    hashed(tmp_path / "first", 32)
    hashed(tmp_path / "second", 48)
    with Collection.open(tmp_path / "c", tmp_path / "first") as collection:
        collection.add([Item(f"i{n}", "memory", (Part(Modality.TEXT, f"number {n}"),)) for n in range(6)], workers=1)
    return tmp_path


class CutOff(BaseException):
    """What ends a migration as abruptly as an exception can."""


def cut_off(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is encoded, nothing is swapped."""

    def stop(*args: object) -> None:
        raise CutOff

    with monkeypatch.context() as patched, Collection.open(world / "c", any_model=True) as collection:
        patched.setattr(place, "replace", stop)
        with pytest.raises(CutOff):
            collection.migrate(world / "second", workers=1)
    assert (world / "c" / "parts.lance.next").exists()


def ids(world: Path) -> list[str]:
    with Collection.open(world / "c") as collection:
        return sorted(item.id for item in collection.items())


def contents(world: Path) -> list[str]:
    return sorted(path.name for path in (world / "c").iterdir())


def test_what_was_removed_and_added_while_a_migration_was_cut_off_is_so_after_it(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(world, monkeypatch)
    with Collection.open(world / "c") as collection:
        assert collection.model.name == "first"
        collection.remove(["i2"])
        collection.add(Item("i9", "mine", (Part(Modality.TEXT, "number 9"),)), workers=1)
    with Collection.open(world / "c", any_model=True) as collection:
        collection.migrate(world / "second", workers=1)
    assert ids(world) == ["i0", "i1", "i3", "i4", "i5", "i9"]
    assert contents(world) == [".parts.lance.lock", "parts.lance"]
    assert upkeep.verify(world / "c") == []


@pytest.mark.parametrize("damage", ["versions", "emptied", "other model", "file"])
def test_a_beginning_that_is_of_no_use_is_dropped(world: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    beside = world / "c" / "parts.lance.next"
    if damage == "file":
        beside.write_text("not a store")
    elif damage == "other model":
        LanceStore.create(beside, 16, {"model": "x", "fingerprint": "x"}).close()
    else:
        cut_off(world, monkeypatch)
        shutil.rmtree(beside / "_versions" if damage == "versions" else beside)
        beside.mkdir(exist_ok=True)
    with Collection.open(world / "c", any_model=True) as collection:
        assert collection.migrate(world / "second", workers=1).indexed == 6
    assert len(ids(world)) == 6
    assert contents(world) == [".parts.lance.lock", "parts.lance"]


def test_the_store_before_goes_with_the_next_writer(world: Path) -> None:
    shutil.copytree(world / "c" / "parts.lance", world / "c" / "parts.lance.old")
    with Collection.open(world / "c", any_model=True) as collection:
        collection.migrate(world / "second", workers=1)
        collection.migrate(world / "first", workers=1)
    assert contents(world) == [".parts.lance.lock", "parts.lance"]


FULL = """
import resource, signal, sys
from duretrieval.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""


def with_files_up_to(size: int, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """A disk that is full, as far as a write can tell: it fails in the middle."""
    arguments = [sys.executable, "-c", FULL, str(size), *map(str, command)]
    return subprocess.run(arguments, capture_output=True, text=True)


@pytest.mark.parametrize("size", [200, 2_000, 6_000])
def test_a_full_disk_stops_a_migration_in_a_sentence_and_leaves_the_old_store(world: Path, size: int) -> None:
    run = with_files_up_to(size, "migrate", "-c", world / "c", "--model", world / "second", "--workers", "1")
    assert run.returncode == 1
    assert "error: the collection's place" in run.stderr
    assert "cannot be used: a file would be larger than is allowed; raise the limit (ulimit -f)" in run.stderr
    assert "Traceback" not in run.stderr
    assert len(ids(world)) == 6
    assert upkeep.verify(world / "c") == []
    with Collection.open(world / "c", any_model=True) as collection:
        collection.migrate(world / "second", workers=1)
    assert contents(world) == [".parts.lance.lock", "parts.lance"]


@pytest.mark.parametrize("size", [200, 2_000, 6_000])
def test_a_full_disk_stops_indexing_with_nothing_half_written(world: Path, size: int) -> None:
    notes = world / "notes"
    notes.mkdir()
    for i in range(40):
        (notes / f"{i}.txt").write_text(f"note {i}: " + "words that take some room " * 40)
    run = with_files_up_to(size, "index", notes, "-c", world / "c", "--workers", "1")
    assert run.returncode == 1
    assert "cannot be used: a file would be larger than is allowed" in run.stderr
    assert "Traceback" not in run.stderr
    assert upkeep.verify(world / "c") == []
    with Collection.open(world / "c") as collection:
        collection.add(notes, workers=1)
        assert len(collection) == 46
        assert collection.verify() == []
    assert contents(world) == [".parts.lance.lock", "parts.lance"]
