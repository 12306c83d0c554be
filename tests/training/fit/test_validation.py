"""Figures of a check are those of `evaluate` and of scikit-learn on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, recall_score
from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.errors import ConfigError
from duretrieval.evaluation.measures import measure
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import LossTerm, TotalLoss
from duretrieval.training.data.batch import View
from duretrieval.training.data.batches import Column, Rows
from duretrieval.training.data.positives import Positives
from duretrieval.training.fit.validation import asked, check, classes, mean_loss, retrieval, views_of
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.types import Modality


def made(n: int = 20, seed: int = 0) -> tuple[Network, Rows]:
    """Two columns, some rows missing, some keys shared; heads with dropout."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    columns = {
        name: Column(modality, rng.random(n) < 0.8, rng.standard_normal((n, 6)).astype(np.float32))
        for name, modality in (("text", Modality.TEXT), ("image", Modality.IMAGE))
    }
    heads = {m: nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.5)) for m in (Modality.TEXT, Modality.IMAGE)}
    rows = Rows(columns, rng.integers(0, 12, n), rng.integers(-1, 3, n))
    named = {name: column.modality for name, column in columns.items()}
    return Network(encoders={}, heads=heads, columns=named, views=[("text",), ("image",)], dim=4), rows


def test_retrieval_by_hand() -> None:
    a = View(torch.eye(3), torch.ones(3).bool())
    b = View(torch.eye(3)[[1, 0, 2]], torch.ones(3).bool())  # the first two answer each other's question
    found = retrieval({"a": a, "b": b}, Positives.of_keys(np.arange(3)), ["hit@1", "rr"])
    for direction in ("a→b", "b→a"):  # a tie counts against the model: the first two are third
        assert found[direction] == {"hit@1": pytest.approx(1 / 3), "rr": pytest.approx(5 / 9)}
    same = retrieval({"a": a, "b": b}, Positives.of_keys(np.array([0, 0, 1])), ["hit@1"])
    assert same["a→b"] == {"hit@1": 1.0}  # with one key, either is right


def test_rows_that_ask_by_hand() -> None:
    there = {"text": [1, 1, 1, 0], "image": [1, 0, 1, 1], "audio": [0, 1, 0, 0]}
    kinds = {name: Modality(name) for name in there}
    columns = {
        name: Column(kinds[name], np.array(have, bool), np.zeros((4, 2), np.float32)) for name, have in there.items()
    }
    rows = Rows(columns, np.arange(4), np.full(4, -1))
    assert asked(rows, {"text": ("text",), "image": ("image",)}) == {"text→image": 2, "image→text": 2}
    found = asked(rows, {"text": ("text",), "image+audio": ("image", "audio")})
    assert found == {"text→image+audio": 3, "image+audio→text": 3}


def test_figures_equal_those_of_evaluate() -> None:
    network, rows = made(24)
    found = check(network, TotalLoss([LossTerm(InfoNce(), 1.0, "scores")]), rows, "ndcg@5")
    views = views_of(network, rows)
    a, b = (np.flatnonzero(views[name].present.numpy()) for name in ("text", "image"))
    keys = rows.keys.numpy()
    a = np.array([row for row in a if keys[row] in keys[b]])  # what has nothing right does not ask
    scores = (views["text"].rows @ views["image"].rows.T).numpy()[np.ix_(a, b)]
    for name in ("hit@1", "hit@5", "rr", "ap", "ndcg@5"):
        of = measure(name)
        values = []
        for query, row in enumerate(a):
            order = b[np.argsort(-scores[query], kind="stable")]
            ranks = [place + 1 for place, item in enumerate(order) if keys[item] == keys[row]]
            values.append(reference(name, ranks))
        assert found[f"text→image/{name}"] == pytest.approx(np.mean(values), abs=1e-6), of
    assert found["monitor"] == pytest.approx((found["text→image/ndcg@5"] + found["image→text/ndcg@5"]) / 2)


def reference(name: str, ranks: list[int]) -> float:
    """ranks: those of everything that is right, from 1."""
    if name == "rr":
        return 1 / ranks[0]
    if name == "ap":
        return sum((i + 1) / rank for i, rank in enumerate(ranks)) / len(ranks)
    k = int(name.split("@")[1])
    if name.startswith("hit"):
        return float(ranks[0] <= k)
    ideal = sum(1 / np.log2(i + 2) for i in range(min(k, len(ranks))))
    return float(sum(1 / np.log2(rank + 1) for rank in ranks if rank <= k) / ideal)


