"""Neighbours of several kinds: PyTorch Geometric, the matrices and the exported graph agree; kinds learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.nets.fusion.fusion_families import IMAGE, MODALITIES, TEXT, WIDTH, presence, rows, trained
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from duretrieval.errors import ModelError, ShapeError
from duretrieval.fuse.graph import Beside, OnnxGraphFusion, beside, middle
from duretrieval.training.nets.fusion.graph_attention import GraphAttention
from duretrieval.types import Modality

KINDS = ("series", "cites", "cites (back)")
EDGES = torch.tensor([[1, 2, 2, 3, 0], [0, 0, 0, 3, 5]])
"""2 is beside 0 by two kinds; 1, 2 and 4 are beside nobody."""
OF = torch.tensor([0, 1, 2, 1, 2])


def graph_attention(**options: float) -> GraphAttention:
    fusion = trained("graph-attention", {"heads": 2, "kinds": KINDS, **options})
    assert isinstance(fusion, GraphAttention)
    return fusion


def neighbours(middles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`EDGES` as the three nearest places of each item; what is not there is not a number."""
    around = torch.full((6, 3, WIDTH), float("nan"))
    related, kinds = torch.zeros(6, 3, dtype=torch.bool), torch.zeros(6, 3, dtype=torch.int64)
    for other, item, kind in zip(*EDGES.tolist(), OF.tolist(), strict=True):
        at = int(related[item].sum())
        around[item, at], related[item, at], kinds[item, at] = middles[other], True, kind
    return around, related, kinds


def test_matrices_and_pytorch_geometric_agree() -> None:
    fusion, x, there = graph_attention(), rows(), presence()
    around, related, kinds = neighbours(fusion.middle(x, there))
    within = fusion.within(x, EDGES, there, OF)
    torch.testing.assert_close(fusion.beside(x, around, related, there, kinds), within, atol=1e-5, rtol=0)
    other = fusion.within(x, EDGES, there, torch.zeros_like(OF))
    assert (within[0] - other[0]).abs().max() > 1e-2  # the kind makes a difference
    assert torch.allclose(within[[1, 2, 4]], other[[1, 2, 4]], atol=1e-6)  # but not to items without neighbours


def test_without_neighbours_an_item_is_what_it_is_alone() -> None:
    fusion, x, there = graph_attention(), rows(), presence()
    nobody = torch.zeros(6, 3, dtype=torch.bool)
    around = torch.full((6, 3, WIDTH), float("nan"))
    torch.testing.assert_close(fusion.beside(x, around, nobody, there), fusion(x, there), atol=1e-6, rtol=0)


def test_kinds_begin_alike_and_learn() -> None:
    torch.manual_seed(0)
    fusion = GraphAttention(MODALITIES, WIDTH, heads=2, kinds=KINDS)
    x, there = rows(), presence()
    around, related, kinds = neighbours(fusion.middle(x, there))
    begun = fusion.beside(x, around, related, there, kinds)
    torch.testing.assert_close(begun, fusion.beside(x, around, related, there, kinds * 0), atol=1e-6, rtol=0)
    begun.square().sum().backward()
    gradient = fusion.conv.lin_edge.weight.grad
    assert gradient is not None
    assert (gradient.abs().amax(dim=0) > 1e-6).all()  # each kind's
    assert all(bool(w.grad.isfinite().all()) and bool(w.grad.any()) for w in fusion.parameters() if w.grad is not None)


