"""What a store remembers of its files and of what was taken out, whatever happens to the record itself."""

import lance
import pytest

from duretrieval.errors import DamagedCollection
from duretrieval.index.lance import journal
from duretrieval.index.lance.damage import damage
from duretrieval.index.lance.journal import Journal
from duretrieval.index.lance.store import LanceStore
from duretrieval.testing.stores import directions, text
from duretrieval.whole import sha256

DIM = 8


@pytest.fixture
def path(tmp_path):
    with LanceStore.create(tmp_path / "s", DIM, {"model": "m"}) as store:
        store.add([text(id) for id in "abc"], [directions(1, DIM)] * 3, "m")
        store.remove(["b"])
    return tmp_path / "s"


def test_it_says_what_store_it_is_what_was_removed_and_every_file(path):
    record = journal.read(path)
    assert record.store == {"dim": DIM, "metadata": {"model": "m"}, "complete": True}
    assert (record.removed, record.damaged) == ({"b"}, False)
    assert record.files == {name: sha256(file) for name, file in journal.files(path)}


def test_what_comes_again_is_not_removed_any_more(path):
    with LanceStore.open(path, write=True) as store:
        store.add([text("b")], [directions(1, DIM)], "m")
        store.remove(["a"])
        assert journal.read(path).removed == {"a"}
        store.optimize()
    assert journal.read(path).removed == {"a"}
    assert len((path / "_journal").read_bytes().splitlines()) == 1


def test_a_line_that_a_kill_cut_short_is_no_damage_and_goes_with_the_next(path):
    with (path / "_journal").open("ab") as file:
        file.write(b'0123abcd {"removed": ["c"')
    assert not journal.read(path).damaged
    with LanceStore.open(path, write=True) as store:
        store.remove(["c"])
    assert journal.read(path).removed == {"b", "c"}
    assert damage(path) == []


@pytest.mark.parametrize("line", range(3))
def test_a_line_that_was_changed_is_damage(path, line):
    lines = (path / "_journal").read_bytes().splitlines(keepends=True)
    assert len(lines) >= 3
    lines[line] = lines[line].replace(b'"', b"'", 1)
    (path / "_journal").write_bytes(b"".join(lines))
    assert journal.read(path).damaged
    assert [fault.subject for fault in damage(path)] == ["_journal"]
    assert len(LanceStore.open(path)) == 2  # what is there can still be read
    with pytest.raises(DamagedCollection, match=r"_journal, which says what was removed, cannot be read"):
        LanceStore.open(path, write=True)


def test_a_kill_between_a_commit_and_its_line_is_no_damage(path, monkeypatch):
    with monkeypatch.context() as killed, LanceStore.open(path, write=True) as store:
        killed.setattr(Journal, "commit", lambda self: None)
        store.add([text("d")], [directions(1, DIM)], "m")
    assert LanceStore.open(path).verify() == []
    with LanceStore.open(path, write=True) as store:
        store.add([text("e")], [directions(1, DIM)], "m")
    assert journal.read(path).files.keys() == {name for name, _ in journal.files(path)}


def test_a_newest_version_that_is_gone_is_not_the_one_before(path):
    """Lance would take that for the newest, and `b` would be back."""
    newest = sorted((path / "_versions").glob("*.manifest"))[0]
    newest.unlink()
    assert lance.dataset(str(path)).count_rows("_item = 'b'") == 1
    with pytest.raises(DamagedCollection, match=rf"_versions/{newest.name} is missing|version \d+ of it is gone"):
        LanceStore.open(path)
    assert [fault.subject for fault in damage(path)] == [f"_versions/{newest.name}"]


def test_a_reader_that_stays_open_notices_that_the_newest_version_went(path):
    reader = LanceStore.open(path)
    sorted((path / "_versions").glob("*.manifest"))[0].unlink()
    with pytest.raises(DamagedCollection, match=r"version \d+ of it is gone"):
        list(reader.scan())
