"""Losses of shorter vectors too, and a model that may be cut to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.small import recipe
from torch import Tensor
from torch.nn.functional import normalize

from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.training.build.objective import LossTerm, TotalLoss
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.data.positives import Positives
from duretrieval.training.data.sample import Sample
from duretrieval.training.losses.hinge import Hinge
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.training.losses.memory import Memory
from duretrieval.training.losses.scored import Cosent
from duretrieval.training.runs.run import Run, assemble, load
from duretrieval.training.runs.trained import train

D = 8


def views(n: int = 6, seed: int = 0) -> dict[str, View]:
    drawn = torch.Generator().manual_seed(seed)
    rows = [normalize(torch.randn(n, D, generator=drawn), dim=1).requires_grad_() for _ in range(2)]
    return {name: View(r, torch.ones(n, dtype=torch.bool)) for name, r in zip("ab", rows, strict=True)}


def batch(n: int = 6, anchors: int = 5) -> Batch:
    places = torch.arange(n)
    return Batch({}, {}, places, torch.full((n,), -1), places, anchors, scores=None)


def by_hand(loss: Any, found: dict[str, View], dim: int, kept: Tensor | None) -> Tensor:
    """Both directions of vectors that end at `dim`: five pairs, then the sixth and what is remembered."""
    rows = {name: normalize(view.rows[:, :dim], dim=1) for name, view in found.items()}
    more = rows if kept is None else {n: torch.cat([r, normalize(kept[:, :dim], dim=1)]) for n, r in rows.items()}
    same = torch.eye(5, len(more["a"]), dtype=torch.bool)
    return (loss(rows["a"][:5] @ more["b"].T, same) + loss(rows["b"][:5] @ more["a"].T, same)) / 2


@pytest.mark.parametrize("loss", [InfoNce(), Hinge()])
@pytest.mark.parametrize("remembered", [False, True])
def test_it_is_the_mean_over_the_lengths(loss: Any, remembered: bool) -> None:
    found, kept, memory = views(), None, None
    if remembered:
        kept, memory = normalize(torch.randn(4, D), dim=1), Memory(10)
        for name in "ab":
            memory.add(name, kept, torch.arange(4) + 50)
    objective = TotalLoss([LossTerm(loss, 2.0, "scores", dims=(4, 2))], memory=memory).train()
    value = objective(found, batch())
    wanted = 2 * sum(by_hand(loss, found, dim, kept) for dim in (8, 4, 2)) / 3
    assert value.item() == pytest.approx(wanted.item(), rel=1e-5)
    assert value.item() != pytest.approx(2 * by_hand(loss, found, 8, kept).item(), abs=1e-3)


def test_leading_components_learn_more() -> None:
    found = views()
    TotalLoss([LossTerm(InfoNce(), 1.0, "scores", dims=(2,))])(found, batch()).backward()
    whole = views()
    TotalLoss([LossTerm(InfoNce(), 1.0, "scores")])(whole, batch()).backward()
    ratio = found["a"].rows.grad.abs().mean(dim=0) / whole["a"].rows.grad.abs().mean(dim=0)  # type: ignore[union-attr]
    assert float(ratio[:2].min()) > float(ratio[2:].max())
    assert float(ratio[2:].max()) == pytest.approx(0.5, abs=1e-4)


def test_scored_pairs_are_cut_too() -> None:
    found, known = views(), torch.linspace(0.5, 1, 6)
    scored = Batch({}, {}, torch.arange(6), torch.full((6,), -1), torch.arange(6), 6, scores=known)
    value = TotalLoss([LossTerm(Cosent(), 1.0, "pairs", dims=(3,))])(found, scored)
    halves = [Cosent()(*(normalize(found[n].rows[:, :d], dim=1) for n in "ab"), known) for d in (8, 3)]
    assert value.item() == pytest.approx(sum(h.item() for h in halves) / 2, abs=1e-6)


def found_at(dim: int, dims: tuple[int, ...], seed: int) -> float:
    """Two views of hidden things of 16 numbers, through heads into 32 dimensions: rr of unseen ones, cut to `dim`."""
    torch.manual_seed(seed)
    things, turns = torch.randn(400, 16), [torch.randn(16, 24) / 4 for _ in range(2)]
    seen = [things @ turn + 0.1 * torch.randn(400, 24) for turn in turns]
    heads = [torch.nn.Linear(24, 32) for _ in range(2)]
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores", dims=dims)])
    learned = [*objective.parameters(), *heads[0].parameters(), *heads[1].parameters()]
    optimiser = torch.optim.Adam(learned, lr=1e-2)
    there = torch.ones(200, dtype=torch.bool)
    for _ in range(150):
        rows = [normalize(head(x[:200]), dim=1) for head, x in zip(heads, seen, strict=True)]
        loss = objective({n: View(r, there) for n, r in zip("ab", rows, strict=True)}, batch(200, 200))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.inference_mode():
        a, b = (normalize(head(x[200:])[:, :dim], dim=1) for head, x in zip(heads, seen, strict=True))
        scores = a @ b.T
        return (1 / (scores >= scores.diagonal()[:, None]).sum(dim=1)).mean().item()


@pytest.mark.parametrize("seed", [0, 1])
def test_cut_vectors_find_more_than_those_that_were_not_taught_so(seed: int) -> None:
    plain, taught = found_at(4, (), seed), found_at(4, (12, 4), seed)
    assert plain < 0.75, plain
    assert taught > plain + 0.1, (plain, taught)
    assert found_at(32, (12, 4), seed) > found_at(32, (), seed) - 0.05


# ---- in a run


@pytest.fixture(scope="module")
def taught(data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A model that was taught lengths of 8, 4 and 2."""
    folder = tmp_path_factory.mktemp("runs")
    made = recipe(loss={"use": "infonce", "matryoshka": [8, 2, 4]})
    train(made, data, folder, cache=cache)
    return assemble(made, (data, []), folder, cache=cache)


