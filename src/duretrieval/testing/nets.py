from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duretrieval import plugins
from duretrieval.errors import ShapeError
from duretrieval.protocols import Encoder
from duretrieval.similarity import unit
from duretrieval.types import Array, Part, Reading

if TYPE_CHECKING:
    from duretrieval.training.contracts import Net

CLOSE = 1e-4


class NetSuite:
    """The laws of a trainable encoder. Subclass it, define the fixtures `net` and `parts`; every test then runs on it.

    class TestMine(NetSuite):
        @pytest.fixture
        def net(self): return MyNet(dim=8)
        @pytest.fixture
        def parts(self): return [Part(Modality.TEXT, text) for text in ("a red bus", "rain", "a blue bird in a tree")]

    A net that is slow to make may come from a class method that is a fixture of scope "class": no test changes it.
    """

    @pytest.fixture
    def net(self) -> Any:
        raise NotImplementedError("return the net under test, an nn.Module")

    @pytest.fixture
    def parts(self) -> Sequence[Part]:
        raise NotImplementedError("return at least three different parts that it can encode, of different sizes")

    def test_satisfies_the_contract(self, net: Net, parts: Sequence[Part]) -> None:
        from torch import nn

        from duretrieval.training.contracts import Net

        assert isinstance(net, nn.Module)
        assert isinstance(net, Net)
        assert net.dim > 0
        assert {part.modality for part in parts} <= net.modalities
        assert set(net.reading) <= {field.name for field in dataclasses.fields(Reading)}

    def test_prepares_one_row_per_part_on_the_cpu(self, net: Net, parts: Sequence[Part]) -> None:
        assert len(parts) >= 3
        for some in (parts, parts[:1]):
            inputs = net.prepare(some)
            assert inputs
            assert {len(tensor) for tensor in inputs.values()} == {len(some)}
            assert {tensor.device.type for tensor in inputs.values()} == {"cpu"}

    def test_one_finite_float32_row_per_part(self, net: Net, parts: Sequence[Part]) -> None:
        out = rows(net, parts)
        assert out.shape == (len(parts), net.dim)
        assert out.dtype == np.float32
        assert np.isfinite(out).all()
        assert np.linalg.norm(out, axis=1).min() > 0, "a row of zeros has no direction"

    def test_different_parts_have_different_rows(self, net: Net, parts: Sequence[Part]) -> None:
        out = unit(rows(net, parts))
        assert np.all(np.linalg.norm(out[:, None] - out[None], axis=2)[~np.eye(len(out), dtype=bool)] > 0)

    def test_each_row_stands_alone(self, net: Net, parts: Sequence[Part]) -> None:
        out = rows(net, parts)
        np.testing.assert_allclose(rows(net, parts), out, atol=1e-6)  # evaluation draws nothing at random
        np.testing.assert_allclose(rows(net, parts[::-1])[::-1], out, atol=CLOSE)
        for part, row in zip(parts, out, strict=True):
            np.testing.assert_allclose(rows(net, [part])[0], row, atol=CLOSE)

    def test_learns(self, net: Any, parts: Sequence[Part]) -> None:
        """In training mode, some parameter that may change gets a derivative; one that may not gets none."""
        state = {key: value.clone() for key, value in net.state_dict().items()}  # running means change too
        net.train()
        try:
            net(**net.prepare(parts)).square().sum().backward()
            grads = [p.grad for p in net.parameters() if p.requires_grad and p.grad is not None]
            assert grads
            assert all(grad.isfinite().all() for grad in grads)
            assert any(grad.count_nonzero() for grad in grads)
            assert all(p.grad is None for p in net.parameters() if not p.requires_grad)
        finally:
            net.zero_grad(set_to_none=True)
            net.load_state_dict(state)
            net.eval()

    def test_its_state_is_all_there_is(self, net: Any, parts: Sequence[Part]) -> None:
        """What training changes is in `state_dict`, so a checkpoint brings it back."""
        import torch

        before = rows(net, parts)
        state = {key: value.clone() for key, value in net.state_dict().items()}
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
        changed = rows(net, parts)
        net.load_state_dict(state)
        np.testing.assert_allclose(rows(net, parts), before, atol=1e-6)
        assert not np.allclose(changed, before, atol=1e-3)

    def test_content_of_another_kind_is_refused(self, net: Net, parts: Sequence[Part]) -> None:
        with pytest.raises(ShapeError):
            net.prepare([dataclasses.replace(parts[0], content=None)])

    def test_the_exported_encoder_gives_the_same_rows(self, net: Any, parts: Sequence[Part], tmp_path: Path) -> None:
        """In batches of all parts, of one and of none."""
        net.train()
        try:
            entry = net.export(tmp_path, "mine")
            assert net.training
        finally:
            net.eval()
        encoder = loaded(tmp_path, entry)
        expected = unit(rows(net, parts))
        assert (encoder.dim, encoder.modalities) == (net.dim, net.modalities)
        np.testing.assert_allclose(encoder.encode(parts), expected, atol=CLOSE)
        for part, row in zip(parts, expected, strict=True):
            np.testing.assert_allclose(encoder.encode([part])[0], row, atol=CLOSE)
        assert encoder.encode([]).shape == (0, net.dim)

    def test_its_entry_fits_model_toml(self, net: Net, tmp_path: Path) -> None:
        """Only what TOML can hold; every file begins with the name, so that two encoders fit in one folder."""
        entry = net.export(tmp_path, "mine")
        assert set(entry) == {"use", "options"}
        assert is_toml(entry)
        files = sorted(file.name for file in tmp_path.iterdir())
        assert [file for file in files if not file.startswith("mine")] == []


def rows(net: Any, parts: Sequence[Part]) -> Array:
    """The net's rows in evaluation mode: (len(parts), dim)."""
    import torch

    net.eval()
    with torch.no_grad():
        out: Array = net(**net.prepare(parts)).numpy()
    return out


def loaded(folder: Path, entry: dict[str, Any]) -> Encoder:
    """The engine's encoder of an entry of model.toml."""
    encoder: Encoder = plugins.find("encoders", entry["use"]).load(folder, **entry["options"])
    assert isinstance(encoder, Encoder)
    return encoder


def is_toml(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_toml(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return all(is_toml(inner) for inner in value)
    return isinstance(value, str | int | float | bool)
