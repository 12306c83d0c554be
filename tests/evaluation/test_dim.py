"""A model is measured as it would be searched: cut."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.training.coloured import COLOURS, SHAPES, picture

from duretrieval.builtin import FOLDER
from duretrieval.errors import ConfigError
from duretrieval.evaluation.request import Request, evaluate


def test_a_cut_model_is_measured(tmp_path: Path) -> None:
    model = Path(shutil.copytree(FOLDER, tmp_path / "model"))
    card = (model / "model.toml").read_text(encoding="utf-8")
    (model / "model.toml").write_text(card.replace("dim = 384", "dim = 384\ndims = [2]", 1), encoding="utf-8")
    rows = [f"a {c} {s},{picture(tmp_path, c, s, 0).name}" for c in COLOURS for s in SHAPES]
    (tmp_path / "rows.csv").write_text("\n".join(["text,image", *rows]), encoding="utf-8")
    found = {dim: evaluate(model, Request(data=tmp_path / "rows.csv", metrics=("rr",), dim=dim)) for dim in (None, 2)}
    whole, cut = (f.evaluation.pair("text-image").score("rr").value for f in found.values())
    assert whole > cut


def test_only_a_model_is_cut(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.eye(3))
    with pytest.raises(ConfigError, match=r"--dim has nothing to do with a matrix, which is evaluated with --protocol"):
        evaluate(tmp_path / "m.npy", Request(dim=2))