def test_classes_equal_scikit_learn() -> None:
    network, rows = made(60)
    term = LossTerm(InfoNce(), 1.0, "labels", classifier=nn.Linear(4, 3))
    views = views_of(network, rows)
    found = classes(views, rows.labels, [term])
    true, given = [], []
    assert term.classifier is not None
    for view in views.values():
        for i in range(len(rows)):
            if view.present[i] and rows.labels[i] >= 0:
                true.append(int(rows.labels[i]))
                given.append(int(term.classifier(view.rows[i].clone()).argmax()))
    assert found["accuracy"] == pytest.approx(accuracy_score(true, given))
    assert found["recall"] == pytest.approx(recall_score(true, given, average="macro"))
    assert found["f1"] == pytest.approx(f1_score(true, given, average="macro"))
    assert classes(views, rows.labels, []) == {}


def test_what_cannot_be_measured_is_said() -> None:
    network, rows = made()
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores")])
    with pytest.raises(ConfigError, match=r"'f1' cannot be measured on the 20 validation rows; what could be is ap, "):
        check(network, objective, rows, "f1")
    with pytest.raises(ConfigError, match="rrr"):
        check(network, objective, rows, "rrr")


def test_smaller_is_better_is_turned_round() -> None:
    network, rows = made()
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores")])
    found = check(network, objective, rows, "loss")
    assert found["monitor"] == -found["loss"]
    ranks = check(network, objective, rows, "median-rank")
    assert ranks["monitor"] == pytest.approx(-(ranks["text→image/median-rank"] + ranks["image→text/median-rank"]) / 2)


class Noisy(nn.Module):
    """A score that learns, with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))
        self.drop = nn.Dropout(0.9)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        scores: Tensor = self.drop(a * self.weight) @ b.T
        return scores


def test_a_check_disturbs_nothing() -> None:
    """Nothing is dropped, no random number is drawn, and what trained still trains."""
    network, rows = made()
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores")], Noisy())
    before = torch.get_rng_state()
    first = check(network, objective, rows, "rr")
    assert torch.equal(torch.get_rng_state(), before)
    assert check(network, objective, rows, "rr") == first
    assert network.training
    assert objective.training


def test_a_last_row_alone_does_not_count_as_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five rows four at a time: the fifth has nothing to be told from."""
    _, rows = made(5)
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores")]).eval()
    same = View(torch.ones(5, 4), torch.ones(5).bool())
    rows.keys = torch.arange(5)
    monkeypatch.setattr("duretrieval.training.fit.validation.BATCH", 4)
    found = mean_loss(objective, {"text": same, "image": same}, rows, torch.device("cpu"))
    # all are alike, and each batch of k gives log k: three and then two
    assert found == pytest.approx((3 * np.log(3) + 2 * np.log(2)) / 5)


def test_figures_need_no_matrix_of_all_pairs() -> None:
    """20,000 rows of two keys: neither their scores (1.6 GB) nor who belongs to whom (200 million places) are made."""
    n, asked_for = 20_000, []
    rows = normalize(torch.randn(n, 8), dim=1)
    view = View(rows, torch.ones(n).bool())

    def score(a: Tensor, b: Tensor) -> Tensor:
        asked_for.append(len(a))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retrieval({"a": view, "b": view}, Positives.of_keys(np.arange(n) % 2), ["hit@1"], score)
    assert asked_for[0] < n


def test_the_mean_loss_is_the_objective(monkeypatch: pytest.MonkeyPatch) -> None:
    network, rows = made(30)
    network.eval()
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores")]).eval()
    views = views_of(network, rows)
    batch = rows[list(range(30))]
    whole = float(objective(network(batch), batch).detach())
    assert mean_loss(objective, views, rows, torch.device("cpu")) == pytest.approx(whole, abs=1e-6)
    monkeypatch.setattr("duretrieval.training.fit.validation.BATCH", 20)
    parts = [rows[list(range(15))], rows[list(range(15, 30))]]
    losses = [float(objective(network(part), part).detach()) for part in parts]
    again = views_of(network, rows)
    assert torch.equal(again["text"].present, views["text"].present)
    torch.testing.assert_close(again["text"].rows, normalize(views["text"].rows * 1.0, dim=1))
    expected = (losses[0] + losses[1]) / 2
    assert mean_loss(objective, again, rows, torch.device("cpu")) == pytest.approx(expected, abs=1e-6)
