"""Items among related ones: the matrices, PyTorch Geometric and a slow loop agree."""

from __future__ import annotations

import math

import pytest
import torch
from tests.training.nets.fusion.fusion_families import IMAGE, MODALITIES, TEXT, WIDTH, presence, rows, trained
from torch import Tensor

from duretrieval.errors import ShapeError
from duretrieval.training.nets.fusion.graph_attention import GraphAttention

NONE = torch.zeros(2, 0, dtype=torch.int64)


def graph_attention() -> GraphAttention:
    fusion = trained("graph-attention", {"heads": 2})
    assert isinstance(fusion, GraphAttention)
    return fusion


def one(fusion: GraphAttention, middle: list[float], around: list[list[float]]) -> list[float]:
    """The formula for one item, head by head."""
    conv, out = fusion.conv, []
    size = conv.out_channels
    left, right = conv.lin_l.weight.tolist(), conv.lin_r.weight.tolist()
    left_bias, right_bias = conv.lin_l.bias.tolist(), conv.lin_r.bias.tolist()
    for h in range(conv.heads):
        at = range(h * size, (h + 1) * size)
        theirs = [[sum(w * v for w, v in zip(left[c], y, strict=True)) + left_bias[c] for c in at] for y in around]
        mine = [sum(w * v for w, v in zip(right[c], middle, strict=True)) + right_bias[c] for c in at]
        scores = []
        for row in theirs:
            added = [a + b for a, b in zip(row, mine, strict=True)]
            v = conv.att[0, h].tolist()
            scores.append(math.exp(sum(w * (s if s > 0 else 0.2 * s) for w, s in zip(v, added, strict=True))))
        weights = [s / sum(scores) for s in scores]
        out += [sum(w * row[c] for w, row in zip(weights, theirs, strict=True)) for c in range(size)]
    return [a + b for a, b in zip(out, conv.bias.tolist(), strict=True)]


def own(x: dict[object, Tensor], there: dict[object, Tensor], n: int) -> list[list[float]]:
    return [x[m][n].tolist() for m in MODALITIES if there[m][n]]


def middle_of(around: list[list[float]]) -> list[float]:
    return [sum(column) / len(around) for column in zip(*around, strict=True)]


def test_an_item_alone_looks_at_its_own_rows() -> None:
    fusion, x, there = graph_attention(), rows(), presence()
    out = fusion(x, there)
    for n in range(6):
        around = own(x, there, n)
        torch.testing.assert_close(out[n], torch.tensor(one(fusion, middle_of(around), around)), atol=1e-5, rtol=0)


def test_related_items_are_looked_at_by_their_middles() -> None:
    """Item 0 knows 1 and 2, item 3 knows itself, the others nobody; three ways to the same rows."""
    fusion, x, there = graph_attention(), rows(), presence()
    edges = torch.tensor([[1, 2, 3], [0, 0, 3]])
    within = fusion.within(x, edges, there)
    middles = fusion.middle(x, there)
    neighbours = torch.full((6, 2, WIDTH), float("nan"))
    related = torch.zeros(6, 2, dtype=torch.bool)
    neighbours[0], related[0] = middles[[1, 2]], True
    neighbours[3, 1], related[3, 1] = middles[3], True
    torch.testing.assert_close(fusion.beside(x, neighbours, related, there), within, atol=1e-5, rtol=0)
    known = {0: [1, 2], 3: [3]}
    for n in range(6):
        mine = own(x, there, n)
        around = mine + [middle_of(own(x, there, j)) for j in known.get(n, [])]
        torch.testing.assert_close(within[n], torch.tensor(one(fusion, middle_of(mine), around)), atol=1e-5, rtol=0)


def test_without_relations_all_are_alone() -> None:
    fusion, x, there = graph_attention(), rows(8), presence(8)  # of the last item, nothing is there
    nobody = torch.zeros(8, 3, dtype=torch.bool)
    alone = fusion(x, there)
    torch.testing.assert_close(fusion.within(x, NONE, there), alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(fusion.beside(x, torch.zeros(8, 3, WIDTH), nobody, there), alone, atol=1e-5, rtol=0)
    assert not alone[7].any()


def test_an_item_of_which_nothing_is_there_lives_by_its_relations() -> None:
    fusion, x, there = graph_attention(), rows(8), presence(8)
    out = fusion.within(x, torch.tensor([[0], [7]]), there)
    assert out[7].any()
    expected = one(fusion, [0.0] * WIDTH, [fusion.middle(x, there)[0].tolist()])
    torch.testing.assert_close(out[7], torch.tensor(expected), atol=1e-5, rtol=0)


def test_relations_teach() -> None:
    """Gradients go through the graph, even past rows that are absent and not numbers."""
    fusion, x, there = graph_attention(), rows(), presence()
    x[TEXT][~there[TEXT]] = float("nan")
    picture = x[IMAGE].requires_grad_()
    fusion.within({**x, IMAGE: picture}, torch.tensor([[1], [0]]), there)[0].sum().backward()
    assert picture.grad is not None
    assert picture.grad[1].any()
    assert not picture.grad[2:].any()
    assert all(torch.isfinite(w.grad).all() for w in fusion.parameters() if w.grad is not None)


def test_an_edge_to_nowhere() -> None:
    fusion, x = graph_attention(), rows()
    for edges in (torch.tensor([[0], [6]]), torch.tensor([[-1], [0]]), torch.zeros(3, 2, dtype=torch.int64)):
        with pytest.raises(ShapeError, match=r"expected edges \(2, e\) between the 6 items, numbered from 0; got \("):
            fusion.within(x, edges)


def test_neighbours_that_do_not_fit() -> None:
    fusion, x = graph_attention(), rows()
    for shape, mask in (((6, 2, WIDTH - 1), (6, 2)), ((5, 2, WIDTH), (5, 2)), ((6, 2, WIDTH), (6, 3))):
        with pytest.raises(ShapeError, match=r"expected neighbours \(6, k, 8\) and related \(6, k\); got"):
            fusion.beside(x, torch.zeros(shape), torch.zeros(mask, dtype=torch.bool))
