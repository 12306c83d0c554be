"""Damage is done to the dataset behind the store's back, and has to be reported."""

import lance
import numpy as np
import pyarrow as pa
import pytest

from duretrieval.index.lance.fault import Fault
from duretrieval.index.lance.store import LanceStore
from duretrieval.testing.stores import directions, text

DIM = 16


@pytest.fixture
def path(tmp_path):
    with LanceStore.create(tmp_path / "store", DIM, {}) as store:
        items = [text("a", 3, width=1), text("b", 1, width=2)]
        store.add(items, [directions(3), directions(1)], "m1")
    return tmp_path / "store"


def faults(path, model=None):
    return [(fault.subject, fault.problem) for fault in LanceStore.open(path).verify(model)]


def change(path, id, column, value):
    data = lance.dataset(str(path))
    row = data.to_table(filter=f"_id = '{id}'")
    place = row.schema.get_field_index(column)
    data.delete(f"_id = '{id}'")
    row = row.set_column(place, row.schema.field(column), pa.array([value], row.schema.field(column).type))
    lance.write_dataset(row, data, mode="append")


def test_all_is_well(path):
    assert faults(path) == faults(path, "m1") == []


def test_vectors_of_another_model(path):
    with LanceStore.open(path, write=True) as store:
        store.add([text("c")], [directions(1)], "m2")
    assert faults(path) == [("c", "part 0 has a vector of model m2, not m1")]
    assert len(faults(path, "m2")) == 4


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "part 1 is text but has no vector"),
        (np.full(DIM, 0.5), "part 1 has a vector of length 2 instead of 1"),
        (np.full(DIM, np.nan), "part 1 has a vector that is not finite"),
        (np.zeros(DIM), "part 1 has a vector of length 0 instead of 1"),
    ],
)
def test_vectors_that_no_encoder_made(path, value, problem):
    change(path, "a/1", "_vector", value)
    assert faults(path) == [("a", problem)]


def test_a_vector_of_nothing(path):
    change(path, "b/0", "modality", None)
    assert faults(path) == [("b", "part 0 has a vector but no modality")]


def test_a_missing_part_and_a_doubled_one(path):
    lance.dataset(str(path)).delete("_id = 'a/1'")
    assert faults(path) == [("a", "should have 3 rows, and has those numbered [0, 2]")]
    data = lance.dataset(str(path))
    lance.write_dataset(data.to_table(filter="_id = 'a/2'"), data, mode="append")
    assert faults(path) == [("a", "should have 3 rows, and has those numbered [0, 2, 2]")]


def test_parts_that_disagree_about_their_item(path):
    change(path, "a/2", "width", 7)
    assert faults(path) == [("a", "has parts that differ in 'width', which belongs to the whole item")]


def test_a_truncated_file_is_named_and_the_others_are_read(path):
    with LanceStore.open(path, write=True) as store:
        store.add([text("c")], [2 * directions(1) / 2], "m2")
    first = LanceStore.open(path)._data.get_fragments()[0].data_files()[0].path
    file = path / "data" / first
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    found = LanceStore.open(path).verify("m1")
    assert Fault("c", "part 0 has a vector of model m2, not m1") in found
    assert Fault(f"data/{first}", "has changed since it was written") in found


def test_a_truncated_file_that_no_journal_knows_is_named_too(path):
    file = path / "data" / LanceStore.open(path)._data.get_fragments()[0].data_files()[0].path
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    (path / "_journal").unlink()
    journal, damaged = LanceStore.open(path).verify("m1")
    assert journal == Fault("_journal", "is missing")
    assert damaged.subject == f"data/{file.name}"
    assert ".rs" not in damaged.problem
