from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from duretrieval import plugins
from duretrieval.errors import ConfigError
from duretrieval.index.binary import BinaryIndex
from duretrieval.similarity import unit
from duretrieval.training.losses.code_penalty import CodePenalty
from duretrieval.training.nets.hashing import Codes, signs
from duretrieval.types import Modality


def rows(n: int, d: int, seed: int = 0) -> Tensor:
    return normalize(torch.randn(n, d, generator=torch.Generator().manual_seed(seed)), dim=1)


def codes(mode: str = "tanh", dim: int = 8, dim_in: int = 5) -> Codes:
    torch.manual_seed(0)
    return Codes(dim_in, dim, mode=mode)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["tanh", "sign"])
def test_evaluation_gives_signs_of_one_matrix(mode: str) -> None:
    layer = codes(mode).eval()
    z = rows(20, 5) @ layer.linear.weight.T + layer.linear.bias
    assert torch.equal(layer(rows(20, 5)), signs(z))
    assert signs(torch.tensor([-0.5, 0.0, 0.5])).tolist() == [-1, -1, 1]


def test_straight_through_is_a_sign_forwards_and_a_clipped_line_backwards() -> None:
    layer = codes("sign").train()
    x = rows(50, 5).requires_grad_()
    out = layer(x)
    z = layer.linear(x)
    torch.testing.assert_close(out, signs(z))
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    (grad,) = torch.autograd.grad((out * weights).sum(), x)
    by_hand = (weights * (z.abs() <= 1)) @ layer.linear.weight
    torch.testing.assert_close(grad, by_hand)
    assert bool((z.abs() > 1).any())


def test_the_tanh_goes_over_into_the_sign() -> None:
    layer = codes("tanh").train()
    x = rows(10, 5)
    torch.testing.assert_close(layer(x), torch.tanh(layer.linear(x)))
    assert layer.sharpness == pytest.approx(1.005**0.5)
    layer.steps.fill_(10_000_000)
    assert layer.sharpness == pytest.approx(223.6, abs=0.1)
    with torch.no_grad():
        assert float((layer(x) - layer.eval()(x)).abs().mean()) < 0.02


def test_only_training_counts_steps_and_they_are_saved() -> None:
    layer = codes().train()
    layer(rows(2, 5))
    layer(rows(2, 5))
    layer.eval()(rows(2, 5))
    assert int(layer.steps) == 2
    again = codes()
    again.load_state_dict(layer.state_dict())
    assert again.sharpness == layer.sharpness


@pytest.mark.parametrize("mode", ["tanh", "sign"])
def test_the_engine_gives_the_same_codes(mode: str, tmp_path: Path) -> None:
    layer = codes(mode, dim=70).train()
    entry = layer.export(tmp_path, "codes")
    coder = plugins.find("aligners", entry["use"]).load(tmp_path, **entry["options"])
    x = rows(40, 5)
    expected = layer.eval()(x).detach().numpy()
    np.testing.assert_allclose(coder(x.numpy(), Modality.TEXT), unit(expected), atol=1e-6)
    index = BinaryIndex(5, coder=coder, keep="nothing")
    index.add([f"{i:02}" for i in range(40)], x.numpy())
    distances = (70 - expected @ expected[0]) / 2
    found = [id for id, _ in index.search(x[:1].numpy(), 40)[0]]
    assert [int(id) for id in found] == np.lexsort((np.arange(40), distances)).tolist()


def test_the_penalty_by_hand() -> None:
    """Two codes of two bits, unit rows: h = (1, 1) and (1, -1); the first bit is always 1."""
    code = torch.tensor([[1.0, 1], [1, -1]]) / 2**0.5
    assert float(CodePenalty(1, 0)(code, code)) == pytest.approx(0, abs=1e-6)
    assert float(CodePenalty(0, 1)(code, code)) == pytest.approx((1 + 0) / 2, abs=1e-6)
    east = torch.tensor([[1.0, 0]])  # h = (2^½, 0)
    assert float(CodePenalty(1, 0)(east, east)) == pytest.approx(((2**0.5 - 1) ** 2 + 1) / 2)


def test_the_penalty_by_a_slow_loop() -> None:
    a, b = rows(6, 4), rows(6, 4, 1)
    h = [[2 * float(x) for x in row] for row in torch.cat([a, b])]
    away = sum((abs(x) - 1) ** 2 for row in h for x in row) / 48
    lean = sum((sum(row[j] for row in h) / 12) ** 2 for j in range(4)) / 4
    assert float(CodePenalty(0.3, 0.7)(a, b)) == pytest.approx(0.3 * away + 0.7 * lean, rel=1e-5)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(CodePenalty()(a[order], b[order]), CodePenalty()(a, b))
    assert torch.autograd.gradcheck(CodePenalty(), (a.double().requires_grad_(), b.double().requires_grad_()))


@pytest.mark.parametrize("mode", ["tanh", "sign"])
def test_learned_codes_find_partners_that_random_ones_do_not(mode: str) -> None:
    """Two noisy views of the same 6 numbers among 18 that differ: 16 bits learn to hear only the shared ones."""
    torch.manual_seed(1)
    shared = torch.randn(600, 6)
    views = [normalize(torch.cat([shared, 1.5 * torch.randn(600, 12)], dim=1), dim=1) for _ in range(2)]
    layer, penalty = codes(mode, 16, 18), CodePenalty(0.05, 0.05)

    def found() -> float:
        a, b = (layer.eval()(view[500:]) for view in views)
        ranks = ((a @ b.T) > (a * b).sum(dim=1, keepdim=True)).sum(dim=1)
        return float((ranks < 10).float().mean())

    before = found()
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.04)
    layer.train()
    for step in range(60):
        chosen = torch.randperm(500, generator=torch.Generator().manual_seed(step))[:128]
        a, b = (normalize(layer(view[chosen]), dim=1) for view in views)
        loss = torch.nn.functional.cross_entropy(8 * a @ b.T, torch.arange(128)) + penalty(a, b)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert before < 0.35
    assert found() > 0.8


def test_what_cannot_be_made() -> None:
    with pytest.raises(ConfigError, match="mode is 'relu'; choose 'tanh'"):
        codes("relu")
    with pytest.raises(ConfigError, match="rise is 0; it must be above 0, or the codes never become binary"):
        Codes(5, 8, rise=0)
    with pytest.raises(ConfigError, match=r"quantisation is -1 and balance is 0\.1; both must be 0 or more"):
        CodePenalty(-1)
