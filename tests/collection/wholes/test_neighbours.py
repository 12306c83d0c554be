"""Items beside items in a collection: their wholes follow from who is there, in whatever order they came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.collection.wholes.fused import COLOURS, DIM, make_model, make_plain_model, picture, word, write_model
from typer.testing import CliRunner

from duretrieval.cli.app import app
from duretrieval.collection import relations as related
from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.nets.fusion.graph_attention import GraphAttention
from duretrieval.types import Array, Item, Modality, Part

ROWS = [
    {"id": "bus", "caption": "bus", "related": ["red", "lost"]},
    {"id": "red", "caption": "red"},
    {"id": "cube", "caption": "cube", "shelf": 3},
]


def neighbourly(folder: Path, *, neighbours: int = 8, kinds: Sequence[str] = ("related", "sold")) -> Model:
    """What an item is beside others is the mean of its own rows and of their middles, all alike."""
    folder.mkdir()
    torch.manual_seed(0)
    fusion = GraphAttention(["text", "image"], DIM, heads=4, kinds=kinds, neighbours=neighbours)
    torch.nn.init.zeros_(fusion.conv.att)
    return Model.load(write_model(folder, fusion=fusion.export(folder, "fusion")), trust=True)


def mean(*rows: Array) -> Array:
    return unit(np.mean(rows, axis=0)[None])[0]


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return neighbourly(tmp_path_factory.mktemp("models") / "looking")


@pytest.fixture
def collection(tmp_path: Path, looking: Model) -> Iterator[Collection]:
    with Collection.open(tmp_path / "collection", looking) as opened:
        yield opened


def manifest(folder: Path, rows: Sequence[Mapping[str, Any]] = ROWS, name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def relations(folder: Path, *pairs: str) -> Path:
    """Lines such as "cube,red,sold"."""
    path = folder / "relations.csv"
    path.write_text("".join(f"{line}\n" for line in ("item,other,kind", *pairs)))
    return path


def wholes(collection: Collection) -> dict[str, Array]:
    return {id_: rows[-1] for id_, rows in collection.view().vectors([i.id for i in collection.items()]).items()}


def assert_wholes(collection: Collection, **expected: Array) -> None:
    held = wholes(collection)
    assert set(held) == set(expected)
    for id_, row in expected.items():
        np.testing.assert_allclose(held[id_], row, atol=1e-5, err_msg=id_)
    assert collection.verify() == []


BUS, RED, CUBE = word("bus"), word("red"), word("cube")


class TestRows:
    def test_an_item_is_beside_those_it_names_and_they_beside_it(self, collection: Collection, tmp_path: Path) -> None:
        report = collection.add_manifests(manifest(tmp_path), workers=1)
        assert report.beside == 2
        assert report.unrelated == ["1 id of a relation is of no item, such as 'lost'; nothing is beside them"]
        assert_wholes(collection, bus=mean(BUS, RED), red=mean(RED, BUS), cube=CUBE)
        assert [hit.item.id for hit in collection.search("red bus", k=3)][:2] in (["bus", "red"], ["red", "bus"])

    def test_a_query_is_beside_nobody(self, collection: Collection, tmp_path: Path) -> None:
        collection.add_manifests(manifest(tmp_path), workers=1)
        (hit,) = collection.search("bus", k=1)
        assert hit.score == pytest.approx(float(mean(BUS, RED) @ BUS), abs=1e-4)

    def test_of_all_modalities(self, collection: Collection) -> None:
        red = Item("red", "made:red", parts=(Part(Modality.IMAGE, picture("red")), Part(Modality.TEXT, "apple")))
        bus = Item("bus", "made:bus", parts=(Part(Modality.TEXT, "bus"),), fields={"related": '[["sold", "red"]]'})
        collection.add([red, bus], workers=1)
        middle = (word("red") + word("apple")) / 2
        assert_wholes(collection, bus=mean(BUS, middle), red=mean(word("red"), word("apple"), BUS))

    def test_no_more_than_the_model_looks_at(self, tmp_path: Path) -> None:
        rows = [{"id": name, "caption": name, "related": [n for n in COLOURS if n != name]} for name in COLOURS]
        with Collection.open(tmp_path / "c", neighbourly(tmp_path / "m", neighbours=1)) as collection:
            collection.add_manifests(manifest(tmp_path, rows), workers=1)
            held = wholes(collection)
        for name in COLOURS:
            one = [
                np.abs(held[name] - mean(word(name), word(other))).max() < 1e-5 for other in COLOURS if other != name
            ]
            assert sum(one) == 1


class TestWhoComesAndGoes:
    def test_neighbours_that_come_later_and_whatever_the_order(self, collection: Collection, tmp_path: Path) -> None:
        for number in (0, 2, 1):
            collection.add_manifests(manifest(tmp_path, [ROWS[number]], f"{number}.jsonl"), workers=1)
        assert_wholes(collection, bus=mean(BUS, RED), red=mean(RED, BUS), cube=CUBE)

    def test_a_neighbour_that_is_removed(self, collection: Collection, tmp_path: Path) -> None:
        collection.add_manifests(manifest(tmp_path), workers=1)
        assert collection.remove(["red"]) == 1
        assert_wholes(collection, bus=BUS, cube=CUBE)

    def test_a_neighbour_that_changes(self, collection: Collection, tmp_path: Path) -> None:
        collection.add_manifests(manifest(tmp_path), workers=1)
        collection.add_manifests(manifest(tmp_path, [ROWS[0], {"id": "red", "caption": "green"}, ROWS[2]]), workers=1)
        assert_wholes(collection, bus=mean(BUS, word("green")), red=mean(word("green"), BUS), cube=CUBE)

    def test_a_row_that_names_nobody_any_more(self, collection: Collection, tmp_path: Path) -> None:
        collection.add_manifests(manifest(tmp_path), workers=1)
        report = collection.add_manifests(manifest(tmp_path, [{"id": "bus", "caption": "bus"}, *ROWS[1:]]), workers=1)
        assert (report.indexed, report.unchanged, report.beside) == (1, 2, 0)
        assert_wholes(collection, bus=BUS, red=RED, cube=CUBE)

    def test_a_run_without_news_writes_nothing(self, collection: Collection, tmp_path: Path) -> None:
        collection.add_manifests(manifest(tmp_path), workers=1)
        before = collection.stats().version
        report = collection.add_manifests(manifest(tmp_path), workers=1)
        assert (report.unchanged, report.beside, collection.stats().version) == (3, 2, before)

    def test_a_run_that_was_killed_before_wholes_were_made(
        self, collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Items alone are found as such; `verify` says so, and any later run makes them whole."""
        with monkeypatch.context() as killed:
            killed.setattr(related, "attend", lambda *_: (0, []))
            collection.add_manifests(manifest(tmp_path), workers=1)
        assert [fault.subject for fault in collection.verify()] == ["bus", "red"]
        assert "not that of it beside its neighbours; index anything again" in collection.verify()[0].problem
        collection.add_manifests(manifest(tmp_path), workers=1)
        assert_wholes(collection, bus=mean(BUS, RED), red=mean(RED, BUS), cube=CUBE)

    def test_repair(self, collection: Collection, tmp_path: Path) -> None:
        collection.add_manifests(manifest(tmp_path), workers=1)
        assert collection.repair() == []
        assert_wholes(collection, bus=mean(BUS, RED), red=mean(RED, BUS), cube=CUBE)


