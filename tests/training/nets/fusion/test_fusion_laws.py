"""What every fusion promises (`contracts.FusionNet`), and that the engine fuses alike."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.fusion.fusion_families import (
    ALL,
    AUDIO,
    IMAGE,
    MIXING,
    MODALITIES,
    NAMES,
    TEXT,
    WIDTH,
    make,
    presence,
    rows,
    trained,
)

from duretrieval.similarity import unit
from duretrieval.training.parts import find

each = pytest.mark.parametrize(("name", "options"), ALL, ids=NAMES)
Options = dict[str, Any]
SHARED = [
    (name, options) for name, options in ALL if name != "maximum" and not {"weights", "dim", "inner"} & set(options)
]
"""Those that begin as the mean; the others are another thing by design, or lie in a narrower space."""


@each
def test_one_row_an_item(name: str, options: Options) -> None:
    fusion = trained(name, options)
    assert fusion.modalities == MODALITIES
    assert fusion(rows()).shape == (6, fusion.dim)
    assert fusion.dim == options.get("dim", WIDTH)


@each
def test_what_is_absent_may_hold_anything(name: str, options: Options) -> None:
    fusion, x, there = trained(name, options), rows(), presence()
    expected = fusion(x, there)
    for stuff in (100.0, float("nan"), float("inf")):
        filled = {m: torch.where(there[m][:, None], row, stuff) for m, row in x.items()}
        torch.testing.assert_close(fusion(filled, there), expected, atol=1e-5, rtol=0)


@each
def test_not_in_the_mapping_is_absent(name: str, options: Options) -> None:
    fusion, x = trained(name, options), rows()
    nothing = torch.zeros(6, dtype=torch.bool)
    for size in (1, 2):
        for chosen in combinations(MODALITIES, size):
            there = {m: torch.ones(6, dtype=torch.bool) if m in chosen else nothing for m in MODALITIES}
            torch.testing.assert_close(fusion({m: x[m] for m in chosen}), fusion(x, there), atol=1e-5, rtol=0)


@each
def test_neither_the_order_of_the_mapping_nor_of_the_items_matters(name: str, options: Options) -> None:
    fusion, x, there = trained(name, options), rows(), presence()
    out = fusion(x, there)
    torch.testing.assert_close(fusion({m: x[m] for m in reversed(MODALITIES)}, there), out)
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    shuffled = fusion({m: row[order] for m, row in x.items()}, {m: row[order] for m, row in there.items()})
    torch.testing.assert_close(shuffled, out[order], atol=1e-5, rtol=0)


@each
def test_an_item_of_which_nothing_is_there_is_zero_and_teaches_nothing(name: str, options: Options) -> None:
    fusion, x = trained(name, options), rows()
    there = {m: torch.tensor([True] * 5 + [False]) for m in MODALITIES}
    out = fusion({m: row.requires_grad_() for m, row in x.items()}, there)
    assert torch.equal(out[5], torch.zeros(fusion.dim))
    out.square().sum().backward()
    learned = [weights for weights in fusion.parameters() if weights.requires_grad]
    assert all(torch.isfinite(weights.grad).all() for weights in learned if weights.grad is not None)
    assert all(torch.isfinite(row.grad).all() and not row.grad[5].any() for row in x.values())  # type: ignore[union-attr]


@each
def test_one_row_alone(name: str, options: Options) -> None:
    """It is itself where rows are only mixed; elsewhere it is so before training, about."""
    x = rows()
    for modality in MODALITIES:
        if name in MIXING:
            torch.testing.assert_close(trained(name, options)({modality: x[modality]}), x[modality])
        elif (name, options) in SHARED:
            out = make(name, options).eval()({modality: x[modality]})
            assert torch.cosine_similarity(out, x[modality]).min() > 0.97


@pytest.mark.parametrize(("name", "options"), SHARED, ids=str)
def test_before_training_it_is_about_the_mean(name: str, options: Options) -> None:
    x = rows()
    both = make(name, options).eval()({TEXT: x[TEXT], IMAGE: x[IMAGE]})
    assert torch.cosine_similarity(both, x[TEXT] + x[IMAGE]).min() > 0.85
    assert torch.cosine_similarity(both, x[AUDIO]).abs().mean() < 0.6


@torch.no_grad()
@pytest.mark.parametrize(("inner", "rank"), [(4, 2), (6, 0), (WIDTH, 2)])
def test_a_narrow_one_begins_as_what_is_left_of_the_mean(inner: int, rank: int) -> None:
    """Of so many directions of all: a cosine of their share's root."""
    x = rows(50)
    both = make("tucker", {"inner": inner, "rank": rank}).eval()({TEXT: x[TEXT], IMAGE: x[IMAGE]})
    left = torch.cosine_similarity(both, x[TEXT] + x[IMAGE]).mean().item()
    assert left == pytest.approx((inner / WIDTH) ** 0.5, abs=0.05)


@each
def test_every_weight_learns(name: str, options: Options) -> None:
    fusion, x = trained(name, options), rows()
    there = {**presence(), TEXT: torch.tensor([False, True, True, True, True, True])}
    learned = {key: weights for key, weights in fusion.named_parameters() if weights.requires_grad}
    if name == "maximum" or options.get("score") in ("dot", "scaled-dot") or options.get("learned") is False:
        assert not learned
        return
    fusion(x, there).cos().sum().backward()
    assert learned
    for key, weights in learned.items():
        assert weights.grad is not None, key
        assert weights.grad.abs().max() > 0, key


@each
def test_gradients_are_those_of_finite_differences(name: str, options: Options) -> None:
    fusion, there = trained(name, options).double(), presence(3)
    x = [row.double().requires_grad_() for row in rows(3).values()]
    assert torch.autograd.gradcheck(lambda *r: fusion(dict(zip(MODALITIES, r, strict=True)), there), x)


@each
def test_the_engine_fuses_alike(name: str, options: Options, tmp_path: Path) -> None:
    fusion, x = trained(name, options), rows()
    entry = fusion.export(tmp_path, "fusion")
    engine = find("fusions", entry["use"]).load(tmp_path, **entry["options"])
    assert engine.modalities == fusion.modalities
    for size in (1, 2, 3):
        for chosen in combinations(MODALITIES, size):
            for n in (1, 6):
                some = {m: x[m][:n] for m in chosen}
                expected = unit(fusion(some).detach().numpy())
                got = engine({m: row.numpy() for m, row in some.items()})
                np.testing.assert_allclose(got, expected, atol=1e-4)


@each
def test_saved_and_loaded_is_equal(name: str, options: Options, tmp_path: Path) -> None:
    fusion = trained(name, options)
    torch.save(fusion.state_dict(), tmp_path / "weights.pt")
    other = make(name, options, seed=5).eval()
    other.load_state_dict(torch.load(tmp_path / "weights.pt"))
    torch.testing.assert_close(other(rows(), presence()), fusion(rows(), presence()), atol=0, rtol=0)
