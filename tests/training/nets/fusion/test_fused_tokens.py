"""Fusions of words and regions: their formulas in plain numbers, what is masked, and that attention learns."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.similarity import unit
from duretrieval.training.nets.fusion.attention import Attention
from duretrieval.training.nets.fusion.cross_attention import CrossAttention
from duretrieval.training.nets.fusion.sequenced import Sequenced
from duretrieval.training.parts import find
from duretrieval.types import Modality

TEXT, IMAGE, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO
WIDTH = 8
LENGTHS = {TEXT: (3, 1, 2, 0), IMAGE: (4, 5, 0, 2)}
"""Words and regions of four items; the third has no picture, the fourth no text."""
ALL: list[tuple[str, dict[str, Any]]] = [
    ("attention", {}),
    ("attention", {"score": "additive"}),
    ("attention", {"own": False}),
    ("attention", {"score": "scaled-dot", "own": False}),
    ("cross-attention", {"heads": 2}),
    ("cross-attention", {"heads": 4, "score": "bilinear"}),
    ("cross-attention", {"query": "image", "heads": 1, "score": "additive"}),
]
each = pytest.mark.parametrize(("name", "options"), ALL, ids=str)


def fusion(name: str, **options: Any) -> Sequenced:
    """As if it had learned: every weight is moved from where it begins."""
    torch.manual_seed(0)
    made: Sequenced = find("train.fusions", name)(modalities=[TEXT, IMAGE], width=WIDTH, **options)
    with torch.no_grad():
        for weights in made.parameters():
            weights.add_(0.3 * torch.randn_like(weights))
    return made.eval()


def tokens(fill: float = 0.0) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
    """Unit rows and which are there; what is not holds `fill`."""
    generator = torch.Generator().manual_seed(1)
    rows, there = {}, {}
    for modality, lengths in LENGTHS.items():
        made = torch.randn(4, max(lengths), WIDTH, generator=generator)
        there[modality] = torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]
        rows[modality] = torch.where(there[modality][:, :, None], made / made.norm(dim=2, keepdim=True), fill)
    return rows, there


def items() -> list[dict[Modality, Tensor]]:
    """The same, item by item, without padding."""
    rows, there = tokens()
    return [{m: rows[m][i][there[m][i]] for m in LENGTHS if there[m][i].any()} for i in range(4)]


def softmax(scores: list[float]) -> list[float]:
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    return [power / sum(powers) for power in powers]


@torch.no_grad()
def test_text_asks_its_picture_as_in_its_formula() -> None:
    """z = mean over words of (q + W_o [heads]), head by head, word by word, region by region."""
    made = fusion("cross-attention", heads=2)
    assert isinstance(made, CrossAttention)
    item = items()[0]
    words, cells = item[TEXT], item[IMAGE]
    size = WIDTH // 2
    answers = []
    for word in words:
        q, heads = made.q.weight @ word, []
        for h in range(2):
            at = slice(h * size, (h + 1) * size)
            keys = [(made.k.weight @ cell)[at] for cell in cells]
            weights = softmax([float(q[at] @ key) / math.sqrt(size) for key in keys])
            assert max(weights) - min(weights) > 0.02  # it looks somewhere
            heads.append(sum(w * (made.v.weight @ cell)[at] for w, cell in zip(weights, cells, strict=True)))
        answers.append(word + made.out.weight @ torch.cat(heads))
    expected = torch.stack(answers).mean(dim=0)
    torch.testing.assert_close(made(*tokens())[0], expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_regions_look_at_words_bilinearly_as_in_their_formula() -> None:
    """e_mj = i_mᵀ W t_j over the words of region m, and the other way round; both sides count alike."""
    made = fusion("attention", own=False)
    assert isinstance(made, Attention)
    w = made.score.weight  # type: ignore[union-attr]
    item = items()[1]
    sides = []
    for mine, theirs in ((item[TEXT], item[IMAGE]), (item[IMAGE], item[TEXT])):
        seen = [
            sum(a * y for a, y in zip(softmax([float(x @ w @ y) for y in theirs]), theirs, strict=True))  # type: ignore[operator]
            for x in mine
        ]
        sides.append(sum(seen) / len(seen))
    torch.testing.assert_close(made(*tokens())[1], (sides[0] + sides[1]) / 2, atol=1e-5, rtol=0)  # type: ignore[operator]


def test_tokens_of_a_modality_share_its_weight() -> None:
    """All of one text's words five times over say no more against the picture than the words once."""
    made, item = fusion("attention"), items()[0]
    once = made({m: rows[None] for m, rows in item.items()})
    again = made({TEXT: item[TEXT].repeat(5, 1)[None], IMAGE: item[IMAGE][None]})
    torch.testing.assert_close(again, once, atol=1e-5, rtol=0)


@each
def test_what_is_beside_an_item_and_behind_its_end_changes_nothing(name: str, options: dict[str, Any]) -> None:
    made = fusion(name, **options)
    expected = torch.cat([made({m: rows[None] for m, rows in item.items()}) for item in items()])
    for fill in (0.0, 100.0, float("nan")):
        torch.testing.assert_close(made(*tokens(fill)), expected, atol=1e-5, rtol=0)


