from __future__ import annotations

import pytest
import torch
from torch import Tensor

from duretrieval.training.nets.text.pooling import PLAIN, Attention

TOKENS = torch.tensor([[[1.0, -5.0], [3.0, -1.0], [900.0, 900.0]], [[2.0, 0.0], [4.0, 1.0], [0.0, 5.0]]])
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("pooling", "rows"),
    [
        ("cls", [[1, -5], [2, 0]]),
        ("mean", [[2, -3], [2, 2]]),
        ("max", [[3, -1], [4, 5]]),
        ("last", [[3, -1], [0, 5]]),
    ],
)
def test_worked_by_eye(pooling: str, rows: list[list[float]]) -> None:
    """Two tokens and padding, then three tokens."""
    assert torch.equal(PLAIN[pooling](TOKENS, MASK), torch.tensor(rows, dtype=torch.float32))


def test_attention_begins_at_the_mean() -> None:
    torch.testing.assert_close(Attention(2)(TOKENS, MASK), PLAIN["mean"](TOKENS, MASK))


def test_attention_by_its_definition() -> None:
    torch.manual_seed(0)
    attention = Attention(2)
    torch.nn.init.normal_(attention.score.weight)
    torch.testing.assert_close(attention(TOKENS, MASK), slow(attention, TOKENS, MASK))


def slow(attention: Attention, tokens: Tensor, mask: Tensor) -> Tensor:
    rows = []
    for sentence, there in zip(tokens, mask, strict=True):
        words = sentence[: int(there.sum())]
        v, w, b = attention.score.weight[0], attention.hidden.weight, attention.hidden.bias
        scores = [v @ torch.tanh(w @ h + b) for h in words]
        a = [torch.exp(score) / sum(torch.exp(other) for other in scores) for score in scores]
        rows.append(sum(a_t * h for a_t, h in zip(a, words, strict=True)))
    return torch.stack(rows)  # type: ignore[arg-type]