def test_it_learns_which_kind_to_trust() -> None:
    """One neighbour says what an item is about, two say anything; only their kinds tell them apart."""
    torch.manual_seed(0)
    fusion = GraphAttention([TEXT], WIDTH, heads=2, kinds=("about", "sold"))
    optimiser = torch.optim.Adam(fusion.parameters(), lr=0.02)

    def made(n: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        about, own = normalize(torch.randn(n, WIDTH), dim=1), normalize(torch.randn(n, WIDTH), dim=1)
        others = normalize(torch.randn(n, 2, WIDTH), dim=2)
        place = torch.randint(3, (n,))
        around = torch.cat([others, torch.zeros(n, 1, WIDTH)], dim=1)
        around[torch.arange(n), 2], kinds = around[torch.arange(n), place], torch.ones(n, 3, dtype=torch.int64)
        around[torch.arange(n), place], kinds[torch.arange(n), place] = about, 0
        return about, own, around, kinds

    def near() -> float:
        about, own, around, kinds = made(200)
        with torch.no_grad():
            fused = fusion.beside({TEXT: own}, around, torch.ones(200, 3, dtype=torch.bool), None, kinds)
        return float(cosine_similarity(fused, about, dim=1).mean())

    before = near()
    for _ in range(150):
        about, own, around, kinds = made(64)
        fused = fusion.beside({TEXT: own}, around, torch.ones(64, 3, dtype=torch.bool), None, kinds)
        loss = -cosine_similarity(fused, about, dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert before < 0.7
    assert near() > 0.95


def test_neighbours_are_dropped_as_modalities_are() -> None:
    fusion, x = graph_attention(drop=0.5).train(), rows()
    middles = fusion.middle(x)
    around, related, kinds = neighbours(middles)
    torch.manual_seed(0)
    made = torch.stack([fusion.beside(x, around, related, None, kinds) for _ in range(40)])
    assert (made[:, 0].std(dim=0) > 1e-3).all()
    assert bool(made.isfinite().all())
    fusion.eval()
    torch.testing.assert_close(
        fusion.beside(x, around, related, None, kinds), fusion.beside(x, around, related, None, kinds)
    )


def engine(folder: Path, fusion: GraphAttention) -> OnnxGraphFusion:
    entry = fusion.export(folder, "fusion")
    assert entry["use"] == "onnx-graph-fusion"
    return OnnxGraphFusion.load(folder, **entry["options"])


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_the_exported_graph_is_torchs(tmp_path: Path, k: int) -> None:
    """With as many neighbours as there happen to be, of whichever modalities."""
    fusion, x = graph_attention(), rows()
    exported = engine(tmp_path, fusion)
    assert (exported.kinds, exported.neighbours) == (KINDS, 8)
    generator = torch.Generator().manual_seed(k)
    around = torch.randn(6, k, WIDTH, generator=generator)
    related = torch.rand(6, k, generator=generator) < 0.6
    kinds = torch.randint(3, (6, k), generator=generator)
    seen = Beside(around.numpy(), related.numpy().astype(np.float32), kinds.numpy())
    for held in ([TEXT], [TEXT, IMAGE], list(MODALITIES)):
        given = {m: x[m] for m in held}
        ours = normalize(fusion.beside(given, around, related, None, kinds), dim=1).detach().numpy()
        theirs = exported.beside({m: row.numpy() for m, row in given.items()}, seen)
        np.testing.assert_allclose(theirs, ours, atol=1e-5)
        alone = normalize(fusion(given), dim=1).detach().numpy()
        np.testing.assert_allclose(exported({m: row.numpy() for m, row in given.items()}), alone, atol=1e-5)


def test_saving_changes_nothing(tmp_path: Path) -> None:
    """Of one, for once, that makes shorter rows than it takes."""
    exported = engine(tmp_path, graph_attention(dim=6))
    assert (exported.dim, exported.width) == (6, WIDTH)
    vectors = {m: row.numpy() for m, row in rows().items()}
    seen = beside([[(vectors[TEXT][1], 1), (vectors[TEXT][2], 0)], [], [], [(vectors[IMAGE][0], 2)], [], []], WIDTH)
    (tmp_path / "again").mkdir()
    again = OnnxGraphFusion.load(tmp_path / "again", **exported.save(tmp_path / "again", "fusion"))
    np.testing.assert_array_equal(again.beside(vectors, seen), exported.beside(vectors, seen))
    assert not np.allclose(again.beside(vectors, seen)[0], again(vectors)[0], atol=1e-3)


def test_without_kinds_it_is_exported_as_items_alone(tmp_path: Path) -> None:
    assert trained("graph-attention", {"heads": 2}).export(tmp_path, "fusion")["use"] == "onnx-fusion"


def test_what_the_engine_refuses(tmp_path: Path) -> None:
    exported = engine(tmp_path, graph_attention())
    vectors = {TEXT: rows()[TEXT].numpy()}
    for wrong in (beside([()] * 5, WIDTH), beside([()] * 6, WIDTH + 1)):
        with pytest.raises(ShapeError, match=r"expected neighbours \(6, k, 8\); got"):
            exported.beside(vectors, wrong)
    options = {"file": "fusion.onnx", "dim": WIDTH, "modalities": ["text"]}
    with pytest.raises(ModelError, match="looks at 8 neighbours of 0 kinds; export the model again"):
        OnnxGraphFusion.load(tmp_path, **options, kinds=[], neighbours=8)
    assert exported({Modality.TEXT: np.zeros((0, WIDTH), np.float32)}).shape == (0, WIDTH)


def test_a_neighbour_is_the_mean_of_its_modalities() -> None:
    fusion, x = graph_attention(), rows()
    held = {m: row[:1].numpy() for m, row in x.items()}
    np.testing.assert_allclose(middle(held), fusion.middle(x)[0].detach().numpy(), atol=1e-6)
