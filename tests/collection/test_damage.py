"""Files of a collection are damaged: it is said in one sentence, and mended; what was removed stays removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import lance
import pytest
from tests.hashed import hashed

from duretrieval.collection import upkeep
from duretrieval.collection.collection import Collection
from duretrieval.errors import CollectionError, DamagedCollection
from duretrieval.index.lance.damage import files_of
from duretrieval.index.lance.journal import files
from duretrieval.types import Item, Modality, Part

NAMES = [f"note{i}.txt" for i in range(8)]
REMOVED = ("note2.txt", "note6.txt")
LEFT = sorted(set(NAMES) - set(REMOVED) | {"late.txt"})


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def garbage(path: Path) -> None:
    path.write_bytes(bytes(byte ^ 0x55 for byte in path.read_bytes()))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut": cut,
    "flip": flip,
    "garbage": garbage,
    "empty": empty,
    "gone": Path.unlink,
    "folder": to_folder,
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows in several files, some deleted, with indexes: note2 removed and merged away, note6 removed since."""
    folder = tmp_path_factory.mktemp("sound")
    notes = folder / "notes"
    notes.mkdir()
    for i, name in enumerate(NAMES):
        (notes / name).write_text(f"note number {i} is about " + "rain and wind on the roof. " * 30)
    hashed(folder / "model")
    with Collection.open(folder / "c", folder / "model") as collection:
        collection.add(notes, workers=1)
        collection.remove(where="name = 'note2.txt'")
        (notes / "late.txt").write_text("late, and about snow")
        collection.add(notes / "late.txt", workers=1)
        collection.remove(where="name = 'note6.txt'")
        assert names(collection) == LEFT
        assert collection.verify() == []
    return folder


def names(collection: Collection) -> list[str]:
    return sorted(Path(item.source).name for item in collection.items())


def store(path: Path) -> Path:
    return path / "parts.lance"


def pick(folder: Path) -> dict[str, str]:
    """One file of each kind that a store has."""
    found = [name for name, _ in files(folder)]
    versions = [name for name in found if name.startswith("_versions/")]
    now = lance.dataset(str(folder))
    live = [name for fragment in now.get_fragments() for name in files_of(fragment)]
    data = sorted((name for name in live if name.startswith("data/")), key=lambda n: (folder / n).stat().st_size)
    indexes = sorted(f"_indices/{index.segments[0].uuid}" for index in now.describe_indices())
    return {
        "small data": data[0],
        "large data": data[-1],
        "deleted": next(name for name in live if name.startswith("_deletions/")),
        "index": f"{indexes[0]}/page_data.lance",
        "another index": f"{indexes[-1]}/page_data.lance",
        "index table": f"{indexes[0]}/page_lookup.lance",
        "newest version": versions[0],
        "version before": versions[1],
        "transaction": next(name for name in found if name.startswith("_transactions/")),
        "journal": "_journal",
        "hint": "_versions/latest_version_hint.json",
    }


KINDS = [
    "small data",
    "large data",
    "deleted",
    "index",
    "another index",
    "index table",
    "newest version",
    "version before",
    "transaction",
    "journal",
    "hint",
]
HARMLESS = {("version before", "gone"), ("transaction", "gone"), ("hint", "any")}
"""Lance removes such files itself, or does without."""


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound / "c", tmp_path / "c")
    shutil.copytree(sound / "model", tmp_path / "model")  # it is recorded by the way from the collection to it
    return tmp_path / "c"


def read(path: Path) -> Iterator[Callable[[], object]]:
    """What a person may do to a collection without changing it."""

    def opened(ask: Callable[[Collection], object]) -> Callable[[], object]:
        def run() -> object:
            with Collection.open(path, create=False) as collection:
                return ask(collection)

        return run

    yield opened(lambda c: c.search("rain"))
    yield opened(lambda c: c.search("rain", where="name LIKE 'note%'"))
    yield opened(names)
    yield opened(lambda c: c.stats())
    yield opened(lambda c: [c.get(item.id) for item in c.items()])
    yield opened(lambda c: c.view().lookup(["x"]))


def sentence_or_answer(path: Path, ask: Callable[[], object]) -> None:
    try:
        ask()
    except DamagedCollection as error:
        said = str(error)
        assert said.startswith(f"the collection at {path} is damaged: ")
        assert said.endswith(f"Mend it with: duretrieval verify --repair -c {path}")
        assert "\n" not in said
        assert ".rs" not in said


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_any_file_damaged_is_named_said_and_mended(copy: Path, kind: str, damage: str) -> None:
    file = pick(store(copy))[kind]
    DAMAGES[damage](store(copy) / file)
    found = upkeep.verify(copy)
    assert (file in {fault.subject for fault in found}) == (not HARMLESS & {(kind, damage), (kind, "any")}), found
    for ask in read(copy):
        sentence_or_answer(copy, ask)
    left = Collection.repair_at(copy)
    mended = upkeep.verify(copy)
    assert mended == []
    assert [fault for fault in left if fault.subject != "_versions"] == []
    with Collection.open(copy) as collection:
        assert names(collection) == LEFT
        assert {Path(hit.item.source).name for hit in collection.search("rain")} == set(LEFT)
        assert collection.add(collection.get(next(collection.items()).id).source, workers=1).unchanged == 1
    assert sorted(path.name for path in copy.iterdir()) == [".parts.lance.lock", "parts.lance"]