class TestFile:
    def test_relations_are_kept_for_later_runs(self, collection: Collection, tmp_path: Path) -> None:
        path = relations(tmp_path, "cube,red,sold", "cube,late,sold")
        report = collection.add_manifests(manifest(tmp_path), relations=path, workers=1)
        assert report.beside == 3
        path.unlink()
        late = manifest(tmp_path, [{"id": "late", "caption": "blue"}], "late.jsonl")
        assert collection.add_manifests(late, workers=1).unrelated[0].startswith("1 id of a relation is of no item")
        cube = mean(CUBE, RED, word("blue"))
        assert_wholes(
            collection, bus=mean(BUS, RED), red=mean(RED, BUS, CUBE), cube=cube, late=mean(word("blue"), CUBE)
        )

    def test_another_file_takes_the_place_of_the_first_and_an_empty_one_drops_it(
        self, collection: Collection, tmp_path: Path
    ) -> None:
        rows = manifest(tmp_path, ROWS[1:])
        collection.add_manifests(rows, relations=relations(tmp_path, "cube,red,sold"), workers=1)
        assert_wholes(collection, red=mean(RED, CUBE), cube=mean(CUBE, RED))
        report = collection.add_manifests(rows, relations=relations(tmp_path), workers=1)
        assert (report.unchanged, report.beside) == (2, 0)
        assert_wholes(collection, red=RED, cube=CUBE)

    def test_files_by_their_paths(self, collection: Collection, tmp_path: Path) -> None:
        folder = tmp_path / "texts"
        folder.mkdir()
        for name in ("bus", "red"):
            (folder / f"{name}.txt").write_text(name)
        collection.add(folder, relations=relations(folder, "bus.txt,red.txt,sold"), workers=1)
        held = {Path(item.source).stem: item.id for item in collection.items()}
        rows = wholes(collection)
        np.testing.assert_allclose(rows[held["bus"]], mean(BUS, RED), atol=1e-5)
        assert collection.verify() == []

    def test_a_file_that_cannot_be_used_changes_nothing(self, collection: Collection, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"1 of its lines cannot be used: .*line 2: a relation names two items"):
            collection.add_manifests(manifest(tmp_path), relations=relations(tmp_path, "cube,,sold"), workers=1)
        assert len(collection) == 0

    def test_a_kind_that_the_model_does_not_know(self, collection: Collection, tmp_path: Path) -> None:
        path = relations(tmp_path, "cube,red,painted")
        report = collection.add_manifests(manifest(tmp_path, ROWS[1:]), relations=path, workers=1)
        assert report.unrelated == ["1 relation is of a kind that the model has not learned: 'painted'; left out"]
        assert_wholes(collection, red=RED, cube=CUBE)

    def test_kept_relations_that_are_damaged(self, collection: Collection, tmp_path: Path) -> None:
        path = relations(tmp_path, "cube,red,sold")
        rows = manifest(tmp_path, ROWS[1:])
        collection.add_manifests(rows, relations=path, workers=1)
        kept = tmp_path / "collection" / related.FILE
        kept.write_text(kept.read_text()[:-9])
        said = "the relations that the collection keeps are damaged .*; give their file again: duretrieval index"
        (fault,) = collection.verify()
        assert fault.subject == related.FILE
        (told,) = collection.add_manifests(rows, workers=1).unrelated
        assert re.match(said, fault.problem)
        assert re.match(said, told)
        collection.add_manifests(rows, relations=path, workers=1)
        assert_wholes(collection, red=mean(RED, CUBE), cube=mean(CUBE, RED))

    @pytest.mark.parametrize("make", [make_model, make_plain_model])
    def test_a_model_that_looks_at_nobody(self, make: Any, tmp_path: Path) -> None:
        with (
            Collection.open(tmp_path / "c", make(tmp_path / "m")) as collection,
            pytest.raises(ConfigError, match="'words and colours' looks at no neighbours, so relations change nothing"),
        ):
            collection.add_manifests(manifest(tmp_path), relations=relations(tmp_path, "cube,red,sold"))


