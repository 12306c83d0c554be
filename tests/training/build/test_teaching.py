"""A teacher: what it makes of the rows, and that a model comes to say what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.small import recipe
from torch.nn.functional import normalize

from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.training.build.objective import LossTerm, TotalLoss
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.data.positives import Positives
from duretrieval.training.data.sample import Sample
from duretrieval.training.data.taught import Taught
from duretrieval.training.fit.validation import views_of
from duretrieval.training.losses.distil import DistilKl, DistilVectors, MarginMse
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.training.losses.memory import Memory
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.run import assemble, load
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part


def scene() -> tuple[dict[str, View], Batch, Taught]:
    """Rows 3, 1 and 4 of the data, then 0 and 2 as negatives with the view b alone; the teacher lacks row 1 in a."""
    torch.manual_seed(0)
    rows = {name: normalize(torch.randn(5, 6), dim=1).requires_grad_() for name in "ab"}
    present = {"a": torch.tensor([1, 1, 1, 0, 0]).bool(), "b": torch.ones(5).bool()}
    places = torch.tensor([3, 1, 4, 0, 2])
    theirs = {name: normalize(torch.randn(5, 3), dim=1).numpy() for name in "ab"}
    theirs["a"][1] = 0
    batch = Batch({}, {}, places, torch.full((5,), -1), places, 3)
    return {name: View(rows[name], present[name]) for name in "ab"}, batch, Taught(theirs)


@pytest.mark.parametrize("loss", [MarginMse(), DistilKl()])
@pytest.mark.parametrize("remembered", [False, True])
def test_scores_of_a_batch_are_held_against_the_teachers(loss: Any, remembered: bool) -> None:
    """Of rows that it knows, and the negatives beside them; it knows nothing of remembered rows."""
    views, batch, taught = scene()
    memory = Memory(5) if remembered else None
    if memory is not None:
        memory.add("b", normalize(torch.randn(3, 6), dim=1), torch.arange(3) + 90)
    value = TotalLoss([LossTerm(loss, 1.0, "teacher")], memory=memory).train()(views, batch, None, taught)
    a, b = views["a"].rows, views["b"].rows
    x, y = taught.of("a", batch.rows), taught.of("b", batch.rows)
    there, among = [0, 2], [0, 2, 3, 4]
    forward = loss(a[there] @ b[among].T, x[there] @ y[among].T, torch.eye(2, 4).bool())
    back = loss(b[there] @ a[there].T, y[there] @ x[there].T, torch.eye(2).bool())
    assert value.item() == pytest.approx(((forward + back) / 2).item(), abs=1e-6)
    value.backward()
    assert float(a.grad[there].abs().min()) > 0  # type: ignore[index]
    assert float(a.grad[1].abs().max()) == 0  # type: ignore[index]


def test_right_ones_ask_for_nothing() -> None:
    views, batch, taught = scene()
    one = Positives.of_keys(torch.zeros(5, dtype=torch.int64))
    assert TotalLoss([LossTerm(MarginMse(), 1.0, "teacher")])(views, batch, one, taught).item() == 0


def test_one_view_learns_how_alike_things_are() -> None:
    views, batch, taught = scene()
    only = {"b": views["b"]}
    value = TotalLoss([LossTerm(DistilKl(), 1.0, "teacher")])(only, batch, None, taught)
    rows, theirs = views["b"].rows, taught.of("b", batch.rows)
    wanted = DistilKl()(rows[:3] @ rows.T, theirs[:3] @ theirs.T, torch.eye(3, 5).bool())
    assert value.item() == pytest.approx(wanted.item(), abs=1e-6)


def test_vectors_are_held_against_the_teachers() -> None:
    views, batch, taught = scene()
    loss = DistilVectors(6, 3)
    value = TotalLoss([LossTerm(loss, 1.0, "teacher-rows")])(views, batch, None, taught)
    parts = [
        loss(views[name].rows[at], taught.of(name, batch.rows)[at]) for name, at in (("a", [0, 2]), ("b", [0, 1, 2]))
    ]
    assert value.item() == pytest.approx(sum(p.item() for p in parts) / 2, abs=1e-6)


def test_a_column_of_scores_is_a_teacher_too() -> None:
    views, batch, _ = scene()
    held = replace(batch, scores=torch.tensor([0.9, 0.1, 0.4, 0, 0]))
    value = TotalLoss([LossTerm(MarginMse(), 1.0, "teacher")])(views, held)
    s, y = (views["a"].rows * views["b"].rows).sum(dim=1)[:3].tolist(), [0.9, 0.1, 0.4]
    squares = [((s[i] - s[j]) - (y[i] - y[j])) ** 2 for i in range(3) for j in range(3) if i != j]
    assert value.item() == pytest.approx(sum(squares) / 6, abs=1e-6)


# ---- in a run


def test_its_vectors_are_those_of_the_engine(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    made = recipe(teacher="builtin", loss="distil-kl", views=[["text"], ["text", "image"]], fusion="gated")
    rows = assemble(made, (data, []), tmp_path, cache=cache).prepared.rows["train"]
    model, sample = Model.load(), next(s for s in data if "image" in s.columns)
    text = model.encode([sample.columns["text"]])[0]
    from duretrieval.collection.reading import Road
    from duretrieval.media.limits import Limits

    with Road(model.reading, Limits(), workers=1) as road:
        (read,) = road.read_all([sample.columns["image"]])
    picture = model.encode(read)[0]
    place = torch.tensor([[s.id for s in data if s.split == "train"].index(sample.id)])
    assert rows.taught is not None
    assert rows.taught.width == 384
    np.testing.assert_allclose(rows.taught.of("text", place)[0].numpy(), text, atol=1e-5)
    both = (text + picture) / np.linalg.norm(text + picture)
    np.testing.assert_allclose(rows.taught.of("text+image", place)[0].numpy(), both, atol=1e-5)


def small(**table: Any) -> Recipe:
    """Counted words and features of pictures."""
    encoders = {"text": {"use": "bag-of-words", "min_count": 1}, "image": {"use": "builtin-image-features"}}
    fit = {"epochs": 40, "lr": 1e-2, "patience": 0, "monitor": "loss"}
    return recipe(dim=32, heads="linear", encoders=encoders, fit=fit, **table)


def cosines(made: Recipe, data: list[Sample], cache: Path, folder: Path, *, trained: bool = True) -> np.ndarray:
    """Between texts and pictures that were not learned from."""
    run = assemble(made, (data, []), folder, cache=cache)
    if trained:
        train(made, data, folder, cache=cache, exporting=False)
        load(run, folder / "last.ckpt")
    views = views_of(run.network, run.prepared.rows["val"])
    text, image = (view.rows[view.present] for view in (views["text"], views["image"]))
    return (text @ image.T).numpy().ravel()


@pytest.fixture(scope="module")
def untaught(
    data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[np.ndarray, float, float]:
    """The teacher's cosines, and how far those of the small model follow them: untrained, and taught by the pairs."""
    folder = tmp_path_factory.mktemp("untaught")
    rows = assemble(small(teacher="builtin", loss="distil-kl"), (data, []), folder, cache=cache).prepared.rows["val"]
    assert rows.taught is not None
    there = {name: torch.from_numpy(rows.columns[name].present).nonzero().flatten() for name in ("text", "image")}
    text, image = (rows.taught.of(name, at) for name, at in there.items())
    theirs = (text @ image.T).numpy().ravel()
    plain = [cosines(small(), data, cache, folder / str(trained), trained=trained) for trained in (False, True)]
    return theirs, *(float(np.corrcoef(ours, theirs)[0, 1]) for ours in plain)


