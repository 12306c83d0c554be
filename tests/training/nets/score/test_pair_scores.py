"""Scores by eye, against loops and the engine's own, all pairs against single pairs, and the graph against both."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from duretrieval import similarity
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.onnx import Session
from duretrieval.training import parts
from duretrieval.training.blocks import in_blocks
from duretrieval.training.losses.binary_cross_entropy import BinaryCrossEntropy
from duretrieval.training.nets.score.cosine import Cosine, InnerProduct
from duretrieval.training.nets.score.euclidean import Euclidean
from duretrieval.training.nets.score.neural_tensor import NeuralTensor
from duretrieval.training.nets.score.pair_score import PairScore
from duretrieval.training.nets.score.pair_scorer import PairScorer
from duretrieval.training.nets.score.weighted_cosine import WeightedCosine

D = 8
BLOCKS = {"text": 5, "image": 3}
MAKERS = {
    "cosine": Cosine,
    "inner-product": InnerProduct,
    "euclidean": Euclidean,
    "weighted-cosine": lambda: WeightedCosine(BLOCKS),
    "neural-tensor": lambda: NeuralTensor(D, slices=3),
    "pair-scorer": lambda: PairScorer(D, hidden=(16, 16)),
    "pair-scorer-ab": lambda: PairScorer(D, hidden=(16,), inputs="ab"),
}
each = pytest.mark.parametrize("name", MAKERS)


def made(name: str) -> PairScore:
    """A score whose parameters are anything but their first values."""
    torch.manual_seed(0)
    score = MAKERS[name]()
    with torch.no_grad():
        for p in score.parameters():
            p += 0.3 * torch.randn_like(p)
    return score


def rows(n: int, m: int, d: int = D) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(n)
    return tuple(torch.nn.functional.normalize(torch.randn(k, d, generator=draw), dim=1) for k in (n, m))


def test_every_registered_score_is_here() -> None:
    found = {parts.find("train.scores", name) for name in parts.TABLE["train.scores"]}
    assert found == {type(make()) for make in MAKERS.values()}


# ---- by eye


def test_fixed_scores_by_eye() -> None:
    a, b = torch.tensor([[3.0, 4.0]]), torch.tensor([[3.0, 4.0], [4.0, -3.0], [0.0, 0.0], [-6.0, -8.0]])
    torch.testing.assert_close(Cosine()(a, b), torch.tensor([[1.0, 0.0, 0.0, -1.0]]))
    torch.testing.assert_close(InnerProduct()(a, b), torch.tensor([[25.0, 0.0, 0.0, -50.0]]))
    torch.testing.assert_close(Euclidean()(a, b), torch.tensor([[-0.001, -math.sqrt(50), -5.0, -15.0]]))


def test_weighted_cosine_by_eye() -> None:
    """One block agrees and one is at right angles: the weights decide; an absent block leaves it to the other."""
    score = WeightedCosine({"text": 2, "image": 1})
    a, b = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), torch.tensor([[0.0, 2.0, 5.0], [0.0, 0.0, 3.0]])
    torch.testing.assert_close(score(a, b), torch.tensor([[0.5, 1.0], [0.0, 0.0]]))
    with torch.no_grad():
        score.log_weights[1] = math.log(3)
    assert score.weights == pytest.approx({"text": 0.25, "image": 0.75})
    torch.testing.assert_close(score(a, b), torch.tensor([[0.75, 1.0], [0.0, 0.0]]))


def test_a_neural_tensor_begins_near_the_cosine() -> None:
    torch.manual_seed(0)
    a, b = rows(30, 40, 64)
    assert (NeuralTensor(64)(a, b) - (a @ b.T).tanh()).abs().max().item() < 0.05


# ---- loops


def slow_neural_tensor(score: NeuralTensor, a: list[float], b: list[float]) -> float:
    total = 0.0
    joined = a + b
    for k, u in enumerate(score.u.tolist()):
        w, v = score.w[k].tolist(), score.v.weight[k].tolist()
        form = sum(a[i] * w[i][j] * b[j] for i in range(len(a)) for j in range(len(b)))
        total += u * math.tanh(form + sum(x * y for x, y in zip(v, joined, strict=True)) + score.v.bias[k].item())
    return total


def slow_pair_scorer(score: PairScorer, a: list[float], b: list[float]) -> float:
    given = a + b
    if score.inputs == "all":
        given += [x * y for x, y in zip(a, b, strict=True)] + [abs(x - y) for x, y in zip(a, b, strict=True)]
    layers = [score.first, *(layer for layer in score.rest if isinstance(layer, torch.nn.Linear))]
    for layer in layers:
        given = [
            sum(w * x for w, x in zip(weights, given, strict=True)) + bias
            for weights, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        ]
        if layer is not layers[-1]:
            given = [max(0.0, x) for x in given]
    return given[0]


@pytest.mark.parametrize(
    ("name", "slow"),
    [
        ("neural-tensor", slow_neural_tensor),
        ("pair-scorer", slow_pair_scorer),
        ("pair-scorer-ab", slow_pair_scorer),
    ],
)
def test_learned_scores_against_loops(name: str, slow) -> None:
    score, (a, b) = made(name), rows(4, 5)
    expected = [[slow(score, x, y) for y in b.tolist()] for x in a.tolist()]
    torch.testing.assert_close(score(a, b), torch.tensor(expected), rtol=1e-4, atol=1e-5)


def test_fixed_scores_are_the_engines() -> None:
    a, b = (10 * part for part in rows(6, 7))
    np.testing.assert_allclose(Cosine()(a, b), similarity.cosine(a.numpy(), b.numpy()), atol=1e-5)
    np.testing.assert_allclose(Euclidean()(a, b), similarity.euclidean(a.numpy(), b.numpy()), atol=1e-4)


def test_weighted_cosine_is_the_mean_of_the_engines_cosines() -> None:
    score = made("weighted-cosine")
    a, b = rows(6, 7)
    text, image = (
        similarity.cosine(a[:, part].numpy(), b[:, part].numpy()) for part in (slice(None, 5), slice(5, None))
    )
    expected = score.weights["text"] * text + score.weights["image"] * image
    np.testing.assert_allclose(score(a, b).detach(), expected, atol=1e-5)


# ---- laws


@each
def test_pairs_are_the_diagonal_of_all_pairs(name: str) -> None:
    score, (a, b) = made(name), rows(6, 9)
    whole = score(a, b)
    assert whole.shape == (6, 9)
    torch.testing.assert_close(score.pairs(a, b[:6]), whole.diagonal(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(score(a.flip(0), b), whole.flip(0))
    torch.testing.assert_close(score(a[:1], b[2:3]), whole[:1, 2:3])


@each
def test_the_derivative_is_that_of_finite_differences(name: str) -> None:
    score = made(name).double()
    a, b = (part.double().requires_grad_() for part in rows(3, 4))
    assert torch.autograd.gradcheck(score, (a, b))
    for learned, value in score.named_parameters():
        assert torch.autograd.gradcheck(
            lambda v, learned=learned: torch.func.functional_call(score, {learned: v}, (a.detach(), b.detach())),
            value.detach().clone().requires_grad_(),
        )


@each
@pytest.mark.parametrize("n", [1, 3, 7])
def test_the_graph_scores_as_the_module(tmp_path: Path, name: str, n: int) -> None:
    score, (a, b) = made(name), rows(n, n)
    entry = score.export(tmp_path, "image-text")
    assert entry == {"use": "onnx-scorer", "options": {"file": "image-text.onnx"}}
    got = Session(tmp_path / entry["options"]["file"]).run(a=a.numpy(), b=b.numpy())
    assert got.shape == (n,)
    np.testing.assert_allclose(got, score.pairs(a, b).detach(), atol=1e-5)
    np.testing.assert_allclose(got, score(a, b).diagonal().detach(), atol=1e-4)


@pytest.mark.parametrize("name", ["cosine", "inner-product", "euclidean"])
def test_a_fixed_score_has_a_graph_for_rows_of_any_length(tmp_path: Path, name: str) -> None:
    score = made(name)
    score.export(tmp_path, "s")
    a, b = rows(3, 3, 17)
    np.testing.assert_allclose(Session(tmp_path / "s.onnx").run(a=a.numpy(), b=b.numpy()), score.pairs(a, b), atol=1e-5)


@each
def test_saved_and_loaded_scores_the_same(name: str, tmp_path: Path) -> None:
    score, (a, b) = made(name), rows(3, 4)
    torch.save(score.state_dict(), tmp_path / "state.pt")
    other = MAKERS[name]()
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(other(a, b), score(a, b))


@pytest.mark.parametrize("name", ["neural-tensor", "pair-scorer", "pair-scorer-ab"])
def test_blocks_change_neither_scores_nor_gradients(name: str) -> None:
    score, (a, b) = made(name), rows(7, 9)
    a, b = a.requires_grad_(), b.requires_grad_()
    found = []
    for numbers in (2**24, 1000, 1):
        score.numbers = numbers
        scores = score(a, b)
        found.append([scores, *torch.autograd.grad(scores.square().sum(), [a, b, *score.parameters()])])
    with torch.no_grad():
        found.append([score(a, b), *found[0][1:]])
    for other in found[1:]:
        for part, expected in zip(other, found[0], strict=True):
            torch.testing.assert_close(part, expected, rtol=1e-4, atol=1e-5)


def test_blocks_hold_no_more_than_they_may() -> None:
    held: list[int] = []

    def width_two(rows: torch.Tensor) -> torch.Tensor:
        held.append(2 * len(rows))
        return rows * 2

    for numbers, blocks in ((100, 1), (6, 4), (1, 10)):
        held.clear()
        out = in_blocks(width_two, torch.arange(10.0), 2, numbers)
        assert out.tolist() == [2.0 * i for i in range(10)]
        assert len(held) == blocks
        assert max(held) <= max(2, numbers)


@pytest.mark.parametrize("name", ["cosine", "inner-product", "euclidean", "weighted-cosine"])
def test_fixed_scores_are_float32_in_mixed_precision(name: str) -> None:
    score, (a, b) = made(name), rows(6, 9)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = score(a, b)
        assert score(a.bfloat16(), b.bfloat16()).dtype == torch.float32
    assert torch.equal(mixed, score(a, b))


@pytest.mark.parametrize("name", ["neural-tensor", "pair-scorer"])
def test_learned_scores_run_in_mixed_precision(name: str) -> None:
    score, (a, b) = made(name), rows(6, 9)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = score(a, b)
    torch.testing.assert_close(mixed.float(), score(a, b), atol=0.1, rtol=0.1)


def test_rows_in_one_place_have_finite_gradients() -> None:
    a = torch.ones(3, D, requires_grad=True)
    for name in MAKERS:
        (gradient,) = torch.autograd.grad(made(name)(a, torch.ones(2, D)).sum(), a)
        assert bool(torch.isfinite(gradient).all()), name
    zero = torch.zeros(3, D, requires_grad=True)
    for name in MAKERS:
        (gradient,) = torch.autograd.grad(made(name)(zero, torch.ones(2, D)).sum(), zero)
        assert bool(torch.isfinite(gradient).all()), name


@pytest.mark.parametrize("make", [lambda: PairScorer(D, hidden=(32, 32)), lambda: NeuralTensor(D)])
def test_learns_what_the_cosine_does_not_know(make) -> None:
    """The partner of a row is the row with its halves swapped: no cosine finds it, a learned score does."""
    torch.manual_seed(0)
    score, loss = make(), BinaryCrossEntropy()
    optimiser = torch.optim.Adam(score.parameters(), lr=0.01)
    same = torch.eye(32, dtype=torch.bool)

    def batch() -> tuple[torch.Tensor, torch.Tensor]:
        a = torch.nn.functional.normalize(torch.randn(32, D), dim=1)
        return a, a.roll(D // 2, dims=1)

    for _ in range(300):
        a, b = batch()
        optimiser.zero_grad()
        loss(score(a, b), same).backward()
        optimiser.step()
    a, b = batch()
    first = (score(a, b).argmax(dim=1) == torch.arange(32)).float().mean().item()
    by_cosine = (Cosine()(a, b).argmax(dim=1) == torch.arange(32)).float().mean().item()
    assert first > by_cosine + 0.4


# ---- refusals


@each
def test_rows_of_other_lengths_are_refused(name: str) -> None:
    score = made(name)
    with pytest.raises(ShapeError, match=r"expected rows .* to score; got \(2, 8\) and \(2, 7\)"):
        score(torch.ones(2, 8), torch.ones(2, 7))
    if score.dim is not None:
        with pytest.raises(ShapeError, match=r"expected rows \(n, 8\) and \(m, 8\)"):
            score(torch.ones(2, 7), torch.ones(2, 7))


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"blocks are \{\}; name each part"):
        WeightedCosine({})
    with pytest.raises(ConfigError, match=r"blocks are \{'text': 0\}"):
        WeightedCosine({"text": 0})
    with pytest.raises(ConfigError, match="a neural tensor of 0 slices for 8 dimensions cannot be"):
        NeuralTensor(8, slices=0)
    with pytest.raises(ConfigError, match=r"dim is 8 and hidden \[\]; give at least one layer"):
        PairScorer(8, hidden=())
    with pytest.raises(ConfigError, match=r"dim is 8 and hidden \[128, 0\]"):
        PairScorer(8, hidden=(128, 0))
    with pytest.raises(ConfigError, match="inputs is 'product'; it must be 'all' or 'ab'"):
        PairScorer(8, inputs="product")
