"""What was trained, as the engine has it: the same vectors, the same order, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.text.tiny import saved
from tests.training.small import recipe
from torch import Tensor

from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError, ModelError
from duretrieval.model.model import Model
from duretrieval.training.data.sample import Sample
from duretrieval.training.export.model import export
from duretrieval.training.export.parity import TOLERANCE, compare
from duretrieval.training.fit.validation import views_of
from duretrieval.training.nets.fusion.weighted_sum import WeightedSum
from duretrieval.training.nets.heads import Linear
from duretrieval.training.nets.score.pair_scorer import PairScorer
from duretrieval.training.runs.reopened import reopen
from duretrieval.training.runs.run import BEST, Run, load
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality


def trained(data: Sequence[Sample], folder: Path, cache: Path, **tables: Any) -> tuple[Run, Model]:
    """A run with its best weights, and its model."""
    outcome = train(recipe(**tables), data, folder, cache=cache)
    run = reopen(folder, data=data, cache=cache)
    load(run, folder / BEST)
    return run, Model.load(outcome.model)


@pytest.fixture(scope="module")
def plain(data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Model]:
    return trained(data, tmp_path_factory.mktemp("plain") / "run", cache, fit={"epochs": 10, "lr": 1e-2})


def test_heads_on_the_built_in_encoders(plain: tuple[Run, Model]) -> None:
    run, model = plain
    assert model.modalities >= {Modality.TEXT, Modality.IMAGE, Modality.VIDEO}  # a film is its frames
    found = compare(model, run.prepared, run.network, run.objective)
    assert set(found) == {Modality.TEXT, Modality.IMAGE}
    assert max(found.values()) < TOLERANCE


def test_a_search_ranks_as_torch_does(plain: tuple[Run, Model], data: list[Sample], tmp_path: Path) -> None:
    run, model = plain
    there = [sample for sample in run.prepared.samples["test"] if "image" in sample.columns]
    views = views_of(run.network, run.prepared.rows["test"])
    places = [run.prepared.samples["test"].index(sample) for sample in there]
    scores = (views["text"].rows @ views["image"].rows[places].T).numpy()
    with Collection.open(tmp_path / "collection", model.folder) as collection:
        collection.add([sample.columns["image"].content for sample in there])
        for query, sample in enumerate(run.prepared.samples["test"]):
            hits = collection.search(str(sample.columns["text"].content), k=len(there))
            names = [str(hit.item.fields["name"]) for hit in hits]
            wanted = [scores[query][list(map(named, there)).index(Path(name).stem)] for name in names]
            assert len(names) == len(there)
            assert all(a >= b - 1e-4 for a, b in pairwise(wanted))


def named(sample: Sample) -> str:
    content = sample.columns["image"].content
    assert isinstance(content, Path)
    return content.stem


@pytest.mark.slow
def test_a_fusion(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    run, model = trained(
        data,
        tmp_path / "run",
        cache,
        views=[["text", "image"], ["image"]],
        fusion={"use": "concatenation"},
    )
    assert model.fusion is not None
    found = compare(model, run.prepared, run.network, run.objective)
    assert set(found) == {Modality.TEXT, Modality.IMAGE, Modality.WHOLE}
    assert max(found.values()) < TOLERANCE
    rows = run.prepared.rows["val"]
    batch = rows[list(range(len(rows)))]
    with torch.inference_mode():
        run.network.eval()
        parts = {run.network.columns[c]: run.network.aligned(batch, c) for c in ("text", "image")}
        wanted = views_of(run.network, rows)["text+image"].rows.numpy()
    for i in range(len(rows)):
        there = {m: row[i : i + 1].numpy() for m, row in parts.items() if batch.present[m.value][i]}
        np.testing.assert_allclose(model.fusion(there)[0], wanted[i], atol=TOLERANCE)


def test_a_score_that_learns(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    losses = [{"use": "binary-cross-entropy"}, {"use": "infonce", "on": "vectors"}]
    run, model = trained(data, tmp_path / "run", cache, score={"use": "pair-scorer"}, losses=losses)
    assert model.scorer is not None
    found = compare(model, run.prepared, run.network, run.objective)
    assert set(found) == {Modality.TEXT, Modality.IMAGE, "scores"}
    assert max(found.values()) < TOLERANCE
    views = views_of(run.network, run.prepared.rows["val"])
    a, b = views["text"].rows, views["image"].rows
    with torch.inference_mode():
        run.objective.eval()
        ours = run.objective.score(a, b).numpy()
    for i, j in ((0, 0), (3, 5), (7, 2)):
        pair = model.scorer(a[i : i + 1].numpy(), b[j : j + 1].numpy())
        np.testing.assert_allclose(np.asarray(pair).ravel(), ours[i, j], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("learning", [{"train": ["*"], "lr": 1e-4}, {"lora": 2}])
def test_a_tiny_transformer_learns(learning: dict[str, Any], data: list[Sample], cache: Path, tmp_path: Path) -> None:
    encoders = {"text": {"use": "transformer", "model": saved("bert", tmp_path), **learning}}
    run, model = trained(data, tmp_path / "run", cache, encoders=encoders, fit={"epochs": 2})
    fresh = reopen(tmp_path / "run", data=data, cache=cache).network.encoders["text"].state_dict()
    changed = [
        name for name, value in run.network.encoders["text"].state_dict().items() if not torch.equal(value, fresh[name])
    ]
    assert changed
    assert all(("lora" in name or "adapter" in name or "down" in name or "up" in name) for name in changed) == (
        "lora" in learning
    )
    found = compare(model, run.prepared, run.network, run.objective)
    assert found[Modality.TEXT] < TOLERANCE


class Lying(Linear):
    """A head whose graph is that of another."""

    def export(self, folder: Path, name: str, /) -> dict[str, Any]:
        other = Linear(self.dim_in, self.dim)
        with torch.no_grad():
            other.linear.weight.copy_(self.linear.weight + 0.05)
        return other.export(folder, name)

    def forward(self, vectors: Tensor) -> Tensor:
        return super().forward(vectors)


@pytest.mark.slow
def test_a_lying_head_is_found_out(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    run_folder = tmp_path / "run"
    lying = recipe(heads={"use": f"{__name__}:Lying"})
    with pytest.raises(ModelError, match=r"the exported model's text vectors differ from torch's by .*, more than 0"):
        train(lying, data, run_folder, cache=cache)
    assert not (run_folder / "model").exists()  # nobody searches with it, and going on does not take it for done
    with pytest.raises(ModelError, match="differ from torch's"):
        train(lying, data, run_folder, cache=cache, resume=True)


class LyingSum(WeightedSum):
    """A fusion whose graph has other weights."""

    def export(self, folder: Path, name: str, /) -> dict[str, Any]:
        other = WeightedSum(list(self.modalities), self.dim, weights={"text": 1.0, "image": 3.0})
        return other.export(folder, name)


class LyingScorer(PairScorer):
    """A score whose graph is that of another."""

    def export(self, folder: Path, name: str, /) -> dict[str, Any]:
        assert self.dim is not None
        torch.manual_seed(1)
        return PairScorer(self.dim, hidden=(8,)).export(folder, name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {"views": [["text", "image"], ["image"]], "fusion": {"use": f"{__name__}:LyingSum"}},
            r"model's vectors of whole items differ from torch's by .*, more than 0\.0001; an operation of its fusion",
        ),
        (
            {"score": {"use": f"{__name__}:LyingScorer", "mix": False}, "losses": [{"use": "infonce"}]},
            r"model's scores of pairs differ from torch's by .*, more than 0\.0001; an operation of its score",
        ),
    ],
)
def test_a_lying_fusion_and_a_lying_score(
    tables: dict[str, Any], said: str, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=said):
        train(recipe(**tables, fit={"epochs": 1}), data, tmp_path / "run", cache=cache)
    assert not (tmp_path / "run" / "model").exists()


def test_a_model_of_no_run_is_not_taken_for_ones_own(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    (tmp_path / "run" / "model").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"there is something at .*model that is of no run; give another folder"):
        train(recipe(), data, tmp_path / "run", cache=cache)


def test_a_model_is_not_written_over(plain: tuple[Run, Model], tmp_path: Path) -> None:
    run, model = plain
    assert model.folder is not None
    with pytest.raises(Exception, match=str(model.folder)):
        export(run.recipe, run.prepared, run.network, run.objective, model.folder)
    assert Model.load(model.folder).fingerprint == model.fingerprint
