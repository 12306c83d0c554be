"""The network and its objective, against plain loops: missing views, shared keys, mined columns, memory."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from duretrieval.errors import ConfigError
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import LossTerm, TotalLoss, inner
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.training.losses.memory import Memory
from duretrieval.types import Modality


def number(value: Tensor) -> float:
    return float(value.detach())


class Plain:
    """The mean over anchors of log(1 + sum of exp(s_ij - s_ii) over what is no partner): easy to write as a loop."""

    def __call__(self, scores: Tensor, same: Tensor, /) -> Tensor:
        own = scores.diagonal()[:, None]
        return (1 + ((scores - own).exp() * ~same).sum(dim=1)).log().mean()


def batch(keys: list[int], anchors: int | None = None, labels: list[int] | None = None) -> Batch:
    n = len(keys)
    found = torch.tensor([-1] * n if labels is None else labels)
    return Batch({}, {}, torch.tensor(keys), found, torch.arange(n), n if anchors is None else anchors)


def views(present: Mapping[str, list[int]], seed: int = 0) -> dict[str, View]:
    torch.manual_seed(seed)
    return {
        name: View(normalize(torch.randn(len(there), 4), dim=1).requires_grad_(), torch.tensor(there).bool())
        for name, there in present.items()
    }


def loop(given: dict[str, View], of: Batch, remembered: Mapping[str, list[tuple[Tensor, int]]] | None = None) -> float:
    """The same as TotalLoss with `Plain`, one number at a time."""
    losses = []
    for a, b in combinations(given, 2):
        both = [i for i in range(of.anchors) if given[a].present[i] and given[b].present[i]]
        if len(both) < 2:
            continue
        directions = []
        for x, y in ((a, b), (b, a)):
            found = [(given[y].rows[j], int(of.keys[j])) for j in both]
            found += [
                (given[y].rows[j], int(of.keys[j])) for j in range(of.anchors, len(of.keys)) if given[y].present[j]
            ]
            found += (remembered or {}).get(y, [])
            total = 0.0
            for i in both:
                own = number(given[x].rows[i] @ given[y].rows[i])
                others = [number(given[x].rows[i] @ row) for row, key in found if key != int(of.keys[i])]
                total += float(torch.tensor(1 + sum(2.718281828459045 ** (s - own) for s in others)).log())
            directions.append(total / len(both))
        losses.append(sum(directions) / 2)
    return sum(losses) / len(losses)


THREE = {"a": [1, 1, 1, 1, 1, 1], "b": [1, 0, 1, 1, 1, 0], "c": [0, 1, 1, 0, 1, 1]}


def test_three_views_with_missing_ones_and_shared_keys() -> None:
    given, of = views(THREE), batch([0, 1, 0, 2, 3, 1])
    assert number(TotalLoss([LossTerm(Plain(), 1.0, "scores")])(given, of)) == pytest.approx(loop(given, of), abs=1e-5)
    half = TotalLoss([LossTerm(Plain(), 0.5, "scores", ("a", "b")), LossTerm(Plain(), 2.0, "scores", ("b", "c"))])
    expected = sum(
        weight * loop({name: given[name] for name in pair}, of)
        for weight, pair in ((0.5, ("a", "b")), (2.0, ("b", "c")))
    )
    assert number(half(given, of)) == pytest.approx(expected, abs=1e-5)


def test_mined_rows_are_candidates_and_no_anchors() -> None:
    given, of = views(THREE), batch([0, 1, 2, 3, 4, 0], anchors=4)
    assert number(TotalLoss([LossTerm(Plain(), 1.0, "scores")])(given, of)) == pytest.approx(loop(given, of), abs=1e-5)


def test_memory_serves_the_next_batches() -> None:
    objective = TotalLoss([LossTerm(Plain(), 1.0, "scores")], memory=Memory(5))
    first, second = views(THREE, 1), views(THREE, 2)
    one, two = batch([0, 1, 2, 3, 4, 5], anchors=5), batch([6, 1, 8, 3, 10, 11])
    assert number(objective(first, one)) == pytest.approx(loop(first, one), abs=1e-5)
    kept = {
        name: [(view.rows[i].detach(), int(one.keys[i])) for i in range(5) if view.present[i]]
        for name, view in first.items()
    }
    assert number(objective(second, two)) == pytest.approx(loop(second, two, kept), abs=1e-5)
    objective.eval()
    assert number(objective(second, two)) == pytest.approx(loop(second, two), abs=1e-5)


def test_what_is_absent_changes_nothing_and_learns_nothing() -> None:
    given, of = views(THREE), batch([0, 1, 2, 3, 4, 5])
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores")])
    before = objective(given, of)
    before.backward()  # type: ignore[no-untyped-call]
    assert given["b"].rows.grad is not None
    assert not given["b"].rows.grad[1].any()
    other = {name: View(torch.where(v.present[:, None], v.rows, 99.0), v.present) for name, v in given.items()}
    assert number(objective(other, of)) == pytest.approx(number(before), abs=1e-6)


def test_a_batch_without_a_pair_is_zero_and_can_be_derived() -> None:
    given = views({"a": [1, 1, 0], "b": [0, 1, 1]})
    loss = TotalLoss([LossTerm(InfoNce(), 1.0, "scores")])(given, batch([0, 1, 2]))
    loss.backward()
    assert number(loss) == 0
    assert not given["a"].rows.grad.any()  # type: ignore[union-attr]


class Entropy:
    reads = "labels"

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels)


def test_labels_of_known_anchors_only() -> None:
    given = views({"a": [1, 1, 0, 1], "b": [1, 0, 0, 1]})
    of = batch([0, 1, 2, 3], anchors=3, labels=[1, 0, 0, 1])
    classifier = nn.Linear(4, 2)
    objective = TotalLoss([LossTerm(Entropy(), 2.0, "labels", classifier=classifier)])
    a = -(classifier(given["a"].rows[0]).log_softmax(0)[1] + classifier(given["a"].rows[1]).log_softmax(0)[0]) / 2
    b = -classifier(given["b"].rows[0]).log_softmax(0)[1]
    assert number(objective(given, of)) == pytest.approx(number(a + b), abs=1e-6)
    assert set(objective.parameters()) == set(classifier.parameters())
    with pytest.raises(ConfigError, match="a loss of classes needs labels, and the data has none"):
        TotalLoss([LossTerm(Entropy(), 1.0, "labels")])(given, of)


class Apart:
    reads = "rows"

    def __call__(self, a: Tensor, b: Tensor, /) -> Tensor:
        return (a - b).square().sum(dim=1).mean()


def test_losses_of_rows_and_of_vectors() -> None:
    given, of = views({"a": [1, 1, 0, 1], "b": [1, 1, 1, 1]}), batch([0, 1, 2, 3])
    at = [0, 1, 3]
    expected = sum(number((given["a"].rows[i] - given["b"].rows[i]).square().sum()) for i in at) / 3
    assert number(TotalLoss([LossTerm(Apart(), 1.0, "rows")])(given, of)) == pytest.approx(expected, abs=1e-6)

    def third(a: Tensor, b: Tensor) -> Tensor:
        return inner(a, b) / 3

    cosine = TotalLoss([LossTerm(Plain(), 1.0, "scores")])(given, of)
    assert number(TotalLoss([LossTerm(Plain(), 1.0, "scores", on="vectors")], third)(given, of)) == number(cosine)
    assert number(TotalLoss([LossTerm(Plain(), 1.0, "scores")], third)(given, of)) != number(cosine)


class Mean(nn.Module):
    """The mean of what is there."""

    dim = 2
    modalities = (Modality.TEXT, Modality.IMAGE)

    def forward(self, rows: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]) -> Tensor:
        return torch.stack([row * present[m][:, None] for m, row in rows.items()]).sum(dim=0)


def head(weight: list[list[float]], bias: list[float]) -> nn.Linear:
    made = nn.Linear(2, 2)
    with torch.no_grad():
        made.weight.copy_(torch.tensor(weight))
        made.bias.copy_(torch.tensor(bias))
    return made


def columns(rows: Mapping[str, list[list[float]]], there: Mapping[str, list[int]]) -> Batch:
    n = len(next(iter(there.values())))
    inputs = {name: {"rows": torch.tensor(values)} for name, values in rows.items()}
    present = {name: torch.tensor(values).bool() for name, values in there.items()}
    return Batch(inputs, present, torch.arange(n), torch.full((n,), -1), torch.arange(n), n)


def test_two_columns_of_one_modality_are_a_mean_of_those_there() -> None:
    """An absent column's row would be the head's bias; it must not take part."""
    network = Network(
        encoders={},
        heads={Modality.TEXT: head([[1, 0], [0, 1]], [0, 5]), Modality.IMAGE: head([[2, 0], [0, 2]], [0, 0])},
        columns={"title": Modality.TEXT, "body": Modality.TEXT, "image": Modality.IMAGE},
        views=[("title", "body", "image"), ("image",)],
        dim=2,
        fusion=Mean(),
    )
    of = columns(
        {
            "title": [[1.0, -5.0], [1.0, -5.0]],
            "body": [[0.0, 0.0], [0.0, -4.0]],
            "image": [[0.0, 0.0], [0.0, 0.0]],
        },
        {"title": [1, 1], "body": [0, 1], "image": [0, 0]},
    )
    found = network(of)
    assert list(found) == ["title+body+image", "image"]
    half = 0.5**0.5
    torch.testing.assert_close(found["title+body+image"].rows, torch.tensor([[1.0, 0.0], [half, half]]))
    assert found["title+body+image"].present.tolist() == [True, True]
    assert found["image"].present.tolist() == [False, False]
    assert not network.aligned(of, "image").any()


class Doubled(nn.Module):
    """A net that learns."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


