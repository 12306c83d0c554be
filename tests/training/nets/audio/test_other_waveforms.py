"""Models of samples whose states are squeezed, or adapted to another length, after the transformer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tests.training.nets.audio import tiny

from duretrieval import plugins
from duretrieval.similarity import unit
from duretrieval.training.nets.audio.waveform import Waveform

SMALL = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 48,
    "conv_dim": (16, 16, 16), "conv_kernel": (10, 8, 4), "conv_stride": (5, 8, 4),
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
KINDS: dict[str, tuple[str, dict[str, Any], int]] = {
    "adapted": ("Wav2Vec2Config", {"add_adapter": True, "output_hidden_size": 24, "num_adapter_layers": 1}, 24),
    "squeezed": ("SEWConfig", {"squeeze_factor": 2}, 32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_the_mean_of_its_last_states(kind: str, tmp_path: Path) -> None:
    name, settings, dim = KINDS[kind]
    torch.manual_seed(0)
    model = transformers.AutoModel.from_config(getattr(transformers, name)(**{**SMALL, **settings})).eval()
    model.save_pretrained(tmp_path)
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    extractor.save_pretrained(tmp_path)
    net = Waveform(tmp_path).eval()
    assert net.dim == dim
    parts = tiny.parts(0.05, 0.3, 1.0, 0.001)  # the last is shorter than one state needs
    with torch.no_grad():
        rows = unit(net(**net.prepare(parts)).numpy())
        for row, part in zip(rows[:3], parts, strict=False):
            inputs = extractor(part.content, sampling_rate=16_000, return_tensors="pt")
            own = model(inputs["input_values"]).last_hidden_state.mean(dim=1)
            np.testing.assert_allclose(row, unit(own.numpy())[0], atol=1e-4)
    entry = net.export(tmp_path, "sound")
    encoder = plugins.find("encoders", entry["use"]).load(tmp_path, **entry["options"])
    np.testing.assert_allclose(encoder.encode(parts), rows, atol=1e-4)
