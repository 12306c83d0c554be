"""Items that say nothing of themselves are found by what the items beside them say: trained, exported, searched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
from tests.training.related import recipe, split_of, topics, write
from tests.training.runs.test_resume import assert_same

from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError, EvaluationError
from duretrieval.model.model import Model
from duretrieval.training.data.related import Related
from duretrieval.training.export.parity import TOLERANCE, compare
from duretrieval.training.fit.validation import check, views_of
from duretrieval.training.recipe.json import from_json, to_json
from duretrieval.training.recipe.recipe import Recipe, Relations
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.runs.evaluated import evaluate_run
from duretrieval.training.runs.reopened import reopen
from duretrieval.training.runs.run import BEST, Run, assemble, load, read
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality

RIGHT = "query→text/rr"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def trained(made: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with its best weights; its folder has the model."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(recipe(), made, folder, cache=cache)
    run = reopen(folder, cache=cache)
    load(run, folder / BEST)
    return run


def untrained(made: Path, cache: Path, folder: Path, wanted: Recipe) -> Run:
    return assemble(wanted, read(wanted, made), folder, cache=cache)


def found(run: Run, split: str = "test") -> float:
    """How well the queries of a split find their items."""
    return check(run.network, run.objective, run.prepared.rows[split], "rr")[RIGHT]


class TestWhatItIsWorth:
    def test_trained_against_untrained_and_against_items_alone(self, made: Path, cache: Path, trained: Run) -> None:
        begun = untrained(made, cache, trained.folder.parent / "begun", recipe())
        alone = train(recipe(None), made, trained.folder.parent / "alone", cache=cache, exporting=False)
        chance = sum(1 / rank for rank in range(1, 81)) / 80  # those that say what they are can be found, too
        assert alone.test[RIGHT] < 2 * chance  # an item's own text says nothing
        assert found(begun) < 0.6
        assert found(trained) > 0.95
        assert alone.queries["test"]["query→text"] == 40

    def test_it_is_the_neighbours_that_are_looked_at(self, trained: Run) -> None:
        """The same weights, with nobody beside the items, and with the wrong ones."""
        rows = trained.prepared.rows["test"]
        seen = rows.related
        assert seen is not None
        try:
            rows.related = None
            assert found(trained) < 0.25
            turned = Related(seen.pool, [*seen.lists[2:], *seen.lists[:2]], seen.most, seen.seed, drawn=False)
            rows.related = turned
            assert found(trained) < 0.25
        finally:
            rows.related = seen
        assert found(trained) > 0.95

    def test_kinds_tell_which_neighbour_to_trust(self, made: Path, cache: Path, tmp_path: Path) -> None:
        plain = [
            "item,other",
            *(line.rpartition(",")[0] for line in made.with_name("relations.csv").read_text().split()[1:]),
        ]
        made.with_name("plain.csv").write_text("\n".join(plain))
        outcome = train(recipe("plain.csv"), made, tmp_path / "run", cache=cache, exporting=False)
        assert outcome.test[RIGHT] < 0.8

    def test_every_weight_learns(self, trained: Run) -> None:
        batch = trained.prepared.rows["train"][list(range(64))]
        trained.network.zero_grad()
        trained.objective(trained.network(batch), batch, trained.prepared.rows["train"].positives).backward()
        gradients = {name: p.grad for name, p in trained.network.fusion.named_parameters()}  # type: ignore[union-attr]
        trained.network.zero_grad()
        assert {name for name, g in gradients.items() if g is None or not g.any()} <= {"conv.lin_r.bias"}
        assert gradients["conv.lin_edge.weight"] is not None


class TestLeaks:
    def test_what_training_sees_of_other_splits_is_nothing(self, made: Path, cache: Path, tmp_path: Path) -> None:
        """Relations to rows of test, and other texts in them, change no step of training."""
        text = made.read_text()
        other = made.with_name("other.jsonl")
        numbers = [number for number in range(len(topics())) if split_of(number) == "test"]
        for number in numbers:
            colour, thing = topics()[number]
            text = text.replace(f'"a {colour} {thing}"', f'"nothing of the kind {number}"')
        other.write_text(text)
        lines = made.with_name("relations.csv").read_text()
        trains = [number for number in range(len(topics())) if split_of(number) == "train"]
        crossing = "".join(f"mute-{a},told-{b},about\n" for a, b in zip(trains, numbers * 4, strict=False))
        made.with_name("crossing.csv").write_text(lines + crossing)
        short = {"fit": {"epochs": 2}}
        one, two = tmp_path / "one", tmp_path / "two"
        train(recipe(**short), made, one, cache=cache, exporting=False)
        train(recipe("crossing.csv", **short), other, two, cache=cache, exporting=False)
        assert_same(one, two)
        assert "relations are between splits; rows of training do not see them" in (two / "problems.txt").read_text()


class TestInTheEngine:
    def test_the_exported_model_is_torchs(self, trained: Run) -> None:
        model = Model.load(trained.folder / "model")
        assert model.kinds == ("about", "sold")
        differences = compare(model, trained.prepared, trained.network, trained.objective)
        assert set(differences) == {Modality.TEXT, Modality.WHOLE}
        assert max(differences.values()) < TOLERANCE

    def test_a_search_finds_as_training_does(self, trained: Run, made: Path, tmp_path: Path) -> None:
        """The stored vectors are torch's beside the same neighbours, and every question finds its item."""
        samples, rows = trained.prepared.samples["test"], trained.prepared.rows["test"]
        there = {s.id for s in samples}
        lines = [line for line in made.read_text().splitlines() if '"split": "test"' in line]
        (tmp_path / "rows.jsonl").write_text("\n".join(lines))
        views = views_of(trained.network, rows)
        with Collection.open(tmp_path / "collection", trained.folder / "model") as collection:
            report = collection.add_manifests(
                tmp_path / "rows.jsonl",
                columns={"query": "ignore"},
                relations=made.with_name("relations.csv"),
                workers=1,
            )
            assert report.beside == len(there)
            stored = collection.view().vectors(sorted(there))
            for place, sample in enumerate(samples):
                np.testing.assert_allclose(stored[sample.id][-1], views["text"].rows[place], atol=TOLERANCE)
            asked = [s for s in samples if "query" in s.columns]
            first = [collection.search(str(s.columns["query"].content), k=1)[0].item.id == s.id for s in asked]
        assert np.mean(first) > 0.9


