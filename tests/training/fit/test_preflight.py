"""Rows without anything to learn, or to judge by, are told of before the first step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.training.small import recipe

from duretrieval.errors import ConfigError
from duretrieval.training.data.sample import Sample
from duretrieval.training.runs.run import assemble


def without_picture(sample: Sample, split: str) -> Sample:
    return replace(sample, columns={"text": sample.columns["text"]}) if sample.split == split else sample


def refused(change: Callable[[Sample], Sample], data: list[Sample], cache: Path, said: str, **tables: object) -> None:
    with pytest.raises(ConfigError, match=said):
        assemble(recipe(**tables), ([change(sample) for sample in data], []), cache / "never", cache=cache)
    assert not (cache / "never").exists()


def test_two_rows_of_different_keys_need_both_views(data: list[Sample], cache: Path) -> None:
    said = r"nothing to learn in the 48 training rows, of which have text 48, image 0: a loss compares two views"
    refused(lambda sample: without_picture(sample, "train"), data, cache, said)
    said = r"nothing to learn in the 48 training rows, of which have text 48, image 40"
    refused(lambda sample: replace(sample, key="one"), data, cache, said)


def test_labels_are_enough_to_learn(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    made = recipe(views=[["text"]], losses=["cross-entropy"], fit={"monitor": "f1"})
    assemble(made, (data, []), tmp_path / "run", cache=cache)


def test_the_monitor_needs_its_rows(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    said = r"'rr' cannot be measured on the 12 validation rows; it needs 2 rows that have two views"
    refused(lambda sample: without_picture(sample, "val"), data, cache, said)
    said = r"'f1' cannot be measured on the 12 validation rows; it needs a loss of classes, and rows with labels that"
    strange = {"losses": ["infonce", "cross-entropy"], "fit": {"monitor": "f1"}}
    refused(lambda s: replace(s, label="new" if s.split == "val" else s.label), data, cache, said, **strange)
    refused(lambda sample: sample, data, cache, said, fit={"monitor": "f1"})
    blind = [without_picture(sample, "val") for sample in data]
    assemble(recipe(fit={"monitor": "loss"}), (blind, []), tmp_path / "run", cache=cache)
