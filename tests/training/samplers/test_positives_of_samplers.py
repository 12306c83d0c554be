"""Rows that a batch brings together by label are right for one another in the loss, as recipe and sampler say."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.training.small import recipe

from duretrieval.training.data.batch import View
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.runs.run import assemble, training


class Watching(torch.nn.Module):
    """A loss that keeps the masks it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        self.seen.append(same)
        return scores.sum() * 0


def masks(made: Recipe, data: list[Sample], folder: Path, cache: Path) -> list[torch.Tensor]:
    """Of the losses of the first three steps, text asking."""
    run = assemble(made, (data, []), folder, cache=cache)
    watching = Watching()
    for term in run.objective.terms:
        term_loss = watching if term.reads == "scores" else term.loss
        object.__setattr__(term, "loss", term_loss)
    module = training(run)
    for _, places in zip(range(3), module.order, strict=False):
        batch = module.train_rows[places]
        views: dict[str, View] = run.network(batch)
        run.objective(views, batch, module.train_rows.positives)
    return watching.seen[::2]


def others(mask: torch.Tensor) -> int:
    return int((mask & ~torch.eye(*mask.shape, dtype=torch.bool)).sum())


def test_per_class_makes_positives_of_what_it_brings_together(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    by_label = recipe(fit={"batch": 12, "sampler": {"use": "per-class", "each": 4}})
    assert "label" in by_label.positives
    assert all(others(mask) >= 6 for mask in masks(by_label, data, tmp_path / "a", cache))
    said = recipe(
        fit={"batch": 12, "sampler": {"use": "per-class", "each": 4}},
        data={"near_duplicates": False, "positives": ["key"]},
    )
    assert sum(others(mask) for mask in masks(said, data, tmp_path / "b", cache)) == 0
    assert "label" not in recipe(fit={"sampler": {"use": "per-class", "each": 2, "by": "key"}}).positives


def test_recipe_d_masks_rows_of_one_label(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    small = ("encoders.text.dim=8", "dim=8", "encoders.text.min_count=1", "encoders.text.epochs=1")
    layers = ("encoders.image.layers=11", "encoders.image.widths=[4, 4, 4, 4, 4]", "encoders.image.side=32")
    made = read_recipe("d-word2vec", ["data.near_duplicates=false", "fit.batch=16", *small, *layers])
    found = masks(made, data, tmp_path / "run", cache)
    assert len(found) == 3
    for mask in found:
        assert others(mask) > 0.2 * mask.numel()  # three labels: a third of the pairs
        assert mask.diagonal().all()


@pytest.mark.parametrize("positives", [None, ["key", "text", "file"]])
def test_equal_texts_are_no_negatives(
    positives: list[str] | None, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    again = [Sample(f"{s.id} again", s.columns, s.label, split=s.split) for s in data[:24]]
    table = {"near_duplicates": False} | ({} if positives is None else {"positives": positives})
    made = recipe(data=table, fit={"batch": 72})
    (mask, *_) = masks(made, [*data, *again], tmp_path / "a", cache)
    there = sum("image" in s.columns for s in data[:24])
    assert others(mask) == 2 * there
    apart = recipe(data={**table, "positives": ["key"]}, fit={"batch": 72})
    (mask, *_) = masks(apart, [*data, *again], tmp_path / "b", cache)
    assert others(mask) == 0
