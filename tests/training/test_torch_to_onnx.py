"""A module and its graph give the same rows, for any batch."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from duretrieval.onnx import Session
from duretrieval.training.onnx import to_onnx


@pytest.mark.parametrize("n", [1, 3, 7])
def test_a_graph_takes_any_number_of_rows_and_any_length_of_a_free_axis(tmp_path: Path, n: int) -> None:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 3)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return self.linear(rows.mean(dim=1))

    module = Mean().train()
    to_onnx(module, tmp_path / "mean.onnx", {"rows": torch.rand(2, 5, 4)}, free={"rows": [1]}, output="out")
    assert module.training
    rows = torch.rand(n, n + 1, 4)
    np.testing.assert_allclose(
        Session(tmp_path / "mean.onnx").run(rows=rows.numpy()), module(rows).detach().numpy(), atol=1e-6
    )


def test_every_part_keeps_its_mode(tmp_path: Path) -> None:
    """A frozen part in evaluation mode inside of a module that trains stays so."""
    module = nn.Sequential(nn.Linear(4, 3), nn.Dropout())
    module[0].eval()
    to_onnx(module, tmp_path / "m.onnx", {"rows": torch.rand(2, 4)})
    assert [part.training for part in module.modules()] == [True, False, True]
