"""Which rows make up a step: by class, by weight, and the same again after a kill."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.training.killed import everything
from tests.training.runs.test_resume import Stop, assert_same
from tests.training.small import recipe

from duretrieval.errors import ConfigError, UnknownPart
from duretrieval.training.build.network_of import draw_of
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import Fit, Use
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs.run import assemble, training
from duretrieval.training.runs.trained import train
from duretrieval.training.samplers.order import Order
from duretrieval.training.samplers.per_class import PerClass
from duretrieval.training.samplers.shuffled import Shuffled
from duretrieval.training.samplers.sources import sources
from duretrieval.training.samplers.weighted import Weighted
from duretrieval.types import Modality, Part

KINDS = {"text": Modality.TEXT, "image": Modality.IMAGE, "audio": Modality.AUDIO}


def row(n: int, label: str | None = None, *, key: str = "", group: str = "", columns: str = "text") -> Sample:
    parts = {name: Part(KINDS[name], "x") for name in columns.split("+")}
    return Sample(str(n), parts, label, key=key, group=group)


def labelled(counts: dict[str | None, int]) -> list[Sample]:
    """So many rows of each label."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    return [row(n, label) for n, label in enumerate(labels)]


def test_sources_by_eye() -> None:
    rows = [row(0, "a", key="k"), row(1, columns="text+audio", key="k"), row(2, "a", group="g")]
    assert {name: places.tolist() for name, places in sources(rows, "label").items()} == {"a": [0, 2], "none": [1]}
    assert {name: places.tolist() for name, places in sources(rows, "key").items()} == {"k": [0, 1], "2": [2]}
    assert {name: places.tolist() for name, places in sources(rows, "group").items()} == {"none": [0, 1], "g": [2]}
    assert set(sources(rows, "columns")) == {"text", "text+audio"}


def test_shuffled_is_every_row_once_a_pass() -> None:
    rows = Shuffled()(labelled({"a": 11}), 4, 7)
    passes = [np.concatenate([rows(2 * number), rows(2 * number + 1)]) for number in range(3)]
    assert all(len(set(found.tolist())) == 8 for found in passes)
    assert passes[0].tolist() != passes[1].tolist()
    np.testing.assert_array_equal(passes[0], np.random.default_rng([7, 0]).permutation(11)[:8])


# ---- per class


def test_three_of_each_class() -> None:
    samples = labelled({"a": 7, "b": 4, "c": 3, "d": 50, "alone": 1, None: 5})
    draw = PerClass(each=3)(samples, 9, 0)
    seen: Counter[str | None] = Counter()
    for step in range(200):
        rows = draw(step)
        counts = Counter(samples[i].label for i in rows)
        assert len(set(rows.tolist())) == 9
        assert sorted(counts.values()) == [3, 3, 3]
        seen.update(counts.keys())
    assert set(seen) == {"a", "b", "c", "d"}
    assert max(seen.values()) - min(seen.values()) < 40  # 150 each are expected, also of the large one


def test_a_small_class_gives_what_it_has_and_others_fill_up() -> None:
    samples = labelled({"a": 2, "b": 2, None: 9})
    rows = PerClass(each=4)(samples, 9, 0)(3)
    assert len(set(rows.tolist())) == len(rows) == 9
    assert {0, 1, 2, 3} <= set(rows.tolist())