@pytest.mark.parametrize("loss", ["margin-mse", "distil-kl"])
def test_unseen_things_are_scored_as_the_teacher_scores_them(
    untaught: tuple[np.ndarray, float, float], data: list[Sample], cache: Path, tmp_path: Path, loss: str
) -> None:
    """Taught by the built-in model; the pairs alone, on the same steps, teach less of it."""
    theirs, untrained, pairs = untaught
    ours = cosines(small(teacher="builtin", loss=loss), data, cache, tmp_path)
    taught = float(np.corrcoef(ours, theirs)[0, 1])
    assert taught > 0.35, (taught, pairs, untrained)
    assert taught > max(untrained, pairs) + 0.1, (taught, pairs, untrained)


def found_by(taught: bool, seed: int) -> float:
    """Two views of hidden things, 30 rows with both and 170 with one: rr of unseen ones after 100 steps."""
    torch.manual_seed(seed)
    things = normalize(torch.randn(400, 16), dim=1)
    seen = [things @ (torch.randn(16, 24) / 2) + 0.1 * torch.randn(400, 24) for _ in "ab"]
    heads, vectors = [torch.nn.Linear(24, 12) for _ in "ab"], DistilVectors(12, 16)
    both, odd, places = torch.arange(200) < 30, torch.arange(200) % 2 == 1, torch.arange(200)
    there, batch = [both | odd, both | ~odd], Batch({}, {}, places, places * 0 - 1, places, 200)
    terms = [LossTerm(InfoNce(), 1.0, "scores"), *([LossTerm(vectors, 10.0, "teacher-rows")] if taught else [])]
    objective = TotalLoss(terms)
    learned = [*objective.parameters(), *heads[0].parameters(), *heads[1].parameters()]
    optimiser, teacher = torch.optim.Adam(learned, lr=1e-2), Taught(dict.fromkeys("ab", things[:200].numpy()))
    for _ in range(100):
        rows = [normalize(head(x[:200]), dim=1) for head, x in zip(heads, seen, strict=True)]
        views = {name: View(r, mask) for name, r, mask in zip("ab", rows, there, strict=True)}
        optimiser.zero_grad()
        objective(views, batch, None, teacher).backward()
        optimiser.step()
    with torch.inference_mode():
        a, b = (normalize(head(x[200:]), dim=1) for head, x in zip(heads, seen, strict=True))
        return (1 / ((scores := a @ b.T) >= scores.diagonal()[:, None]).sum(dim=1)).mean().item()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_teacher_says_something_of_rows_without_a_partner(seed: int) -> None:
    """The same small towers find more on the same rows and steps."""
    alone, taught = found_by(False, seed), found_by(True, seed)
    assert taught > alone + 0.1, (taught, alone)