def test_rows_of_a_net_stand_where_they_belong() -> None:
    shared = head([[1, 0], [0, 1]], [0, 0])
    network = Network(
        encoders={Modality.IMAGE: Doubled()},
        heads={Modality.IMAGE: shared, Modality.VIDEO: shared, Modality.TEXT: head([[1, 0], [0, 1]], [0, 0])},
        columns={"image": Modality.IMAGE, "video": Modality.VIDEO, "text": Modality.TEXT},
        views=[("image",), ("video",), ("text",)],
        dim=2,
    )
    rows = {"video": [[3.0, 4.0]] * 3, "text": [[0.0, 2.0]] * 3}
    of = columns(rows, {"image": [0, 1, 1], "video": [1, 1, 1], "text": [1, 1, 1]})
    given: Any = {**of.inputs, "image": {"x": torch.tensor([[0.0, 7.0], [6.0, 8.0]])}}
    of = Batch(given, of.present, of.keys, of.labels, of.rows, of.anchors)
    torch.testing.assert_close(network(of)["image"].rows, torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.6, 0.8]]))
    assert network.heads["image"] is network.heads["video"]
    assert len(list(network.parameters())) == 5  # scale, and two heads of weight and bias
    none = Batch({**given, "image": {}}, {**of.present, "image": torch.zeros(3).bool()}, of.keys, of.labels, of.rows, 3)
    assert network(none)["image"].rows.shape == (3, 2)  # not a single one in the batch