def test_the_model_says_so_and_the_engine_cuts_as_torch(taught: Run, data: list[Sample], tmp_path: Path) -> None:
    folder = taught.folder / "model"
    assert Model.load(folder).dims == (8, 4, 2)
    made = assemble(taught.recipe, (data, []), tmp_path)
    load(made, taught.folder / "best.ckpt")
    rows = made.prepared.rows["train"]
    texts = [sample.columns["text"] for sample in made.prepared.samples["train"]][:8]
    with torch.inference_mode():
        made.network.eval()
        whole = made.network.aligned(rows.plain()[list(range(8))], "text")
    for dim in (8, 4, 2):
        engine = Model.load(folder, dim=dim).encode(texts)
        np.testing.assert_allclose(engine, normalize(whole[:, :dim], dim=1).numpy(), atol=1e-4)
    with Collection.open(tmp_path / "c", folder, dim=4) as c:
        c.add(
            [path for sample in data[:6] for part in sample.columns.values() if isinstance(path := part.content, Path)]
        )
        assert c.stats().dim == 4
        assert c.search("a red circle")


def test_lengths_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="matryoshka has 32, and dim is 32; it lists shorter vectors"):
        recipe(loss={"use": "infonce", "matryoshka": [32]})
    fused = {"views": [["text", "image"]], "fusion": "gated"}
    with pytest.raises(ConfigError, match=r"a fusion takes whole vectors.* leave out \[fusion\], or matryoshka"):
        recipe(loss={"use": "infonce", "matryoshka": [8]}, **fused)


def test_losses_and_scores_that_cannot_be_cut(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'deep-cca' is made for vectors of one length; matryoshka is for losses of"):
        assemble(recipe(loss={"use": "deep-cca", "matryoshka": [8]}), (data, []), tmp_path, cache=cache)
    scored = {"score": {"use": "pair-scorer"}, "loss": {"use": "binary-cross-entropy", "matryoshka": [8]}}
    with pytest.raises(ConfigError, match=r"the score is made for vectors of 32 dimensions.* give the loss .*vectors"):
        assemble(recipe(**scored), (data, []), tmp_path, cache=cache)


def test_positives_are_those_of_whole_vectors() -> None:
    """Rows of one key are no negatives of one another, however short."""
    found, keys = views(), torch.zeros(6, dtype=torch.int64)
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores", dims=(4, 2))])
    value = objective(found, batch(anchors=6), Positives.of_keys(keys))
    assert value.item() == pytest.approx(0, abs=1e-6)
