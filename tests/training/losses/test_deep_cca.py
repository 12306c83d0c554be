import math

import numpy as np
import pytest
import torch

from duretrieval.align.cca import Cca
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.contracts import RowLoss
from duretrieval.training.losses.deep_cca import DeepCca
from duretrieval.types import Modality


def views(n: int, d_a: int, d_b: int, seed: int = 0, noise: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows that share two directions, float64."""
    draw = torch.Generator().manual_seed(seed)
    shared = torch.randn(n, 2, generator=draw).double()
    a, b = (noise * torch.randn(n, d, generator=draw).double() for d in (d_a, d_b))
    a[:, :2] += shared
    b[:, -2:] += shared
    return a, b


def test_by_eye() -> None:
    """Equal columns correlate perfectly, opposite ones too, and columns at right angles not at all."""
    x = torch.tensor([[-1.0], [1.0], [-1.0], [1.0]])
    y = torch.tensor([[-1.0], [-1.0], [1.0], [1.0]])
    loss = DeepCca(penalty=1e-5)
    assert loss(x, 3 * x + 7).item() == pytest.approx(-1, abs=1e-4)
    assert loss(x, -x).item() == pytest.approx(-1, abs=1e-4)
    assert loss(x, y).item() == pytest.approx(0, abs=1e-6)


def test_one_column_a_side_is_pearsons_correlation() -> None:
    a, b = (rows[:, :1] for rows in views(50, 2, 2))
    expected = abs(np.corrcoef(a[:, 0], b[:, 0])[0, 1])
    assert 0.3 < expected < 0.95
    assert DeepCca(penalty=1e-5)(a, b).item() == pytest.approx(-expected, abs=1e-4)


def inverse_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(values**-0.5) @ vectors.T


@pytest.mark.parametrize("shape", [(60, 5, 3), (60, 4, 4), (6, 10, 8)])
def test_against_the_paper_written_out(shape: tuple[int, int, int]) -> None:
    """With inverse roots, and the trace norm of T by its definition."""
    a, b = views(*shape)
    x, y = (rows.numpy() - rows.numpy().mean(axis=0) for rows in (a, b))
    n = len(x)
    sxx, syy = x.T @ x / (n - 1), y.T @ y / (n - 1)
    sxx += 0.1 * np.trace(sxx) / len(sxx) * np.eye(len(sxx))
    syy += 0.1 * np.trace(syy) / len(syy) * np.eye(len(syy))
    t = inverse_root(sxx) @ (x.T @ y / (n - 1)) @ inverse_root(syy)
    trace_norm = np.sqrt(np.maximum(np.linalg.eigvalsh(t.T @ t), 0)).sum()
    assert DeepCca(penalty=0.1)(a, b).item() == pytest.approx(-trace_norm / min(t.shape), rel=1e-5)
    assert DeepCca(penalty=0.1)(a.float(), b.float()).item() == pytest.approx(-trace_norm / min(t.shape), rel=1e-4)


def test_the_closed_form_finds_the_same_correlations() -> None:
    a, b = views(200, 6, 5)
    sides = {"x_modalities": [Modality.IMAGE], "y_modalities": [Modality.TEXT]}
    cca = Cca.fit(a.float().numpy(), b.float().numpy(), dim=3, penalty=0.01, **sides)
    assert DeepCca(3, penalty=0.01)(a, b).item() == pytest.approx(-cca.correlations.mean(), abs=1e-5)


@pytest.mark.parametrize("components", [None, 2])
def test_the_derivative_is_that_of_finite_differences(components: int | None) -> None:
    a, b = views(12, 4, 3)
    loss = DeepCca(components, penalty=0.01)
    assert torch.autograd.gradcheck(loss, (a.requires_grad_(), b.requires_grad_()))


def test_also_where_correlations_coincide() -> None:
    """b is a turned by a rotation and scaled: all correlations are equal, where derivatives of eigenvectors blow up."""
    a, _ = views(20, 4, 4)
    a, _ = torch.linalg.qr(a - a.mean(dim=0))
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(1)).double())
    b = 2 * a @ turn
    assert torch.autograd.gradcheck(DeepCca(penalty=0.01), (a.requires_grad_(), b.detach().requires_grad_()))
    assert DeepCca(penalty=0.01)(a, b).item() == pytest.approx(-1 / 1.01)


def test_a_singular_batch_stays_finite() -> None:
    """Fewer rows than dimensions, dimensions that are equal, rows that are all the same, unit rows of float32."""
    few_a, few_b = (rows.float() for rows in views(5, 40, 30))
    twice = torch.cat([few_a, few_a], dim=1)
    constant = torch.full((5, 8), 0.1)
    for a, b in [(few_a, few_b), (twice, few_b), (constant, few_b), (constant, constant), (1e4 * few_a, 1e-4 * few_b)]:
        a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
        loss = DeepCca()(a, b)
        assert -1.001 <= loss.item() <= 0
        for gradient in torch.autograd.grad(loss, (a, b)):
            assert bool(torch.isfinite(gradient).all())


def test_descending_finds_what_two_views_share() -> None:
    """Linear nets on 2 shared of 6 directions reach the canonical correlations of the closed form."""
    a, b = (rows.float() for rows in views(300, 6, 6, noise=0.3))
    torch.manual_seed(0)
    nets = torch.nn.ModuleList([torch.nn.Linear(6, 2), torch.nn.Linear(6, 2)])
    optimiser = torch.optim.Adam(nets.parameters(), lr=0.05)
    loss = DeepCca()
    for _ in range(150):
        optimiser.zero_grad()
        value = loss(nets[0](a), nets[1](b))
        value.backward()
        optimiser.step()
    assert value.item() == pytest.approx(DeepCca(2)(a, b).item(), abs=0.01)
    assert value.item() < -0.85


def test_the_order_of_rows_and_the_scale_of_a_side_change_nothing() -> None:
    a, b = views(30, 4, 3)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    value = DeepCca()(a, b).item()
    assert DeepCca()(a[order], b[order]).item() == pytest.approx(value)
    assert DeepCca()(1000 * a, b - 5).item() == pytest.approx(value)
    assert DeepCca()(a, b[order]).item() > value + 0.1


def test_mixed_precision() -> None:
    a, b = (rows.float() for rows in views(30, 4, 3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = DeepCca()(a, b)
        assert bool(torch.isfinite(DeepCca()(a.bfloat16(), b.bfloat16())))
    assert mixed.item() == DeepCca()(a, b).item()


def test_is_a_loss_of_rows() -> None:
    loss: RowLoss = DeepCca()
    assert loss.reads == "rows"


def test_what_it_refuses() -> None:
    with pytest.raises(ConfigError, match="components is 0; it must be at least 1"):
        DeepCca(0)
    for penalty in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ConfigError, match=r"penalty is .*; it must be at least 1e-5"):
            DeepCca(penalty=penalty)
    for a, b in [(torch.ones(3, 2), torch.ones(4, 2)), (torch.ones(1, 2), torch.ones(1, 2)), (torch.ones(3),) * 2]:
        with pytest.raises(ShapeError, match=r"expected rows .* and their partners"):
            DeepCca()(a, b)
