"""A collection that stays open while another process migrates it, makes it anew, moves or removes it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hashed import hashed

from duretrieval.collection.collection import Collection
from duretrieval.errors import CollectionLocked, CollectionMoved
from duretrieval.index.lance.store import LanceStore
from duretrieval.testing.stores import directions, text

NAMES = ("a.txt", "b.txt", "c.txt")
EVERYTHING: dict[str, Callable[[Collection, Path], object]] = {
    "search": lambda c, notes: c.search("rain", k=1)[0].item.source,
    "get": lambda c, notes: c.get(next(iter(c.items())).id),
    "items": lambda c, notes: sorted(Path(item.source).name for item in c.items()),
    "problems": lambda c, notes: list(c.problems()),
    "stats": lambda c, notes: c.stats().items,
    "len": lambda c, notes: len(c),
    "view": lambda c, notes: c.view().count(),
    "model": lambda c, notes: c.model.dim,
    "add": lambda c, notes: c.add(notes).unchanged,
    "remove": lambda c, notes: c.remove(where="name = 'none'"),
    "repair": lambda c, notes: c.repair(),
    "verify": lambda c, notes: c.verify(),
}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text(f"{name[0]}: rain and {name[0] * 5} on the roof")
    hashed(tmp_path / "first", 32)
    hashed(tmp_path / "same", 32, seed=1)
    hashed(tmp_path / "wider", 48)
    with Collection.open(tmp_path / "c", tmp_path / "first") as collection:
        collection.add(folder, workers=1)
    return folder


def migrate(path: Path, model: Path) -> None:
    """By someone else, who shares nothing with what is open but the path."""
    with Collection.open(path, any_model=True) as other:
        other.migrate(model, workers=1)


@pytest.mark.parametrize("other", ["same", "wider"])
def test_after_a_migration_it_is_opened_again_where_no_model_was_asked_for(
    tmp_path: Path, notes: Path, other: str
) -> None:
    with Collection.open(tmp_path / "c") as left_open:
        assert left_open.search("rain", k=1)
        migrate(tmp_path / "c", tmp_path / other)
        found = {name: ask(left_open, notes) for name, ask in EVERYTHING.items()}
        assert left_open.model.name == other
    with Collection.open(tmp_path / "c") as new:
        assert found == {name: ask(new, notes) for name, ask in EVERYTHING.items()}
    assert found["items"] == list(NAMES)
    assert (found["add"], found["verify"]) == (3, [])


@pytest.mark.parametrize("other", ["same", "wider"])
def test_after_a_migration_everything_is_refused_where_a_model_was_asked_for(
    tmp_path: Path, notes: Path, other: str
) -> None:
    left_open = {name: Collection.open(tmp_path / "c", tmp_path / "first") for name in EVERYTHING}
    assert all(c.search("rain", k=1) for c in left_open.values())
    migrate(tmp_path / "c", tmp_path / other)
    (notes / "d.txt").write_text("what the old model must not encode")
    said = rf"the collection at .*c was migrated to model .*{other} since it was opened; open it again"
    for name, ask in EVERYTHING.items():
        if name == "verify":  # which reads the place, whatever is open
            assert ask(left_open[name], notes) == []
            continue
        with pytest.raises(CollectionMoved, match=said):
            ask(left_open[name], notes)
    with Collection.open(tmp_path / "c") as collection:
        assert len(collection) == 3
        assert collection.verify() == []


def test_what_is_verified_is_the_model_of_now(tmp_path: Path, notes: Path) -> None:
    """The old one may be gone, and that is no fault."""
    with Collection.open(tmp_path / "c") as left_open:
        migrate(tmp_path / "c", tmp_path / "wider")
        (tmp_path / "first" / "model.toml").write_text("overwritten")
        assert left_open.verify() == []


def test_an_iteration_under_way_ends_with_the_old_or_with_a_sentence(tmp_path: Path, notes: Path) -> None:
    with Collection.open(tmp_path / "c") as left_open:
        items = left_open.items()
        next(items)
        migrate(tmp_path / "c", tmp_path / "wider")
        try:
            assert len(list(items)) == 2
        except CollectionMoved as error:
            assert "open it again" in str(error)  # noqa: PT017


@pytest.mark.parametrize("pinned", [True, False])
def test_a_collection_made_anew_with_the_same_model_goes_on(tmp_path: Path, notes: Path, pinned: bool) -> None:
    model = tmp_path / "first" if pinned else None
    with Collection.open(tmp_path / "c", model) as left_open:
        assert len(left_open) == 3
        shutil.rmtree(tmp_path / "c")
        (notes / "a.txt").unlink()
        with Collection.open(tmp_path / "c", tmp_path / "first") as anew:
            anew.add(notes, workers=1)
        assert EVERYTHING["items"](left_open, notes) == ["b.txt", "c.txt"]
        assert left_open.add(notes, workers=1).unchanged == 2


def test_a_collection_that_was_moved_or_removed_is_said_and_not_made_again(tmp_path: Path, notes: Path) -> None:
    with Collection.open(tmp_path / "c") as left_open:
        assert len(left_open) == 3
        (tmp_path / "c").rename(tmp_path / "elsewhere")
        for name in EVERYTHING.keys() - {"verify", "repair"}:
            with pytest.raises(
                CollectionMoved, match=r"the collection at .*c was moved or removed since it was opened"
            ):
                EVERYTHING[name](left_open, notes)
    assert not (tmp_path / "c").exists()


def test_a_store_that_another_replaced_refuses(tmp_path: Path) -> None:
    with LanceStore.create(tmp_path / "s", 8, {}) as store:
        store.add([text("a")], [directions(1, 8)], "m")
    left_open = LanceStore.open(tmp_path / "s")
    shutil.rmtree(tmp_path / "s")
    with LanceStore.create(tmp_path / "s", 8, {}) as store:
        store.add([text("b")], [directions(1, 8)], "m")
    for ask in (lambda: len(left_open), lambda: list(left_open.scan()), lambda: left_open.get(["a"])):
        with pytest.raises(CollectionMoved, match=r"was migrated, made anew, moved or removed since it was opened"):
            ask()


def test_a_writer_whose_store_is_taken_away_stores_nothing_anywhere(tmp_path: Path) -> None:
    with LanceStore.create(tmp_path / "s", 8, {}) as store:
        store.add([text("a")], [directions(1, 8)], "m")
        (tmp_path / "s").rename(tmp_path / "t")
        with pytest.raises(CollectionMoved, match="open it again"):
            store.add([text("b")], [directions(1, 8)], "m")
    assert not (tmp_path / "s").exists()
    assert [item.id for item in LanceStore.open(tmp_path / "t").scan()] == ["a"]


def test_who_writes_keeps_the_lock_while_the_store_is_replaced(tmp_path: Path, notes: Path) -> None:
    with Collection.open(tmp_path / "c") as collection, collection._handle.writing():
        command = ["migrate", "-c", str(tmp_path / "c"), "--model", str(tmp_path / "wider")]
        run = subprocess.run([sys.executable, "-m", "duretrieval", *command], capture_output=True, text=True)
        assert run.returncode == 1
        assert "another process is writing to" in run.stderr
        with pytest.raises(CollectionLocked, match="wait until it ends"):
            LanceStore.open(tmp_path / "c" / "parts.lance", write=True)