@pytest.mark.parametrize("damage", ["garbage", "gone"])
@pytest.mark.parametrize("kind", ["large data", "deleted", "index", "newest version", "journal"])
def test_what_changes_a_damaged_collection_works_or_is_refused_and_loses_nothing(
    copy: Path, sound: Path, kind: str, damage: str
) -> None:
    DAMAGES[damage](store(copy) / pick(store(copy))[kind])

    def change(ask: Callable[[Collection], object]) -> Callable[[], object]:
        def run() -> None:
            with Collection.open(copy, any_model=True) as collection:
                ask(collection)

        return run

    sentence_or_answer(copy, change(lambda c: c.add(Item("new", "new", (Part(Modality.TEXT, "new words"),)))))
    sentence_or_answer(copy, change(lambda c: c.remove(where="name = 'late.txt'")))
    sentence_or_answer(copy, change(lambda c: c.migrate(sound / "model", workers=1)))
    Collection.repair_at(copy)
    assert upkeep.verify(copy) == []
    with Collection.open(copy) as collection:
        assert set(names(collection)) - {"new", "late.txt"} == set(LEFT) - {"late.txt"}


@pytest.mark.parametrize("gone", ["_versions", "_deletions", "_indices", "data"])
def test_a_folder_that_is_gone(copy: Path, gone: str) -> None:
    shutil.rmtree(store(copy) / gone)
    assert upkeep.verify(copy) != []
    for ask in read(copy):
        sentence_or_answer(copy, ask)
    with pytest.raises(DamagedCollection), Collection.open(copy) as collection:  # never made anew over what is there
        collection.add(Item("new", "new", (Part(Modality.TEXT, "new words"),)))
    Collection.repair_at(copy)
    assert upkeep.verify(copy) == []
    with Collection.open(copy) as collection:
        assert sorted({*names(collection), "new"} - {"new"}) == LEFT


def test_what_cannot_be_read_again_is_named(copy: Path, sound: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "rows.csv"
    manifest.write_text("id,text\nr1,one row\nr2,another row\n")
    with Collection.open(copy) as collection:
        collection.add_manifests(manifest, workers=1)
    for name, path in files(store(copy)):
        if name.startswith("data/"):
            garbage(path)
    left = Collection.repair_at(copy)
    assert [fault.subject for fault in left] == [f"{manifest}#r1", f"{manifest}#r2"]
    assert left[0].problem == (f"was lost with a damaged file; index {manifest} again")
    with Collection.open(copy) as collection:
        assert names(collection) == LEFT
        assert collection.add_manifests(manifest, workers=1).indexed == 2
        assert collection.verify() == []


def test_what_was_lost_is_known_until_it_is_mended_or_told(copy: Path) -> None:
    """A kill may come after the damaged files went, and before anything is read again."""
    garbage(store(copy) / pick(store(copy))["large data"])
    upkeep.mend(copy)
    lost = [fault for fault in upkeep.verify(copy) if "was lost with a damaged file" in fault.problem]
    assert {Path(fault.subject).name for fault in lost} < set(LEFT)
    assert len(lost) > 1
    assert Collection.repair_at(copy) == []
    with Collection.open(copy) as collection:
        assert names(collection) == LEFT


def test_without_the_journal_what_was_lost_is_named_and_not_brought_back(copy: Path) -> None:
    """Nothing says any more that note6 was removed."""
    (store(copy) / "_journal").unlink()
    garbage(store(copy) / pick(store(copy))["deleted"])
    left = {Path(fault.subject).name: fault.problem for fault in Collection.repair_at(copy)}
    assert "note6.txt" in left
    assert left["note6.txt"] == "was lost with a damaged file, or removed before; index it again if it belongs here"
    with Collection.open(copy) as collection:
        assert not set(REMOVED) & set(names(collection))
        assert set(names(collection)) | set(left) >= set(LEFT)


def test_nothing_is_left_to_mend_with(copy: Path) -> None:
    shutil.rmtree(store(copy) / "_versions")
    garbage(store(copy) / "_journal")
    with pytest.raises(CollectionError, match=r"nothing in .*c says what it held, .* move it away"):
        Collection.repair_at(copy)


def test_a_lock_that_is_a_folder(copy: Path) -> None:
    (copy / ".parts.lance.lock").unlink()
    (copy / ".parts.lance.lock").mkdir()
    with Collection.open(copy) as collection:
        assert names(collection) == LEFT
        with pytest.raises(CollectionError, match=r"lance\.lock cannot be locked: is a folder; .* may be removed"):
            collection.remove(["x"])


def test_an_empty_folder_of_parts_is_no_collection(tmp_path: Path, sound: Path) -> None:
    store(tmp_path / "c").mkdir(parents=True)
    with pytest.raises(CollectionError, match="there is no collection at"):
        upkeep.verify(tmp_path / "c")
    with Collection.open(tmp_path / "c", sound / "model") as collection:
        assert len(collection) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read anything")
def test_a_file_that_may_not_be_read_is_not_called_damaged(copy: Path) -> None:
    (store(copy) / pick(store(copy))["large data"]).chmod(0)
    with pytest.raises(CollectionError, match="cannot be used: permission denied"), Collection.open(copy) as collection:
        names(collection)


@pytest.mark.parametrize("command", [["search", "rain"], ["stats"], ["show", "a"], ["verify"], ["index", "."]])
def test_on_the_command_line_damage_is_one_sentence(copy: Path, command: list[str]) -> None:
    garbage(store(copy) / pick(store(copy))["newest version"])
    run = subprocess.run(
        [sys.executable, "-m", "duretrieval", *command, "-c", str(copy)], capture_output=True, text=True, cwd=copy
    )
    assert run.returncode == 1
    said = run.stdout if command == ["verify"] else run.stderr
    assert "_versions/" in said
    assert "Traceback" not in run.stderr
