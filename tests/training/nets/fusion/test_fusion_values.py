"""Each fusion by hand, then against its formula written slowly."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from tests.training.nets.fusion.fusion_families import (
    AUDIO,
    IMAGE,
    MODALITIES,
    TEXT,
    WIDTH,
    make,
    presence,
    rows,
    trained,
)
from torch import Tensor, nn

from duretrieval.training.nets.fusion.attention import Attention
from duretrieval.training.nets.fusion.concatenation import Concatenation
from duretrieval.training.nets.fusion.cross_attention import CrossAttention
from duretrieval.training.nets.fusion.gated import Gated
from duretrieval.training.nets.fusion.low_rank import LowRank
from duretrieval.training.nets.fusion.maximum import Maximum
from duretrieval.training.nets.fusion.scores import SCORES, Additive, Bilinear, attend
from duretrieval.training.nets.fusion.tensor import TensorFusion
from duretrieval.training.nets.fusion.tucker import Tucker
from duretrieval.training.nets.fusion.weighted_sum import WeightedSum
from duretrieval.types import Modality

TWO = (TEXT, IMAGE)
EAST, NORTH = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])


def close(a: Tensor, b: object, atol: float = 1e-5) -> None:
    np.testing.assert_allclose(a.detach().numpy(), np.asarray(b), atol=atol)


def test_weighted_sum_by_hand() -> None:
    fusion = WeightedSum(TWO, 2, weights={"text": 3, "image": 1}, learned=False)
    close(fusion({TEXT: EAST, IMAGE: NORTH}), [[0.75, 0.25]])
    close(fusion({IMAGE: NORTH}), NORTH)
    assert fusion.weights == pytest.approx({TEXT: 0.75, IMAGE: 0.25})
    assert not [w for w in fusion.parameters() if w.requires_grad]


def test_weights_are_shared_among_those_that_are_there() -> None:
    fusion = WeightedSum(MODALITIES, 2, weights={"text": 3, "audio": 2})
    close(fusion({TEXT: EAST, AUDIO: NORTH}), [[0.6, 0.4]])
    close(fusion({IMAGE: EAST, AUDIO: NORTH}), [[1 / 3, 2 / 3]])


def test_maximum_by_hand() -> None:
    fusion = Maximum(TWO, 3)
    text, image = torch.tensor([[1.0, -2.0, 0.0]]), torch.tensor([[0.5, -1.0, 4.0]])
    close(fusion({TEXT: text, IMAGE: image}), [[1.0, -1.0, 4.0]])
    close(fusion({TEXT: text}), text)


def test_concatenation_by_hand() -> None:
    """W x joined, and the learned row where one is absent."""
    fusion = Concatenation(TWO, 2, 1)
    with torch.no_grad():
        fusion.linear.weight.copy_(torch.tensor([[1.0, 10.0, 100.0, 1000.0]]))
        fusion.linear.bias.fill_(0.5)
        fusion.absent.copy_(torch.tensor([[7.0, 7.0], [2.0, 3.0]]))
    close(fusion({TEXT: EAST, IMAGE: NORTH}), [[1 + 1000 + 0.5]])
    close(fusion({TEXT: EAST}), [[1 + 200 + 3000 + 0.5]])


def test_gated_is_the_papers_unit_for_two_modalities() -> None:
    """h = z * tanh(W_v x_v) + (1 - z) * tanh(W_t x_t), z = sigmoid(W_z [x_v, x_t])."""
    torch.manual_seed(0)
    fusion = Gated((IMAGE, TEXT), 4, 3)
    nn.init.normal_(fusion.gate.weight)
    v, t = torch.randn(5, 4), torch.randn(5, 4)
    w_z = fusion.gate.weight[:3] - fusion.gate.weight[3:]
    z = torch.sigmoid(torch.cat([v, t], dim=1) @ w_z.T)
    h_v, h_t = torch.tanh(v @ fusion.hidden.weight[0].T), torch.tanh(t @ fusion.hidden.weight[1].T)
    close(fusion({IMAGE: v, TEXT: t}), (z * h_v + (1 - z) * h_t).detach())
    close(fusion({IMAGE: v}), h_v.detach())


def outer_products(there: list[Tensor]) -> dict[tuple[int, ...], float]:
    """(i, j, k) -> the product of the i-th, j-th and k-th component, the last of each being 1."""
    long = [[*row.tolist(), 1.0] for row in there]
    return {
        at: math.prod(row[i] for row, i in zip(long, at, strict=True)) for at in product(range(WIDTH + 1), repeat=3)
    }


def test_tensor_fusion_is_a_sum_over_all_products() -> None:
    fusion = trained("tensor", {"dim": 2})
    assert isinstance(fusion, TensorFusion)
    x, there = rows(4), presence(4)
    weight = fusion.linear.weight.view(2, WIDTH + 1, WIDTH + 1, WIDTH + 1).tolist()
    for n in range(4):
        products = outer_products([x[m][n] if there[m][n] else torch.zeros(WIDTH) for m in MODALITIES])
        expected = [
            sum(weight[d][i][j][k] * value for (i, j, k), value in products.items()) + fusion.linear.bias[d].item()
            for d in range(2)
        ]
        close(fusion(x, there)[n], expected, atol=1e-4)


def test_low_rank_is_tensor_fusion_with_weights_of_low_rank() -> None:
    low = trained("low-rank", {"dim": 2, "rank": 3})
    full = make("tensor", {"dim": 2})
    assert isinstance(low, LowRank)
    assert isinstance(full, TensorFusion)
    factors = torch.cat([low.weight, low.constant[..., None]], dim=3)  # (rank, m, dim, width + 1)
    built = torch.einsum("rdi,rdj,rdk->dijk", *factors.unbind(dim=1))
    with torch.no_grad():
        full.linear.weight.copy_(built.flatten(start_dim=1))
        full.linear.bias.copy_(low.bias)
    x, there = rows(), presence()
    close(low(x, there), full(x, there).detach(), atol=1e-4)


@pytest.mark.parametrize("rank", [0, 2])
def test_tucker_multiplies_the_core_with_small_projections(rank: int) -> None:
    fusion = trained("tucker", {"inner": 3, "rank": rank})
    assert isinstance(fusion, Tucker)
    x, there = rows(), presence()
    small = {
        m: torch.tanh(x[m] @ w.T + b) for m, w, b in zip(MODALITIES, fusion.down.weight, fusion.down.bias, strict=True)
    }
    close(fusion(x, there), fusion.up(fusion.core(small, there)).detach())


@pytest.mark.parametrize("refused", [3, 2])
def test_tensor_fusion_that_would_explode(refused: int) -> None:
    message = r"tensor fusion of \d modalities of width \d+ has .* weights, more than 3.4e\+07; take 'low-rank'"
    with pytest.raises(ValueError, match=message):
        TensorFusion(MODALITIES[:refused], {3: 128, 2: 1024}[refused])


def score_of(name: str, module: nn.Module, x: list[float], y: list[float]) -> float:
    """One score, in plain numbers."""
    dot = sum(a * b for a, b in zip(x, y, strict=True))
    if name == "uniform":
        return 0.0
    if name == "dot":
        return dot
    if name == "scaled-dot":
        return dot / math.sqrt(len(x))
    if name == "bilinear":
        assert isinstance(module, Bilinear)
        w = module.weight.tolist()
        return sum(x[i] * w[i][j] * y[j] for i in range(len(x)) for j in range(len(y)))
    assert isinstance(module, Additive)
    w, u, b = module.query.weight.tolist(), module.key.weight.tolist(), module.query.bias.tolist()
    hidden = [math.tanh(sum(w[h][i] * x[i] + u[h][i] * y[i] for i in range(len(x))) + b[h]) for h in range(len(b))]
    return sum(v * h for v, h in zip(module.v.weight[0].tolist(), hidden, strict=True))


@pytest.mark.parametrize("name", list(SCORES))
def test_attention_is_its_formula(name: str) -> None:
    """a_ij = softmax_j e_ij over those that are there, z_i = sum_j a_ij x_j, and their mean."""
    fusion = trained("attention", {"score": name})
    assert isinstance(fusion, Attention)
    x, there = rows(), presence()
    out = fusion(x, there)
    for n in range(6):
        here = [x[m][n].tolist() for m in MODALITIES if there[m][n]]
        z = [0.0] * WIDTH
        for query in here:
            e = [math.exp(score_of(name, fusion.score, query, key)) for key in here]
            for weight, value in zip(e, here, strict=True):
                z = [a + weight / sum(e) * v / len(here) for a, v in zip(z, value, strict=True)]
        if here:
            close(out[n], z)


def test_attention_of_sequences() -> None:
    """The same code for any number of rows: three queries, five rows, of which two are padding."""
    x, y = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    there = torch.tensor([[True, True, True, False, False]] * 2)
    for score in SCORES.values():
        module = score(4)
        close(attend(module(x, y), y, there), attend(module(x, y[:, :3]), y[:, :3], there[:, :3]).detach())


def cross_attention(query: str = "text", modalities: tuple[Modality, ...] = MODALITIES) -> CrossAttention:
    torch.manual_seed(0)
    fusion = CrossAttention(modalities, WIDTH, query=query)
    for weights in fusion.parameters():
        nn.init.normal_(weights)
    return fusion


def test_cross_attention_is_multi_head_attention_beside_the_query() -> None:
    fusion, x = cross_attention(), rows()
    theirs = nn.MultiheadAttention(WIDTH, 4, bias=False, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([fusion.q.weight, fusion.k.weight, fusion.v.weight]))
        theirs.out_proj.weight.copy_(fusion.out.weight)
    there = {IMAGE: torch.tensor([True] * 4 + [False] * 2), AUDIO: torch.tensor([False] * 2 + [True] * 4)}
    keys = torch.stack([x[IMAGE], x[AUDIO]], dim=1)
    absent = ~torch.stack([there[IMAGE], there[AUDIO]], dim=1)
    attended, _ = theirs(x[TEXT][:, None], keys, keys, key_padding_mask=absent)
    close(fusion(x, there), (x[TEXT] + attended[:, 0]).detach())


def test_cross_attention_without_answers_is_the_query() -> None:
    x = rows()
    close(cross_attention()({TEXT: x[TEXT]}), x[TEXT])
    close(cross_attention(modalities=(TEXT,))({TEXT: x[TEXT]}), x[TEXT])


def test_cross_attention_without_its_query_asks_with_the_mean() -> None:
    fusion, x = cross_attention(), rows()
    mean = (x[IMAGE] + x[AUDIO]) / 2
    close(fusion({IMAGE: x[IMAGE], AUDIO: x[AUDIO]}), fusion({TEXT: mean, IMAGE: x[IMAGE], AUDIO: x[AUDIO]}).detach())


def test_dropping_is_for_training_and_leaves_something() -> None:
    torch.manual_seed(0)
    fusion = WeightedSum(MODALITIES, 1, weights={"text": 1, "image": 10, "audio": 100}, drop=0.5)
    x = {m: torch.ones(4000, 1) * 10**i for i, m in enumerate(MODALITIES)}
    there = {m: torch.arange(4000) < (3000 if m == TEXT else 4000) for m in MODALITIES}
    out = fusion.train()(x, there)
    assert out.min() >= 1  # never nothing
    only_text = torch.isclose(out, torch.tensor(1.0)).float()[:3000, 0].mean()
    assert only_text == pytest.approx(0.5**3, abs=0.02)
    whole = torch.isclose(out, fusion.eval()(x, there)).float()[:3000, 0].mean()
    assert whole == pytest.approx(0.5**3 + 0.5**3, abs=0.03)  # kept whole, or nothing would have been left
    torch.testing.assert_close(fusion(x, there), fusion(x, there), atol=0, rtol=0)


@pytest.mark.parametrize(
    ("name", "options", "learns"),
    [
        ("tensor", {}, True),
        ("low-rank", {"rank": 2}, True),
        ("tucker", {"inner": 8, "rank": 2}, True),
        ("concatenation", {}, False),
        ("weighted-sum", {}, False),
    ],
)
def test_products_are_learned_by_those_that_have_them(name: str, options: dict[str, int], learns: bool) -> None:
    """Whether text and picture agree in their first component is in no sum of the two."""
    x = {m: row for m, row in rows(400, seed=3).items() if m != AUDIO}
    right = torch.sign(x[TEXT][:, 0] * x[IMAGE][:, 0])
    fusion = make(name, options).train()
    read = nn.Linear(fusion.dim, 1)
    optimiser = torch.optim.Adam([*fusion.parameters(), *read.parameters()], lr=0.03)
    for _ in range(150):
        optimiser.zero_grad()
        nn.functional.soft_margin_loss(read(fusion(x))[:, 0], right).backward()
        optimiser.step()
    share = float((torch.sign(read(fusion(x))[:, 0]) == right).float().mean())
    assert share > 0.95 if learns else share < 0.7
