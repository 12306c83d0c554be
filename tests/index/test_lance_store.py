"""What the Lance store does beyond the contract; each trap of the format that was met has its test here."""

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duretrieval.errors import ConfigError, QueryError, ShapeError, UnknownField
from duretrieval.index.lance.store import LanceStore
from duretrieval.index.lance.upkeep import Upkeep
from duretrieval.testing.stores import directions, text
from duretrieval.types import Item, Modality, Part

DIM = 16


@pytest.fixture
def store(tmp_path):
    with LanceStore.create(tmp_path / "store", DIM, {"model": "m"}) as store:
        yield store


def add(store, *items, model="m"):
    store.add(items, [directions(len(item.parts), store.dim, seed=len(item.id)) for item in items], model)


def test_of_two_items_with_one_id_in_a_batch_the_last_stays(store):
    add(store, text("a", 3), text("b"), text("a", 2, width=1))
    assert store.get(["a"]) == [text("a", 2, width=1)]
    assert (len(store), store.verify()) == (2, [])


def test_adding_the_same_batch_after_a_crash_doubles_nothing(store):
    for _ in range(3):
        add(store, text("a", 3), text("b"))
    assert (len(store), len(store.search(directions(1)[0], 100))) == (2, 4)


def test_a_batch_is_one_commit(store):
    add(store, text("a", 3, width=1))
    before = store.version
    add(store, text("a", 1, width=2), text("b", 2, width=2))
    assert store.version == before + 1


def test_a_reader_sees_every_commit(store, tmp_path):
    reader = LanceStore.open(tmp_path / "store")
    assert len(reader) == 0
    add(store, text("a", 1, width=5))
    assert (len(reader), reader.version) == (1, store.version)
    assert reader.fields()["width"] == "integer"
    assert [match.item for match in reader.search(directions(1)[0], 1, where="width = 5")] == ["a"]
    store.remove(["a"])
    assert list(reader.scan()) == []


def test_vectors_that_are_not_unit_are_refused(store):
    with pytest.raises(ShapeError, match="item 'a': the vector of part 1 has length 2; an encoder must give unit rows"):
        store.add([text("a", 2)], [directions(2) * np.array([[1], [2]], np.float32)], "m")
    with pytest.raises(ShapeError, match="item 'a': the vector of part 0 is not finite"):
        store.add([text("a", 1)], [np.full((1, DIM), np.inf, np.float32)], "m")
    with pytest.raises(ShapeError, match=r"item 'a' has 2 parts, so expected vectors \(2, 16\); got \(16,\)"):
        store.add([text("a", 2)], [directions(1)[0]], "m")


# Fields


def test_integers_widen_to_numbers_when_a_fraction_arrives(store):
    add(store, text("a", 1, price=3, width=1), text("b", 1, price=2**40))
    add(store, text("c", 1, price=2.5))
    assert store.fields()["price"] == "number"
    assert store.fields()["width"] == "integer"
    assert [item.fields.get("price") for item in store.get(["a", "b", "c"])] == [3.0, 2.0**40, 2.5]
    assert [match.item for match in store.search(directions(1)[0], 9, where="price > 2.9 AND price < 10")] == ["a"]
    add(store, text("d", 1, price=4))
    assert store.get(["d"])[0].fields["price"] == 4.0
    assert not any(name.startswith("_") for name in store.fields())
    add(store, text("e", 1, width=0.5, new=1), text("f", 1, new=1.5))
    assert [store.fields()[name] for name in ("width", "new")] == ["number", "number"]


def test_a_value_of_another_type_is_refused_by_name(store):
    add(store, text("a", 1, price=3))
    message = "field 'price' holds integers here; item 'sku-17' brings text 'abc'. Convert the value, or give it"
    with pytest.raises(ConfigError, match=message):
        add(store, text("new"), text("sku-17", 1, price="abc"))
    with pytest.raises(ConfigError, match="holds integers here; item 'b' brings boolean True"):
        add(store, text("b", 1, price=True))
    assert len(store) == 1


@pytest.mark.parametrize("name", ["modality", "source", "problem", "page", "start_s", "file"])
def test_a_field_may_not_take_a_name_of_the_store(store, name):
    with pytest.raises(ConfigError, match=f"item 'a' has a field '{name}', a name the store needs itself.*end_char"):
        add(store, text("a", 1, **{name: "x"}))


