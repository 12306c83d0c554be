"""What a kill, a full disk or a bad byte leaves between two steps of the store."""

import threading
from datetime import timedelta
from pathlib import Path

import lance
import pytest

from duretrieval.errors import CollectionError, CollectionLocked, DamagedCollection
from duretrieval.index.lance import journal, mend
from duretrieval.index.lance.damage import damage
from duretrieval.index.lance.journal import Journal
from duretrieval.index.lance.store import LanceStore
from duretrieval.index.lance.upkeep import Upkeep
from duretrieval.testing.stores import directions, text

DIM = 64


class Killed(BaseException):
    pass


def killed(*_: object) -> None:
    raise Killed


def add(store: LanceStore, *ids: str) -> None:
    store.add([text(id_) for id_ in ids], [directions(1, DIM, seed=ord(id_[0])) for id_ in ids], "m")


def ids(store: LanceStore) -> list[str]:
    return sorted(item.id for item in store.scan())


@pytest.fixture
def store(tmp_path):
    with LanceStore.create(tmp_path / "s", DIM, {"model": "m"}) as made:
        for id_ in "abc":
            add(made, id_)
        yield made


def spoil_a_transaction(path: Path) -> None:
    next((path / "_transactions").iterdir()).write_bytes(b"x")


@pytest.fixture(params=["the next writer comes first", "it is mended at once"])
def came_again_and_killed(request, store, tmp_path, monkeypatch):
    """`b` was removed and came again; a kill kept that from the journal."""
    store.remove(["b"])
    with monkeypatch.context() as kill:
        kill.setattr(Journal, "came", killed)
        with pytest.raises(Killed):
            add(store, "b")
    store.close()
    assert (ids(store), journal.read(tmp_path / "s").removed) == (["a", "b", "c"], {"b"})
    if request.param == "the next writer comes first":
        LanceStore.open(tmp_path / "s", write=True).close()
        assert journal.read(tmp_path / "s").removed == set()
    return tmp_path / "s"


def test_what_came_again_before_a_kill_is_not_mended_away(came_again_and_killed):
    spoil_a_transaction(came_again_and_killed)
    mend.mend(came_again_and_killed)
    mended = LanceStore.open(came_again_and_killed)
    assert ids(mended) == ["a", "b", "c"]
    assert (mended.record.removed, mended.record.lost) == (set(), {})


def test_what_was_to_be_removed_before_a_kill_is_there_until_it_is(store, tmp_path):
    store.close()
    Journal(tmp_path / "s").removing(["b"])  # and then the kill
    spoil_a_transaction(tmp_path / "s")
    mend.mend(tmp_path / "s")
    mended = LanceStore.open(tmp_path / "s")
    assert (ids(mended), mended.record.removed) == (["a", "b", "c"], set())


def test_what_was_removed_stays_so_where_the_newest_version_is_gone(store, tmp_path):
    store.remove(["b"])
    store.close()
    sorted((tmp_path / "s" / "_versions").glob("*.manifest"))[0].unlink()
    mend.mend(tmp_path / "s")
    mended = LanceStore.open(tmp_path / "s")
    assert (ids(mended), mended.record.removed, mended.record.lost) == (["a", "c"], {"b"}, {})


def test_what_was_removed_stays_so_where_the_journal_cannot_say_which_version_is_the_newest(store, tmp_path):
    store.remove(["b"])
    store.close()
    sorted((tmp_path / "s" / "_versions").glob("*.manifest"))[0].unlink()
    lines = (tmp_path / "s" / "_journal").read_bytes().splitlines(keepends=True)
    (tmp_path / "s" / "_journal").write_bytes(b"".join(lines[:-1]) + b"x" + lines[-1])
    assert (journal.read(tmp_path / "s").removed, journal.read(tmp_path / "s").damaged) == ({"b"}, True)
    mend.mend(tmp_path / "s")
    assert ids(LanceStore.open(tmp_path / "s")) == ["a", "c"]


def test_a_mending_that_cannot_be_finished_leaves_nothing(store, tmp_path, monkeypatch):
    store.close()
    spoil_a_transaction(tmp_path / "s")
    write = lance.write_dataset

    def full(*arguments, **options):
        write(*arguments, **options)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lance, "write_dataset", full)
    with pytest.raises(CollectionError, match="the disk is full"):
        mend.mend(tmp_path / "s")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".s.lock", "s"]


def test_damaged_rows_are_not_written_anew_under_another_hash(tmp_path):
    """Merging small files would read them, and the file with the bad byte would go."""
    path = tmp_path / "s"
    with LanceStore.create(path, DIM, {"model": "m"}, upkeep=Upkeep(keep=timedelta(0))) as store:
        for id_ in "abc":
            add(store, id_)
    vector = directions(1, DIM, seed=ord("a")).tobytes()
    file = next(file for file in (path / "data").iterdir() if vector in file.read_bytes())
    content = bytearray(file.read_bytes())
    content[content.find(vector) + 1] ^= 16
    file.write_bytes(content)
    for write in (LanceStore.optimize, lambda store: [add(store, id_) for id_ in "defgh"]):
        with (
            LanceStore.open(path, write=True, upkeep=Upkeep(keep=timedelta(0), after_commits=6)) as store,
            pytest.raises(DamagedCollection, match=rf"data/{file.name} has changed .* verify --repair"),
        ):
            write(store)
        assert [fault.subject for fault in damage(path)] == [f"data/{file.name}"]


def test_a_reader_of_what_was_tidied_away_is_not_told_of_damage(tmp_path, monkeypatch):
    path = tmp_path / "s"
    with LanceStore.create(path, DIM, {"model": "m"}, upkeep=Upkeep(keep=timedelta(0))) as store:
        add(store, "a")
        add(store, "b")
        reader = LanceStore.open(path)
        monkeypatch.setattr(reader, "_newest", lambda data=reader._data: data)  # in the middle of an old version
        store.optimize()
        add(store, "c")
        store.optimize()
    with pytest.raises(CollectionError, match=r"was changed and tidied while this was read .* read it again") as said:
        reader.vectors(["a"])
    assert not isinstance(said.value, DamagedCollection)
    assert damage(path) == []


def test_a_store_that_is_closed_keeps_its_lock_until_the_last_write_is_whole(store, tmp_path, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(self: Journal) -> None:
        begun.set()
        go_on.wait(10)

    monkeypatch.setattr(Journal, "commit", slow)
    writing = threading.Thread(target=add, args=(store, "d"))
    writing.start()
    begun.wait(10)
    closing = threading.Thread(target=store.close)
    closing.start()
    closing.join(0.2)
    with pytest.raises(CollectionLocked):
        LanceStore.open(tmp_path / "s", write=True)
    go_on.set()
    writing.join()
    closing.join()
    LanceStore.open(tmp_path / "s", write=True).close()


def test_an_item_that_is_there_twice_is_a_fault(store, tmp_path):
    rows = lance.dataset(str(tmp_path / "s")).to_table(filter="_item = 'b'")
    lance.write_dataset(rows, str(tmp_path / "s"), mode="append")
    assert [(fault.subject, fault.problem) for fault in store.verify()] == [("b", "is there more than once")]


def test_a_folder_whose_path_looks_like_an_address_is_verified_and_mended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("ab:/c/parts.lance")
    path.parent.mkdir(parents=True)
    with LanceStore.create(str(path), DIM, {"model": "m"}) as store:
        add(store, "a")
        assert store.verify() == []
    spoil_a_transaction(path)
    mend.mend(str(path))
    assert (ids(LanceStore.open(str(path))), damage(str(path))) == (["a"], [])
