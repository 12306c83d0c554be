"""A collection is measured whatever its fields are called and its texts hold."""

from pathlib import Path

import numpy as np
import pytest

from duretrieval.collection.collection import Collection
from duretrieval.encode.features import Features
from duretrieval.errors import ConfigError
from duretrieval.evaluation.health.health import measure_health
from duretrieval.model.model import Model
from duretrieval.types import Item, Modality, Part


def test_fields_and_texts_of_any_kind(tmp_path: Path) -> None:
    """Names that filters take for words of their own, or cannot hold; texts in which there is nothing to see."""
    groups = ("in", "LIKE", "it's", "类型", "a`b")
    with Collection.open(tmp_path / "c", Model.load("builtin")) as collection:
        for n in range(24):
            fields = {"between": n, "name": "\u200b"} | dict.fromkeys(groups, f"'{n % 4}'")
            collection.add([Item(f"i{n}", f"s{n}", (Part(Modality.TEXT, "\u200b\u200b" if n % 2 else "cat"),), fields)])
        health = measure_health(collection, queries=8)
    asked = [row.where for row in health.agreements]
    assert "`between` <= 11" in asked
    assert {"`in` = '''0'''", "`LIKE` = '''0'''"} <= set(asked)
    assert all(row.recall == 1 for row in health.agreements)
    assert [latency.what for latency in health.latencies] == ["text-search", "vector-search"]


def test_a_model_that_knows_no_words(tmp_path: Path) -> None:
    model = Model("films", {Modality.VIDEO: Features(8, ("video",))}, dim=8, fingerprint="f")
    rows = np.random.default_rng(0).normal(size=(12, 1, 8)).astype(np.float32)
    with Collection.open(tmp_path / "c", model) as collection:
        collection.add([Item(f"i{n}", f"s{n}", (Part(Modality.VIDEO, row),)) for n, row in enumerate(rows)])
        health = measure_health(collection, queries=4)
    assert [latency.what for latency in health.latencies] == ["vector-search"]


def test_no_queries(tmp_path: Path) -> None:
    with (
        Collection.open(tmp_path / "c", Model.load("builtin")) as collection,
        pytest.raises(ConfigError, match="queries is 0; give how many to ask"),
    ):
        measure_health(collection, queries=0)
