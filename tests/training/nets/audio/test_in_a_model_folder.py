"""A trained encoder of sounds in a model folder: the engine hears at its rate and ranks as torch does."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from tests.training.nets.audio import tiny

from duretrieval.model.model import Model
from duretrieval.similarity import cosine, unit
from duretrieval.training.nets.audio.statistics import MfccStatistics


def test_the_engine_ranks_as_torch_does(tmp_path: Path) -> None:
    parts = tiny.parts(0.4, 1.0, 2.0, 0.9, 3.1, 1.7, rate=8000)
    net = MfccStatistics(sample_rate=8000).fit(parts).eval()
    options = net.export(tmp_path, "audio")["options"]
    file = tmp_path / options["file"]
    settings = ", ".join(f"{key} = {value!r}" for key, value in options.items())
    (tmp_path / "model.toml").write_text(
        f"""format = 1
name = "sounds"
dim = {net.dim}
reading = {{ sample_rate = {net.reading["sample_rate"]} }}
[[encoders]]
use = "onnx-sound"
modalities = ["audio"]
options = {{ {settings} }}
[files."{file.name}"]
bytes = {file.stat().st_size}
sha256 = "{hashlib.sha256(file.read_bytes()).hexdigest()}"
"""
    )
    model = Model.load(tmp_path)
    assert model.reading.sample_rate == 8000
    rows = model.encode(parts)
    with torch.no_grad():
        expected = unit(net(**net.prepare(parts)).numpy())
    np.testing.assert_allclose(rows, expected, atol=1e-4)
    gaps = np.diff(np.sort(cosine(expected, expected), axis=1), axis=1)
    assert gaps.min() > 1e-4, "too close to rank"
    assert (np.argsort(-cosine(rows, rows)) == np.argsort(-cosine(expected, expected))).all()
