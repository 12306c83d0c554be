from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.nets.audio.tiny import sound

from duretrieval.errors import ConfigError
from duretrieval.onnx import Session
from duretrieval.training.nets.audio.framing import filled_to, frames, mirrored, whole
from duretrieval.training.nets.audio.spectrum import Padding, Spectrum, hann_basis
from duretrieval.training.onnx import to_onnx


def test_framing_by_eye() -> None:
    row = torch.tensor([[0.0, 1.0, 2.0, 3.0, 4.0]])
    assert frames(row, 2, 1).tolist() == [[[0, 1], [1, 2], [2, 3], [3, 4]]]
    assert frames(row, 3, 2).tolist() == [[[0, 1, 2], [2, 3, 4]]]
    assert frames(row, 2, 3).tolist() == [[[0, 1], [3, 4]]]
    assert frames(row, 5, 9).tolist() == [row.tolist()]
    assert mirrored(torch.tensor([[1.0, 2, 3, 0]]), torch.tensor([3]), 1).tolist() == [[2, 1, 2, 3, 2, 0]]
    assert filled_to(row, 3).tolist() == [[0, 1, 2]]
    assert filled_to(row, 7).tolist() == [[0, 1, 2, 3, 4, 0, 0]]
    assert whole(torch.zeros(3, 7)).tolist() == [7, 7, 7]


@pytest.mark.parametrize("n", [10, 11, 29, 64])
@pytest.mark.parametrize(("taps", "hop"), [(10, 3), (4, 4), (5, 7), (10, 10)])
def test_frames_are_those_of_unfold(n: int, taps: int, hop: int) -> None:
    rows = torch.arange(2.0 * n).reshape(2, n)
    assert torch.equal(frames(rows, taps, hop), rows.unfold(1, taps, hop))


def test_mirrored_rows_are_each_mirrored_alone() -> None:
    rows = torch.rand(3, 20)
    lengths = torch.tensor([20, 9, 5])
    rows = rows * (torch.arange(20)[None] < lengths[:, None])
    got = mirrored(rows, lengths, 4)
    for row, n, padded in zip(rows.numpy(), lengths.tolist(), got.numpy(), strict=True):
        np.testing.assert_array_equal(padded[: n + 8], np.pad(row[:n], 4, mode="reflect"))
        assert not padded[n + 8 :].any()


def slow_power(samples: np.ndarray, n_fft: int, window: int, hop: int, padding: Padding) -> np.ndarray:
    """One frame and one frequency at a time."""
    if padding != "none":
        samples = np.pad(samples, n_fft // 2, mode={"zeros": "constant", "reflect": "reflect"}[padding])
    hann = np.zeros(n_fft)
    before = (n_fft - window) // 2
    hann[before : before + window] = [0.5 - 0.5 * np.cos(2 * np.pi * i / window) for i in range(window)]
    rows = []
    for start in range(0, len(samples) - n_fft + 1, hop):
        frame = samples[start : start + n_fft].astype(float) * hann
        rows.append(
            [abs(sum(frame * np.exp(-2j * np.pi * k * np.arange(n_fft) / n_fft))) ** 2 for k in range(n_fft // 2 + 1)]
        )
    return np.array(rows)


@pytest.mark.parametrize("padding", ["zeros", "reflect", "none"])
@pytest.mark.parametrize(("n_fft", "window", "hop"), [(64, 64, 16), (64, 40, 10), (32, 31, 32)])
def test_agrees_with_the_slow_reference(n_fft: int, window: int, hop: int, padding: Padding) -> None:
    samples = sound(0.02)
    spectrum = Spectrum(hann_basis(n_fft, window), hop=hop, padding=padding)
    got = spectrum(torch.from_numpy(samples)[None])[0].numpy()
    expected = slow_power(samples, n_fft, window, hop, padding)
    assert got.shape == expected.shape == (spectrum.frames(torch.tensor([len(samples)]))[0], n_fft // 2 + 1)
    np.testing.assert_allclose(got / expected.max(), expected / expected.max(), atol=1e-6)


@pytest.mark.parametrize("padding", ["zeros", "reflect", "none"])
def test_a_row_does_not_depend_on_the_rows_beside_it(padding: Padding) -> None:
    spectrum = Spectrum(hann_basis(64, 64), hop=20, padding=padding)
    lengths = torch.tensor([500, 70, 333])
    rows = torch.rand(3, 500) * (torch.arange(500)[None] < lengths[:, None])
    together = spectrum(rows, lengths)
    for row, n, count, got in zip(rows, lengths, spectrum.frames(lengths), together, strict=True):
        alone = spectrum(row[None, :n])[0]
        assert len(alone) == count
        torch.testing.assert_close(got[:count], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("padding", ["zeros", "reflect", "none"])
def test_its_graph_is_equal_for_any_length(tmp_path: Path, padding: Padding) -> None:
    spectrum = Spectrum(hann_basis(512, 400), hop=160, padding=padding)
    to_onnx(spectrum, tmp_path / "s.onnx", {"samples": torch.rand(2, 4000)}, free={"samples": [1]})
    graph = Session(tmp_path / "s.onnx")
    for seconds in (0.04, 0.33, 2.0):
        samples = np.stack([sound(seconds, 0), sound(seconds, 1), sound(seconds, 2)])
        expected = spectrum(torch.from_numpy(samples)).numpy()
        np.testing.assert_allclose(graph.run(samples=samples) / expected.max(), expected / expected.max(), atol=1e-5)


def test_only_the_bins_that_are_used() -> None:
    samples = torch.from_numpy(sound(0.1))[None]
    every = Spectrum(hann_basis(128, 128), hop=64)(samples)
    some = Spectrum(hann_basis(128, 128, used=slice(5, 20)), hop=64)(samples)
    torch.testing.assert_close(some, every[..., 5:20], rtol=1e-4, atol=1e-4)


def test_mixed_precision_leaves_spectra_alone() -> None:
    spectrum = Spectrum(hann_basis(128, 128), hop=64)
    samples = torch.from_numpy(sound(0.1))[None]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(spectrum(samples), spectrum(samples.float()))
        assert spectrum(samples).dtype == torch.float32


def test_nothing_of_it_is_in_a_checkpoint() -> None:
    assert Spectrum(hann_basis(128, 128), hop=64).state_dict() == {}


def test_a_window_longer_than_the_transform_is_refused() -> None:
    with pytest.raises(ConfigError, match="window is 400 samples and n_fft is 256; the window must be 1 to n_fft"):
        hann_basis(256, 400)