class TestMigrate:
    def test_to_a_model_that_looks_and_back(self, looking: Model, tmp_path: Path) -> None:
        """Rows keep what they say of others, so neighbours come and go with the model."""
        plain = make_plain_model(tmp_path / "plain")
        with Collection.open(tmp_path / "c", plain) as collection:
            collection.add_manifests(manifest(tmp_path), workers=1)
            assert collection.migrate(looking, workers=1).beside == 2
            assert_wholes(collection, bus=mean(BUS, RED), red=mean(RED, BUS), cube=CUBE)
            collection.migrate(plain, workers=1)
            assert_wholes(collection, bus=BUS, red=RED, cube=CUBE)

    def test_relations_that_were_given_stay(self, collection: Collection, looking: Model, tmp_path: Path) -> None:
        path = relations(tmp_path, "cube,red,sold")
        collection.add_manifests(manifest(tmp_path), relations=path, workers=1)
        other = neighbourly(tmp_path / "other", kinds=("sold",))
        report = collection.migrate(other, workers=1)
        assert report.beside == 2
        assert "'related'; left out" in report.unrelated[-1]
        assert_wholes(collection, bus=BUS, red=mean(RED, CUBE), cube=mean(CUBE, RED))


def test_the_command_says_how_many_look(looking: Model, tmp_path: Path) -> None:
    command = ["index", "--manifest", str(manifest(tmp_path)), "-c", str(tmp_path / "c"), "--trust"]
    given = ["--relations", str(relations(tmp_path, "cube,red,sold"))]
    found = CliRunner().invoke(app, [*command, "--model", str(looking.folder), *given])
    assert found.exit_code == 0, found.output
    assert "3 look at neighbours." in found.output
    assert "1 id of a relation is of no item, such as 'lost'" in " ".join(found.output.split())
    told = CliRunner().invoke(app, [*command, "--json"])
    assert json.loads(told.stdout)["beside"] == 3
