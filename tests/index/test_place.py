import os
import subprocess
import sys
import threading

import lance
import pyarrow as pa
import pytest

from duretrieval.errors import CollectionError, CollectionLocked, NotACollection
from duretrieval.index.lance import place
from duretrieval.index.lance.store import LanceStore
from duretrieval.testing.stores import directions, text


def create(path):
    return LanceStore.create(path, 4, {"model": "m"})


def test_nothing_is_there(tmp_path):
    with pytest.raises(NotACollection, match=r"there is nothing at .*gone; index something into it first"):
        LanceStore.open(tmp_path / "gone")
    assert not (tmp_path / "gone").exists()


def test_nothing_is_there_on_object_storage():
    with pytest.raises(NotACollection, match="there is nothing at memory://gone"):
        LanceStore.open("memory://gone")


def test_something_else_is_there(tmp_path):
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"):
        (tmp_path / name).write_text("x")
    for opened in (lambda: LanceStore.open(tmp_path), lambda: create(tmp_path)):
        with pytest.raises(NotACollection, match=r"it holds a\.jpg, b\.jpg, c\.jpg and 2 more"):
            opened()
    for opened in (lambda: LanceStore.open(tmp_path / "a.jpg"), lambda: create(tmp_path / "a.jpg")):
        with pytest.raises(NotACollection, match="is a file"):
            opened()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]


def test_an_empty_folder_may_become_a_collection(tmp_path):
    with pytest.raises(NotACollection, match="it is an empty folder"):
        LanceStore.open(tmp_path)
    with create(tmp_path) as store:
        assert len(store) == 0


def test_a_lance_dataset_of_someone_else(tmp_path):
    lance.write_dataset(pa.table({"x": [1]}), tmp_path / "theirs")
    with pytest.raises(NotACollection, match="is a Lance dataset that something else made"):
        LanceStore.open(tmp_path / "theirs", write=True)


def test_a_store_of_a_later_version(tmp_path):
    create(tmp_path / "s").close()
    lance.dataset(str(tmp_path / "s")).update_schema_metadata({"duretrieval.store": "7"})
    with pytest.raises(CollectionError, match="has store format 7, and this version reads 1; upgrade duretrieval"):
        LanceStore.open(tmp_path / "s")


def test_a_collection_is_not_made_twice(tmp_path):
    create(tmp_path / "s").close()
    with pytest.raises(CollectionError, match=r"there is a collection at .* already; open it"):
        create(tmp_path / "s")


def test_what_a_killed_creation_left_is_cleared(tmp_path):
    half = tmp_path / "s"
    (half / "data").mkdir(parents=True)
    (half / "data" / "x.lance").write_bytes(b"half")
    (half / "_versions").mkdir()
    (half / "_writer.lock").touch()
    with create(half) as store:
        store.add([text("a")], [directions(1, 4)], "m")
    assert not (half / "data" / "x.lance").exists()


def test_one_process_writes(tmp_path):
    store = create(tmp_path / "s")
    code = (
        "import sys\n"
        "from duretrieval.errors import CollectionLocked\n"
        "from duretrieval.index.lance.store import LanceStore\n"
        "assert len(LanceStore.open(sys.argv[1])) == 0\n"
        "try: LanceStore.open(sys.argv[1], write=True)\n"
        "except CollectionLocked: print('locked')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "s")]
    run = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=True)
    assert run.stdout == "locked\n"
    with pytest.raises(CollectionLocked, match=r"another process is writing to .*; wait until it ends, or stop it"):
        LanceStore.open(tmp_path / "s", write=True)
    store.close()
    LanceStore.open(tmp_path / "s", write=True).close()


def test_a_store_opened_for_reading_refuses_to_change(tmp_path):
    store = create(tmp_path / "s")
    store.close()
    for reader in (store, LanceStore.open(tmp_path / "s")):
        for change in (lambda: reader.add([], [], "m"), lambda: reader.remove(["a"]), reader.optimize):  # noqa: B023
            with pytest.raises(CollectionError, match="is open for reading only; open it with write=True"):
                change()