class Stop(pl.Callback):
    """Comes apart at a step."""

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == 5:
            raise KeyboardInterrupt("enough")


def test_a_run_that_stops_goes_on_with_the_neighbours_it_would_have_had(
    made: Path, cache: Path, tmp_path: Path
) -> None:
    few = recipe({"file": "relations.csv", "neighbours": 2}, fit={"epochs": 3, "check_steps": 2})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(few, made, whole, cache=cache, exporting=False)
    with pytest.raises(BaseException):  # noqa: B017, PT011  (however the loop ends)
        train(few, made, cut, cache=cache, exporting=False, callbacks=[Stop()])
    train(few, made, cut, cache=cache, exporting=False, resume=True)
    assert_same(whole, cut)


class TestSettings:
    def test_a_name_or_a_table(self) -> None:
        assert recipe("relations.csv").data.relations == Relations("relations.csv")
        full = {"file": "r.csv", "neighbours": 3, "directed": ["cites"], "views": ["text"]}
        given = recipe(full)
        assert given.data.relations == Relations("r.csv", 3, ("cites",), ("text",))
        assert from_json(to_json(given)) == given
        assert from_json(to_json(recipe(None))) == recipe(None)

    def test_the_graph_of_recipe_e(self, made: Path, cache: Path, tmp_path: Path) -> None:
        """As docs/fusion.md has it."""
        alone = "encoders.tokens=0"  # a row of each part
        changes = ["fusion.use=graph-attention", "fusion.query=", alone, "data.relations=relations.csv"]
        wanted = read_recipe("e-attention", [*changes, 'views=[["query"], ["text"]]'])
        run = untrained(made, cache, tmp_path / "run", wanted)
        assert run.network.looking == {"text"}
        assert run.network.fusion.kinds == ("about", "sold")  # type: ignore[union-attr]

    def test_what_cannot_be(self) -> None:
        with pytest.raises(ConfigError, match="neighbours = 0; it must be at least 1"):
            recipe({"neighbours": 0})
        with pytest.raises(
            ConfigError, match=r"\[data\] relations has no setting 'neighbors'. Did you mean 'neighbours'"
        ):
            recipe({"neighbors": 3})
        with pytest.raises(ConfigError, match=r"\[data\] relations is 3; it must be a table"):
            recipe(3)

    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            (recipe(fusion={"use": "gated", "heads": None}), "the fusion 'gated' looks at none; take \\[fusion\\]"),
            (recipe({"file": "relations.csv", "views": ["image"]}), "names a view 'image'; there are: query, text"),
            (recipe({"file": "relations.csv", "directed": ["cites"]}), "a kind 'cites', and no relation is of it"),
            (recipe("none.csv"), "no such file"),
            (recipe("strange.csv"), "no relation of strange.csv is between two rows of training. 2 ids of relations"),
        ],
    )
    def test_relations_that_nothing_can_look_at(
        self, made: Path, cache: Path, tmp_path: Path, wanted: Recipe, said: str
    ) -> None:
        made.with_name("strange.csv").write_text("item,other\nmute-0,x\nmute-1,y\n")
        with pytest.raises(ConfigError, match=said):
            untrained(made, cache, tmp_path / "run", wanted)

    def test_nothing_is_fused(self, made: Path, cache: Path, tmp_path: Path) -> None:
        wanted = replace(recipe(), fusion=None)
        with pytest.raises(ConfigError, match=r"names 'relations\.csv', and nothing is fused; take"):
            untrained(made, cache, tmp_path / "run", wanted)

    def test_the_first_view_asks_and_the_others_look(self, made: Path, cache: Path, tmp_path: Path) -> None:
        assert untrained(made, cache, tmp_path / "a", recipe()).network.looking == {"text"}
        both = recipe({"file": "relations.csv", "views": ["query", "text"]})
        assert untrained(made, cache, tmp_path / "b", both).network.looking == {"query", "text"}
        assert not untrained(made, cache, tmp_path / "c", recipe(None)).network.looking


def test_encoders_that_learn_learn_from_neighbours_too(made: Path, cache: Path, tmp_path: Path) -> None:
    """A neighbour's text is encoded in the step, and the gradient of an item's vector reaches it."""
    wanted = recipe(encoders={"text": {"use": "bag-of-words", "train": ["*"], "dim": 64}}, dim=64)
    run = untrained(made, cache, tmp_path / "run", wanted)
    rows, samples = run.prepared.rows["train"], run.prepared.samples["train"]
    place = next(i for i, sample in enumerate(samples) if "query" in sample.columns)
    batch = rows[[place]]
    net = run.network.encoders["text"]
    (weight,) = [p for p in net.parameters() if p.ndim == 2][:1]

    def touched(item: Any) -> int:
        run.network.zero_grad()
        run.network(item)["text"].rows[0, 0].backward()
        assert weight.grad is not None
        return int(weight.grad.any(dim=1).sum())

    assert touched(batch) > touched(replace(batch, around=None)) > 0


def test_evaluating_the_run_says_where_its_figures_are(trained: Run) -> None:
    said = r"looks at an item's neighbours, which this does not read; .*result\.json"
    with pytest.raises(EvaluationError, match=said):
        evaluate_run(trained.folder)