def test_classes_are_also_keys_and_groups() -> None:
    samples = [row(n, key=f"k{n % 3}" if n < 6 else "", group=f"g{n % 2}") for n in range(20)]
    rows = PerClass(each=2, by="key")(samples, 6, 0)(0)
    assert Counter(samples[i].key for i in rows) == {"k0": 2, "k1": 2, "k2": 2}
    rows = PerClass(each=5, by="group")(samples, 10, 0)(0)
    assert Counter(samples[i].group for i in rows) == {"g0": 5, "g1": 5}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PerClass(each=1), r"per-class has each = 1 and by = 'label'; each is a whole number from 2"),
        (lambda: PerClass(by="colour"), r"by = 'colour'; .* one of label, key, group"),  # type: ignore[arg-type]
        (
            lambda: PerClass(each=4)(labelled({"a": 9, "b": 9, "c": 1}), 16, 0),
            r"a batch of 16 has 4 times 4 rows of one label, and 2 labels have two training rows or more; .* Set "
            r"fit\.batch from 8 to 8, or another `each`, or leave fit\.sampler out",
        ),
        (
            lambda: PerClass(each=9)(labelled({"a": 20, "b": 20}), 16, 0),
            r"a batch of 16 has 1 times 9 rows of",
        ),
        (
            lambda: PerClass()(labelled({None: 20}), 16, 0),
            r"goes by label, and 0 labels have two .* Give rows a label, another `by`",
        ),
    ],
)
def test_what_cannot_be_drawn_by_class(make: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()


# ---- by weight


def test_each_label_as_often_whatever_its_size() -> None:
    samples = labelled({"rare": 20, "frequent": 400})
    draw = Weighted()(samples, 8, 0)
    counts = Counter(samples[i].label for step in range(300) for i in draw(step))
    assert counts["rare"] / 2400 == pytest.approx(0.5, abs=0.04)
    draw = Weighted(weights={"frequent": 3.0})(samples, 8, 0)
    counts = Counter(samples[i].label for step in range(300) for i in draw(step))
    assert counts["rare"] / 2400 == pytest.approx(0.25, abs=0.04)


def test_a_weight_of_nothing_leaves_out() -> None:
    samples = [row(n, columns="text+image" if n % 3 else "text+audio") for n in range(60)]
    draw = Weighted(by="columns", weights={"text+audio": 0})(samples, 16, 0)
    assert all(i % 3 for step in range(50) for i in draw(step))


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    share=st.floats(0.1, 1),
    step=st.integers(0, 9),
    seed=st.integers(0, 3),
)
@settings(max_examples=100, deadline=None)
def test_a_batch_is_full_and_no_row_is_twice_in_it(sizes: list[int], share: float, step: int, seed: int) -> None:
    samples = labelled({f"l{i}": size for i, size in enumerate(sizes)})
    batch = max(1, int(share * len(samples)))
    rows = Weighted(weights={"l0": 7.0})(samples, batch, seed)(step)
    assert len(set(rows.tolist())) == len(rows) == batch