@pytest.mark.parametrize("name", ["", "_vector", "_own", "a.b", "a`b", "a\nb"])
def test_a_field_name_that_no_filter_could_write(store, name):
    with pytest.raises(ConfigError, match=r"item 'a' has a field .*; rename it: a name has at least one character"):
        add(store, text("a", 1, **{name: 1}))


def test_fields_may_have_the_names_people_choose(store):
    names = [
        "id",
        "text",
        "type",
        "item",
        "n",
        "vector",
        "select",
        "order",
        "interval",
        "Page",
        "名",
        "a b",
        'a"b',
        "e-f",
    ]
    item = replace(text("a"), fields={name: i for i, name in enumerate(names)})
    add(store, item)
    assert store.get(["a"]) == [item]
    for i, name in enumerate(names):
        assert store.count(f"`{name}` = {i}") == 1, name


def test_values_that_no_field_holds(store):
    with pytest.raises(ConfigError, match="field 'x' of item 'a' is a list; a field holds text, a number"):
        add(store, text("a", 1, x=[1]))
    with pytest.raises(ConfigError, match="field 'x' of item 'a' is 9223372036854775808, past 64 bits"):
        add(store, text("a", 1, x=2**63))
    with pytest.raises(ConfigError, match="is not valid Unicode, so no store can keep it; rename the file"):
        add(store, text("\udcff"))


def test_a_date_without_a_zone_counts_as_utc_and_no_value_as_no_field(store):
    add(store, text("a", 1, taken=datetime(2024, 5, 1), nothing=None))
    assert dict(store.get(["a"])[0].fields) == {"taken": datetime(2024, 5, 1, tzinfo=UTC)}


def test_a_filter_that_lance_refuses_says_so_in_plain_words(store):
    add(store, text("a", 1, width=5))
    for where, complaint in [
        ("width >", "Expected: an expression"),
        ("width > 'x'", "could not convert"),
        ("nofunc(width) > 1", "no function 'nofunc'"),
        ("width", "does not return a boolean"),
    ]:
        with pytest.raises(QueryError, match=complaint) as caught:
            store.search(directions(1)[0], 1, where=where)
        assert ".rs" not in str(caught.value)


@pytest.mark.parametrize("where", ["width / 0 = 1", "width / 0 = 1 AND start_char IS NULL"])
def test_a_filter_that_fails_over_a_row_says_so_in_plain_words(store, where):
    add(store, text("a", 1, width=5))
    for ask in (
        lambda: store.search(directions(1)[0], 1, where=where),
        lambda: store.count(where),
        lambda: list(store.scan(where)),
        lambda: list(store.parts(where=where)),
        lambda: store.tally("width", where),
    ):
        with pytest.raises(QueryError, match=r"^the filter .* cannot be used: Divide by zero error$"):
            ask()


def test_a_fraction_elsewhere_in_a_filter_takes_nothing_from_large_integers(store):
    """As fractions, the ids of ten neighbours would be one."""
    add(store, *(text(str(i), 1, post=1_500_000_000_000_000_000 + i, score=i / 10) for i in range(10)))
    asked = "post = 1500000000000000003 AND score > 0.25"
    assert [item.id for item in store.scan(asked)] == ["3"]
    assert [match.item for match in store.search(directions(1)[0], 10, where=asked)] == ["3"]


@pytest.mark.parametrize("column", ["kidn", "a`b", ""])
def test_a_field_to_count_by_that_is_not_there_is_named_and_no_filter(store, column):
    add(store, text("a", 1, kind="x"))
    with pytest.raises(UnknownField, match=rf"^no field '{column}'\.( Did you mean 'kind'\?)? There are: end_char, "):
        store.tally(column)


# Asking for more than vectors


def test_lookup_and_digest(store):
    moved = Item("b", "/files/b", digest="digest a", stamp="2", problem="broken")
    add(store, text("a", 2), moved)
    assert store.lookup(["/files/a", "/files/b", "/files/c"]) == {"/files/a": ("a", "stamp a"), "/files/b": ("b", "2")}
    assert store.copies(["digest a", "digest x"]) == {"digest a": [("a", "/files/a"), ("b", "/files/b")]}
    assert store.copies(["digest a"], usable=True) == {"digest a": [("a", "/files/a")]}
    assert (store.lookup([]), store.copies([])) == ({}, {})
    many = [text(f"i{i}") for i in range(2500)]
    add(store, *many)
    assert len(store.lookup([item.source for item in many])) == 2500
    store.optimize()
    add(store, text("late"))
    assert set(store.lookup(["/files/late", "/files/i7"])) == {"/files/late", "/files/i7"}
    assert list(store.copies(["digest late"])) == ["digest late"]