@each
def test_the_order_of_words_changes_nothing_and_what_they_are_does(name: str, options: dict[str, Any]) -> None:
    made, item = fusion(name, **options), items()[0]
    whole = made({m: rows[None] for m, rows in item.items()})
    turned = made({m: rows.flip(0)[None] for m, rows in item.items()})
    torch.testing.assert_close(turned, whole, atol=1e-5, rtol=0)
    for modality, rows in item.items():
        other = made({**{m: r[None] for m, r in item.items()}, modality: rows[:-1][None]})
        assert (other - whole).abs().max() > 1e-3


@each
def test_one_token_is_one_row(name: str, options: dict[str, Any]) -> None:
    made = fusion(name, **options)
    rows = {m: x[:, 0] for m, x in tokens()[0].items()}
    there = {m: x[:, 0] for m, x in tokens()[1].items()}
    as_tokens = made({m: x[:, None] for m, x in rows.items()}, {m: x[:, None] for m, x in there.items()})
    torch.testing.assert_close(made(rows, there), as_tokens, atol=0, rtol=0)


@each
def test_the_engine_fuses_tokens_alike(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    """Items of any lengths, alone and beside others, and with weights."""
    made = fusion(name, **options, tokens={"text": 3, "image": 5})
    entry = made.export(tmp_path, "fusion")
    assert entry["use"] == "onnx-attention"
    engine = find("fusions", entry["use"]).load(tmp_path, **entry["options"])
    assert engine.tokens == {TEXT: 3, IMAGE: 5}
    given = [{m: rows.numpy() for m, rows in item.items()} for item in items()]
    expected = unit(made(*tokens()).detach().numpy())
    np.testing.assert_allclose(engine.of(given), expected, atol=1e-4)
    for item, row in zip(given, expected, strict=True):
        np.testing.assert_allclose(engine.of([item])[0], row, atol=1e-4)
    weights = [{m: np.arange(1, len(rows) + 1, dtype=np.float32) for m, rows in item.items()} for item in given]
    padded = {m: torch.zeros(4, x.shape[1]) for m, x in tokens()[0].items()}
    for i, item in enumerate(weights):
        for m, w in item.items():
            padded[m][i, : len(w)] = torch.from_numpy(w)
    weighed = unit(made(tokens()[0], padded).detach().numpy())
    np.testing.assert_allclose(engine.of(given, weights), weighed, atol=1e-4)
    assert np.abs(weighed - expected).max() > 1e-3


@each
def test_a_weight_of_two_is_the_same_word_twice(name: str, options: dict[str, Any]) -> None:
    made, item = fusion(name, **options), items()[0]
    twice = {TEXT: torch.cat([item[TEXT], item[TEXT][:1]])[None], IMAGE: item[IMAGE][None]}
    weighed = made({m: rows[None] for m, rows in item.items()}, {TEXT: torch.tensor([[2.0, 1.0, 1.0]])})
    torch.testing.assert_close(made(twice), weighed, atol=1e-5, rtol=0)


def gradients(made: Sequenced, rows: dict[Modality, Tensor], there: dict[Modality, Tensor]) -> dict[str, float]:
    made(rows, there).cos().sum().backward()
    found = {key: float(w.grad.abs().max()) for key, w in made.named_parameters() if w.grad is not None}
    made.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize(("name", "options"), [row for row in ALL if row[1].get("score") != "scaled-dot"], ids=str)
def test_attention_learns_of_regions_and_not_of_one_row(name: str, options: dict[str, Any]) -> None:
    """Where the picture is one row its weight is 1, whatever query and key are: the fault that tokens mend."""
    made = fusion(name, **options)
    rows, there = tokens()
    assert min(gradients(made, rows, there).values()) > 1e-4
    if name == "cross-attention" or options.get("own") is False:
        pooled = {m: x[:, :1] for m, x in rows.items()}, {m: x[:, :1] for m, x in there.items()}
        found = gradients(made, *pooled)
        assert max(value for key, value in found.items() if not key.startswith(("v.", "out."))) < 1e-6


def test_dropping_leaves_out_whole_modalities() -> None:
    made = CrossAttention([TEXT, IMAGE], WIDTH, drop=0.5).train()
    item = {m: rows[None].expand(200, -1, -1) for m, rows in items()[0].items()}
    torch.manual_seed(0)
    seen = {tuple(np.round(row, 4)) for row in made(item).detach().numpy().tolist()}
    made.eval()
    expected = [made(item)[0], made({TEXT: item[TEXT]})[0], made({IMAGE: item[IMAGE]})[0]]
    assert seen == {tuple(np.round(row.detach().numpy().tolist(), 4)) for row in expected}


def test_what_cannot_be_fused_is_said() -> None:
    made = fusion("attention")
    rows, there = tokens()
    with pytest.raises(ShapeError, match=r"expected rows of image \(4, t, 8\); got \(3, 5, 8\)"):
        made({TEXT: rows[TEXT], IMAGE: rows[IMAGE][:3]})
    with pytest.raises(ShapeError, match=r"expected present \(4, 3\) for text; got \(4, 2\)"):
        made(rows, {**there, TEXT: there[TEXT][:, :2]})
    with pytest.raises(ConfigError, match="tokens of audio are not fused; name only text, image"):
        Attention([TEXT, IMAGE], WIDTH, tokens={"audio": 3})
    with pytest.raises(ConfigError, match=r"no score called 'scaled'\. Did you mean 'scaled-dot'\? There are: dot"):
        CrossAttention([TEXT, IMAGE], WIDTH, score="scaled")