def test_a_small_tower_learns_the_space_of_a_large_one(cache: Path, tmp_path: Path) -> None:
    """Counted words that learn from texts alone end in the teacher's own space, and need none of it in the engine."""
    things = ["dog", "cat", "car", "boat", "tree", "house", "bread", "king"]
    words = [f"a {c} {t} {p}" for c in ("red", "old", "small", "wet") for t in things for p in ("outside", "at home")]
    samples = [
        Sample(w, {"text": Part(Modality.TEXT, w)}, split="val" if i % 8 == 3 else "train") for i, w in enumerate(words)
    ]
    table = {
        "dim": 384,
        "teacher": "builtin",
        "views": [["text"]],
        "heads": "linear",
        "encoders": {"text": {"use": "bag-of-words", "min_count": 1}},
        "loss": "distil-vectors",
        "fit": {"epochs": 60, "lr": 2e-2, "patience": 0, "monitor": "loss"},
    }
    outcome = train(recipe(**table), samples, tmp_path / "run", cache=cache)
    unseen = [s.columns["text"] for s in samples if s.split == "val"]
    ours, theirs = (Model.load(where).encode(unseen) for where in (outcome.model, "builtin"))
    assert float((ours * theirs).sum(axis=1).mean()) > 0.8
    assert (ours @ theirs.T).argmax(axis=1).tolist() == list(range(len(unseen)))


def test_a_loss_without_a_teacher(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'distil-vectors' learns the vectors of a teacher; name one: teacher ="):
        assemble(recipe(loss="distil-vectors"), (data, []), tmp_path, cache=cache)
    with pytest.raises(ConfigError, match="or learns labels or scores of rows, or from a teacher"):
        assemble(recipe(loss="margin-mse"), (data, []), tmp_path, cache=cache)