def swapped(tmp_path, after):
    """A store "new" on its way into the place of "s", cut off after some of the steps."""
    for name, id in (("s", "old"), ("new", "new")):
        with create(tmp_path / name) as store:
            store.add([text(id)], [directions(1, 4)], "m")
    steps = [
        lambda: (tmp_path / "s").rename(tmp_path / "s.old"),
        lambda: (tmp_path / "new").rename(tmp_path / "s"),
        lambda: (tmp_path / "s.old" / "_journal").unlink(),
    ]
    for step in steps[:after]:
        step()
    return tmp_path / "s"


@pytest.mark.parametrize(("after", "left"), [(0, "old"), (1, "old"), (2, "new"), (3, "new")])
def test_a_swap_cut_off_anywhere_is_undone_or_done_and_the_next_one_works(tmp_path, after, left):
    path = swapped(tmp_path, after)
    assert [item.id for item in LanceStore.open(path).scan()] == [left]
    with LanceStore.open(path, write=True) as store:
        assert [item.id for item in store.scan()] == [left]
        assert not (tmp_path / "s.old").exists()
        with create(tmp_path / "another") as another:
            another.add([text("another")], [directions(1, 4)], "m")
        place.replace(path, tmp_path / "another")
    assert [item.id for item in LanceStore.open(path).scan()] == ["another"]
    assert {path.name for path in tmp_path.iterdir()} - {"new", ".new.lock"} == {"s", ".s.lock"}


def test_a_link_to_a_store_is_replaced_and_what_it_leads_to_left_alone(tmp_path):
    create(tmp_path / "elsewhere").close()
    (tmp_path / "s").symlink_to(tmp_path / "elsewhere")
    create(tmp_path / "new").close()
    place.replace(tmp_path / "s", tmp_path / "new")
    with LanceStore.open(tmp_path / "s", write=True):
        assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["elsewhere", "s"]
    assert not (tmp_path / "s").is_symlink()
    assert len(LanceStore.open(tmp_path / "elsewhere")) == 0


def test_a_reader_waits_for_a_swap_that_another_process_is_in_the_middle_of(tmp_path):
    path = swapped(tmp_path, 0)
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from duretrieval.index.lance import place\n"
        "path = Path(sys.argv[1])\n"
        "held = place.lock(path)\n"
        "path.rename(path.with_name('s.old'))\n"
        "print('between', flush=True)\n"
        "sys.stdin.readline()\n"
        "path.with_name('new').rename(path)\n"
        "held.release()"
    )
    command = [sys.executable, "-c", code, str(path)]
    swap = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert swap.stdout.readline() == "between\n"
    found = []
    reader = threading.Thread(target=lambda: found.extend(LanceStore.open(path).scan()))
    reader.start()
    swap.communicate("go on\n")
    reader.join()
    assert [item.id for item in found] == ["new"]


def test_a_swap_that_does_not_end_is_said(tmp_path, monkeypatch):
    path = swapped(tmp_path, 0)
    monkeypatch.setattr(place, "SWAP_S", 0.0)
    held = place.lock(path)
    path.rename(tmp_path / "s.old")
    with pytest.raises(CollectionLocked, match="another process is writing to"):
        LanceStore.open(path)
    held.release()
    assert [item.id for item in LanceStore.open(path).scan()] == ["old"]


def test_what_create_was_given_stays(tmp_path):
    with LanceStore.create(tmp_path / "s", 4, {"model": "builtin", "名": "图"}) as store:
        assert store.metadata == {"model": "builtin", "名": "图"}
    assert LanceStore.open(tmp_path / "s").metadata == {"model": "builtin", "名": "图"}
    assert LanceStore.open(tmp_path / "s").dim == 4
