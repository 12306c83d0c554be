"""A collection searched through an index in memory finds what it finds without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from duretrieval.align.itq import Itq
from duretrieval.cli.app import app
from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError, UnknownPart
from duretrieval.evaluation.health.health import measure_health
from duretrieval.evaluation.request import Request, evaluate
from duretrieval.index.binary import BinaryIndex
from duretrieval.index.exact import ExactIndex
from duretrieval.index.memory import InMemory
from duretrieval.model.model import Model
from duretrieval.types import Array, Hit, Item, Modality, Part, Query, Term

WORDS = ("cat", "dog", "wine", "bread", "train", "rain", "song", "bicycle")
ASKED = ("a dog in the rain", "bread and wine", "a song about a train")


def notes() -> list[Item]:
    return [
        Item(f"{a}-{b}", f"/there/{a}-{b}", (Part(Modality.TEXT, f"A {a} and a {b}."),), {"kind": "note", "about": a})
        for a in WORDS
        for b in WORDS
    ]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("held") / "c"
    with Collection.open(path) as collection:
        collection.add(notes(), workers=1)
    return path


class Counting(ExactIndex):
    """Says how often it was asked, and holds nothing back."""

    asked = 0

    def search(self, queries: Array, k: int, /) -> list[list[tuple[str, float]]]:
        Counting.asked += 1
        return super().search(queries, k)


def told(hits: list[Hit]) -> list[tuple[str, float]]:
    return [(hit.item.id, round(hit.score, 3)) for hit in hits]


@pytest.mark.parametrize("index", ["exact", ExactIndex, Counting])
def test_the_hits_are_those_of_the_store(path: Path, index: str) -> None:
    with Collection.open(path) as plain, Collection.open(path, index=index) as held:
        for words in ASKED:
            assert told(held.search(words)) == told(plain.search(words))
            weighed = Query((Term(Modality.TEXT, words),), weights={Modality.TEXT: 2.0}, k=5)
            assert told(held.search(weighed)) == told(plain.search(weighed))
        like = Query(like=("cat-dog",), k=4)
        assert told(held.search(like)) == told(plain.search(like))
        assert held.view() is held.view()
        assert isinstance(held.view(), InMemory)
        assert not isinstance(plain.view(), InMemory)


def test_the_index_is_what_is_asked_but_for_filters_and_exact_searches(path: Path) -> None:
    with Collection.open(path, index=Counting) as held:
        before = Counting.asked
        assert {hit.item.fields["about"] for hit in held.search("a dog", where="about = 'wine'")} == {"wine"}
        assert held.search(Query((Term(Modality.TEXT, "a dog"),), exact=True))
        assert Counting.asked == before
        assert held.search("a dog")
        assert Counting.asked > before
        assert held.index == "Counting"


def test_a_change_of_the_collection_is_seen(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "c", index="exact") as held:
        held.add(notes()[:8], workers=1)
        new = Item("zebra", "/there/zebra", (Part(Modality.TEXT, "A zebra with stripes."),), {"kind": "note"})
        assert "zebra" not in [hit.item.id for hit in held.search("a zebra with stripes")]
        with Collection.open(tmp_path / "c") as other:
            other.add(new, workers=1)
        assert held.search("a zebra with stripes")[0].item.id == "zebra"
        held.remove(["zebra"])
        assert "zebra" not in [hit.item.id for hit in held.search("a zebra with stripes")]


def coded(folder: Path, bits: int, words: tuple[str, ...]) -> Path:
    builtin = Model.load("builtin")
    codes = Itq.fit(builtin.encode([Part(Modality.TEXT, word) for word in words]), bits=bits)
    texts = {Modality.TEXT: builtin.parts_for(Modality.TEXT)[0]}
    aligner = builtin.parts_for(Modality.TEXT)[1]
    model = Model(
        "coded",
        texts,
        dim=builtin.dim,
        fingerprint="f",
        aligners={Modality.TEXT: aligner} if aligner else {},
        codes=lambda: codes,
    )
    model.save(folder)
    return folder


def test_binary_takes_the_codes_of_the_model(path: Path, tmp_path: Path) -> None:
    words = tuple(part.content for item in notes() for part in item.parts if isinstance(part.content, str))
    model = coded(tmp_path / "model", 32, words)
    made: list[BinaryIndex] = []
    with Collection.open(tmp_path / "c", model, index="binary") as collection:
        collection.add(notes(), workers=1)
        assert collection.search("a dog in the rain")
        view = collection.view()
        assert isinstance(view, InMemory)
        made = [index for index in view.indexes.values() if isinstance(index, BinaryIndex)]
        assert [index.bits for index in made] == [32]
    with Collection.open(path, index="binary") as plain:
        assert plain.search("a dog in the rain")
        view = plain.view()
        assert isinstance(view, InMemory)
        assert [index.bits for index in view.indexes.values() if isinstance(index, BinaryIndex)] == [plain.model.dim]


def test_a_model_that_the_collection_moves_to_is_held_too(tmp_path: Path) -> None:
    words = tuple(part.content for item in notes() for part in item.parts if isinstance(part.content, str))
    with Collection.open(tmp_path / "c", index="binary") as held:
        held.add(notes(), workers=1)
        assert held.search("a dog")
        held.migrate(coded(tmp_path / "model", 32, words), workers=1)
        assert held.search("a dog in the rain")
        view = held.view()
        assert isinstance(view, InMemory)
        assert [index.bits for index in view.indexes.values() if isinstance(index, BinaryIndex)] == [32]


def test_an_index_that_there_is_not(path: Path) -> None:
    with pytest.raises(UnknownPart, match=r"no part called 'binry' among the indexes\. Did you mean 'binary'"):
        Collection.open(path, index="binry")


class Forgetful(ExactIndex):
    """Keeps every other vector."""

    def add(self, ids: list[str], vectors: Array, /) -> None:  # type: ignore[override]
        super().add(ids[::2], np.asarray(vectors)[::2])


def test_what_an_index_does_not_find_is_measured(path: Path) -> None:
    with Collection.open(path, index=Forgetful) as held:
        health = measure_health(held, queries=30)
    assert health.index == "Forgetful"
    assert 0.3 < health.agreements[0].recall < 0.7
    assert {row.recall for row in health.agreements if row.where} == {1.0}  # the store answers with filters


def test_evaluate_measures_the_index(path: Path) -> None:
    done = CliRunner().invoke(app, ["evaluate", str(path), "--index", "binary", "--queries", "20"])
    assert done.exit_code == 0, done.output
    assert "searched by the index 'binary' in memory" in " ".join(done.output.split())
    assert "recall@10" in done.output
    found = evaluate(path, Request(index="exact", queries=20)).health
    assert found is not None
    assert (found.index, found.agreements[0].recall) == ("exact", 1.0)


def test_other_subjects_have_no_index() -> None:
    with pytest.raises(
        ConfigError,
        match=r"--index has nothing to do with a model, which is evaluated with --data, .*--metric; leave",
    ):
        evaluate("builtin", Request(index="exact"))