def test_count_and_tally_count_items(store):
    image = Item("c", "c", (Part(Modality.IMAGE, None), Part(Modality.TEXT, "x", page=1)), {"ext": "jpg"})
    add(store, text("a", 3, ext="txt"), text("b", 1, ext="txt"), image, Item("d", "d", problem="broken"))
    assert (store.count(), store.count("ext = 'txt'"), store.count("page = 1"), store.count("page > 1")) == (4, 2, 3, 1)
    assert store.count("modality IS NULL") == store.count("problem IS NOT NULL") == 1
    assert store.tally("modality") == {"text": 3, "image": 1}
    assert store.tally("ext") == {"txt": 2, "jpg": 1}
    assert store.tally("problem") == {"broken": 1}
    assert store.tally("ext", "page > 1") == {"txt": 1}
    with pytest.raises(UnknownField, match="no field 'exd'"):
        store.tally("exd")


def test_scan_gives_an_item_whole_even_where_the_filter_fits_one_part(store):
    add(store, text("a", 3), text("b", 1))
    assert list(store.scan("page = 2")) == [text("a", 3)]


def test_scan_keeps_memory_flat(store):
    def peak(n):
        tracemalloc.reset_peak()
        assert sum(1 for _ in store.scan()) == n
        return tracemalloc.get_traced_memory()[1]

    def fill(lo, hi):
        for at in range(lo, hi, 1000):
            add(store, *(text(f"item {i}", 2) for i in range(at, at + 1000)))

    tracemalloc.start()
    try:
        fill(0, 2000)
        small = peak(2000)
        fill(2000, 10_000)
        assert peak(10_000) < 1.3 * small
    finally:
        tracemalloc.stop()


def test_parts_fill_another_index(store):
    image = Item("c", "c", (Part(Modality.IMAGE, None), Part(Modality.TEXT, "x")))
    add(store, text("a", 2), image, Item("d", "d", problem="broken"))
    found = [key for keys, rows in store.parts() for key in keys if rows.shape[1] == DIM]
    assert found == [("a", 0), ("a", 1), ("c", 0), ("c", 1)]
    (keys, rows), *_ = store.parts(modality=Modality.IMAGE, where="source = 'c'")
    assert keys == [("c", 0)]
    np.testing.assert_array_equal(rows, store.vectors(["c"])["c"][:1])


# Any history


ITEMS = st.tuples(st.sampled_from("abcdef"), st.integers(0, 3), st.sampled_from([None, 1, 2.5]))
PIECES = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(ITEMS, max_size=4)),
        st.tuples(st.just("remove"), st.lists(st.sampled_from("abcdef"), max_size=3)),
        st.tuples(st.just("optimize"), st.none()),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(PIECES)
def test_any_history_leaves_what_a_dict_would(tmp_path_factory, history):
    expected: dict[str, tuple[Item, np.ndarray]] = {}
    path = tmp_path_factory.mktemp("history") / "store"
    with LanceStore.create(path, DIM, {}, upkeep=Upkeep(keep=timedelta(0))) as store:
        for step, (what, names) in enumerate(history):
            if what == "add":
                items = [text(id, n, **({} if width is None else {"width": width})) for id, n, width in names]
                rows = [directions(len(item.parts), DIM, seed=step) for item in items]
                store.add(items, rows, "m")
                expected.update((item.id, (item, row)) for item, row in zip(items, rows, strict=True))
            elif what == "remove":
                there = {name for name in names if expected.pop(name, None)}
                assert store.remove(names) == len(there)
            else:
                store.optimize()
        assert len(store) == len(expected)
    reader = LanceStore.open(path)
    assert sorted(reader.scan(), key=lambda item: item.id) == [item for _, (item, _) in sorted(expected.items())]
    kept = reader.vectors(list("abcdef"))
    assert kept.keys() == expected.keys()
    for id, (_, rows) in expected.items():
        np.testing.assert_array_equal(kept[id], rows)
    assert reader.verify() == []