def test_batches_of_one_source_each() -> None:
    samples = [row(n, columns="text+image" if n < 40 else "text+audio") for n in range(45)]
    draw = Weighted(by="columns", alone=True, weights={"text+image": 3})(samples, 8, 0)
    kinds = Counter()
    for step in range(400):
        rows = draw(step)
        (kind,) = {"+".join(samples[i].columns) for i in rows}
        assert len(set(rows.tolist())) == len(rows) == (8 if kind == "text+image" else 5)
        kinds[kind] += 1
    assert kinds["text+image"] / 400 == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Weighted(by="colour"), r"weighted has by = 'colour'; it is one of label, key, group, columns"),  # type: ignore[arg-type]
        (lambda: Weighted(weights=3), r"weighted has weights = 3; give a table, such as"),  # type: ignore[arg-type]
        (lambda: Weighted(weights={"a": -1}), r"weighted gives 'a' the weight -1; give a number from 0"),
        (lambda: Weighted(weights={"a": "much"}), r"gives 'a' the weight 'much'"),  # type: ignore[dict-item]
        (
            lambda: Weighted(weights={"buss": 2})(labelled({"bus": 3, "dog": 2}), 2, 0),
            r"gives 'buss' a weight, and no training row has that label\. Did you mean 'bus'\? There are: bus, dog",
        ),
        (
            lambda: Weighted(weights={"b": 0})(labelled({"a": 3, "b": 9}), 8, 0),
            r"has 3 rows to draw batches of 8 from, as the others have the weight 0; set fit\.batch to 3 at most",
        ),
        (
            lambda: Weighted(alone=True)(labelled({"a": 3, "b": 1}), 2, 0),
            r"makes batches of one label each, and 'b' has one row, which has nothing to be told from; give it the",
        ),
    ],
)
def test_what_cannot_be_weighed(make: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()


# ---- in a recipe

MADE = {
    "shuffled": "shuffled",
    "per class": {"use": "per-class", "each": 6},
    "weighted": {"use": "weighted", "weights": {"red": 2}},
    "alone": {"use": "weighted", "by": "columns", "alone": True},
}


@pytest.mark.parametrize("name", MADE)
def test_steps_follow_from_the_seed_and_their_number(name: str, data: list[Sample]) -> None:
    spec = to_recipe({"fit": {"sampler": MADE[name]}}).fit.sampler
    draw = draw_of(spec, data, ["text", "image"])
    straight = Order(len(data), 16, 5, 3, draw=draw)
    other = pickle.loads(pickle.dumps(Order(len(data), 16, 5, 3, draw=draw)))  # as devices get it
    whole = []
    for epoch in range(4):
        straight.set_epoch(epoch)
        whole.append(list(straight))
    other.set_epoch(3)
    assert list(other) == whole[3]
    assert len({tuple(rows) for steps in whole for rows in steps}) == 12
    assert list(Order(len(data), 16, 6, 3, draw=draw)) != whole[0]
    shares = [list(Order(len(data), 16, 5, 3, rank=rank, world=2, draw=draw)) for rank in range(2)]
    for step, rows in enumerate(whole[0]):
        assert sorted(shares[0][step] + shares[1][step]) == sorted(rows[: len(rows) // 2 * 2])


def test_columns_that_no_view_has_do_not_count() -> None:
    samples = [row(n, columns="text+image+audio" if n % 2 else "text+image") for n in range(20)]
    spec = Use("weighted", {"by": "columns", "weights": {"text+image": 1.0}})
    assert len(draw_of(spec, samples, ["text", "image"])(20, 0)(0)) == 20
    with pytest.raises(ConfigError, match=r"'text\+image' a weight, and no training row has that columns"):
        draw_of(spec, samples[1::2], ["text", "image", "audio"])(4, 0)


def test_what_a_recipe_says() -> None:
    assert Fit().sampler == Use("shuffled")
    assert to_recipe({"fit": {"sampler": "weighted"}}).fit.sampler == Use("weighted")
    assert to_recipe({"fit": {"sampler": MADE["per class"]}}).fit.sampler == Use("per-class", {"each": 6})
    with pytest.raises(ConfigError, match=r"\[fit\] sampler does not say what to use"):
        to_recipe({"fit": {"sampler": {"each": 6}}})


def test_what_a_recipe_cannot_say(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    def started(**sampler: Any) -> None:
        train(recipe(fit={"sampler": sampler}), data, tmp_path / "run", cache=cache)

    with pytest.raises(UnknownPart, match=r"'perclass' among the train\.samplers\. Did you mean 'per-class'"):
        started(use="perclass")
    with pytest.raises(ConfigError, match=r"'per-class' has no option 'k'\. .*It has: each, by"):
        started(use="per-class", k=2)
    with pytest.raises(ConfigError, match=r"a batch of 16 has 4 times 4 rows of one label, and 3 labels have"):
        started(use="per-class")
    train(recipe(fit={"epochs": 1}), data, tmp_path / "run", cache=cache, exporting=False)  # the folder is still free


def test_a_run_steps_as_its_sampler_says(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    made = recipe(fit={"sampler": {"use": "weighted", "weights": {"red": 0}}})
    run = assemble(made, (data, []), tmp_path / "run", cache=cache)
    labels = [sample.label for sample in run.prepared.samples["train"]]
    batches = [batch.rows.tolist() for batch in training_batches(run)]
    assert {labels[i] for rows in batches for i in rows} == set(labels) - {"red"}


def training_batches(run: Any) -> list[Any]:
    module = training(run)
    return [module.train_rows[rows] for rows in module.order]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["per class", "weighted"])
def test_a_run_that_broke_off_goes_on_exactly(name: str, data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """With dropout, memory and mined negatives, in the middle of an epoch; see test_resume."""
    made = recipe(fit={**asdict(everything().fit), "sampler": MADE[name]})
    train(made, data, tmp_path / "whole", cache=cache, exporting=False)
    with pytest.raises(RuntimeError, match="lights"):
        train(made, data, tmp_path / "run", cache=cache, exporting=False, callbacks=[Stop(5)])
    train(made, data, tmp_path / "run", resume=True, cache=cache, exporting=False)
    assert_same(tmp_path / "whole", tmp_path / "run")
