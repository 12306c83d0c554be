from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.audio import oracles, tiny
from tests.training.nets.audio.tiny import sound
from torch import Tensor
from torch.nn import functional

from duretrieval.errors import ConfigError, ModelError
from duretrieval.training.nets.audio.cnn import Cnn, max_plus_mean, panns_settings
from duretrieval.training.nets.audio.panns import cnn6, cnn10, cnn14, load_published

WIDTHS = (4, 6, 8, 10)


def published(kernel: int, widths: tuple[int, ...] = WIDTHS, dim: int = 12, bands: int = 64) -> dict[str, Tensor]:
    """A checkpoint's weights, by its documented names: front end and classifier too."""
    torch.manual_seed(1)

    def norm(name: str, width: int) -> dict[str, Tensor]:
        return {
            f"{name}.weight": 1 + 0.1 * torch.randn(width),
            f"{name}.bias": 0.1 * torch.randn(width),
            f"{name}.running_mean": torch.randn(width),
            f"{name}.running_var": 1 + torch.rand(width),
            f"{name}.num_batches_tracked": torch.tensor(3),
        }

    state = norm("bn0", bands)
    for i, (before, width) in enumerate(zip((1, *widths), widths, strict=False), start=1):
        for j, width_in in enumerate((before, width)[: 2 if kernel == 3 else 1], start=1):
            state[f"conv_block{i}.conv{j}.weight"] = torch.randn(width, width_in, kernel, kernel) / kernel
            state |= norm(f"conv_block{i}.bn{j}", width)
    state |= {"fc1.weight": torch.randn(dim, widths[-1]), "fc1.bias": torch.randn(dim)}
    ignored = {
        "spectrogram_extractor.stft.conv_real.weight": torch.rand(257, 1, 512),
        "logmel_extractor.melW": torch.rand(257, 64),
        "fc_audioset.weight": torch.rand(527, dim),
        "fc_audioset.bias": torch.rand(527),
    }
    return state | ignored


def plain(samples: np.ndarray, state: dict[str, Tensor], rate: int) -> Tensor:
    """The network as the paper draws it, from somebody else's spectrogram on: (dim,)."""
    n_fft = {16_000: 512, 32_000: 1024}[rate]
    settings = {"n_fft": n_fft, "window": n_fft, "hop": rate // 100, "bands": 64}
    mel = oracles.mel_spectrogram(samples, rate, **settings, low=50, high=min(14_000, rate // 2), padding="reflect")

    def norm(x: Tensor, name: str) -> Tensor:
        keys = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(x, *(state[f"{name}.{key}"] for key in keys))

    x = norm(torch.from_numpy(oracles.power_to_db(mel, top_db=None))[None].float(), "bn0")
    x = x.transpose(1, 2)[:, None]
    for i in range(1, 1 + len({key.split(".")[0] for key in state if key.startswith("conv_block")})):
        for j in (1, 2):
            weight = state.get(f"conv_block{i}.conv{j}.weight")
            if weight is not None:
                x = functional.conv2d(x, weight, padding=weight.shape[-1] // 2)
                x = functional.relu(norm(x, f"conv_block{i}.bn{j}"))
        x = functional.avg_pool2d(x, 2 if i <= 5 else 1)
    x = x.mean(dim=3)
    x = x.max(dim=2).values + x.mean(dim=2)
    return functional.relu(functional.linear(x, state["fc1.weight"], state["fc1.bias"]))[0]


@pytest.mark.parametrize("rate", [16_000, 32_000])
@pytest.mark.parametrize(("make", "kernel", "widths"), [(cnn6, 5, WIDTHS), (cnn10, 3, WIDTHS), (cnn14, 3, (4,) * 6)])
def test_published_weights_give_what_the_paper_draws(
    tmp_path: Path, make: Any, kernel: int, widths: tuple[int, ...], rate: int
) -> None:
    state = published(kernel, widths)
    torch.save({"iteration": 3, "model": state}, tmp_path / "Cnn_mAP=0.1.pth")
    net = make(weights=tmp_path / "Cnn_mAP=0.1.pth", widths=widths, dim=12, sample_rate=rate).eval()
    samples = sound(0.83, rate=rate)
    with torch.no_grad():
        row = net(torch.from_numpy(samples)[None])[0]
    expected = plain(samples, state, rate)
    assert expected.any()
    torch.testing.assert_close(row / expected.max(), expected / expected.max(), atol=1e-4, rtol=1e-4)


def test_the_published_sizes() -> None:
    """Parameters in millions, as published; those include a classifier of 527 classes, which ends where we begin."""

    def millions(net: Cnn) -> float:
        return sum(p.numel() for p in net.parameters()) / 1e6

    assert (cnn6().dim, cnn10().dim, cnn14().dim) == (512, 512, 2048)
    assert millions(cnn6()) + 512 * 527 / 1e6 == pytest.approx(4.8, abs=0.05)
    assert millions(cnn10()) + 512 * 527 / 1e6 == pytest.approx(5.2, abs=0.05)
    assert millions(cnn14()) + 2048 * 527 / 1e6 == pytest.approx(80.7, abs=0.1)


def test_maximum_plus_mean_by_eye() -> None:
    x = torch.tensor([[[1.0, 3.0, 9.0]], [[1.0, -3.0, 0.0]]])
    torch.testing.assert_close(max_plus_mean(x, None), torch.tensor([[9 + 13 / 3], [1 - 2 / 3]]))
    assert max_plus_mean(x, torch.tensor([2, 2])).tolist() == [[5], [0]]


def test_front_ends_at_the_published_rates() -> None:
    """Window, hop and highest frequency as published for 8, 16 and 32 kHz."""
    found = [(s.window, s.hop, s.highest_hz) for s in map(panns_settings, (8000, 16_000, 32_000, 44_100))]
    assert found == [(256, 80, 4000), (512, 160, 8000), (1024, 320, 14_000), (1024, 441, 14_000)]


def test_it_learns_to_tell_noise_from_tones() -> None:
    torch.manual_seed(0)
    net = Cnn(widths=(4, 8), dim=8, kernel=3, dropout=0.0).train()
    rng = np.random.default_rng(0)
    noise = [0.1 * rng.standard_normal(4000).astype(np.float32) for _ in range(8)]
    tones = [0.1 * np.sin(rng.uniform(0.2, 1.5) * np.arange(4000)).astype(np.float32) for _ in range(8)]
    parts = [tiny.Part(tiny.Modality.AUDIO, samples) for samples in noise + tones]
    labels = torch.tensor([0] * 8 + [1] * 8)
    classifier = torch.nn.Linear(8, 2)
    optimiser = torch.optim.Adam([*net.parameters(), *classifier.parameters()], lr=1e-2)
    losses = []
    for _ in range(15):
        loss = functional.cross_entropy(classifier(net(**net.prepare(parts))), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"kernel": 4}, "kernel is 4; give 5 for one 5x5 convolution a block, or 3 for two 3x3"),
        ({"widths": ()}, "64 bands cannot be halved by 0 blocks; give fewer blocks or more bands"),
        ({"bands": 8}, "8 bands cannot be halved by 4 blocks"),
    ],
)
def test_sizes_of_no_network_are_refused(sizes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        cnn6(**sizes)


def test_checkpoints_of_something_else_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    net = Cnn(widths=(4, 8), dim=8)
    with pytest.raises(ModelError, match=r"weights\.pth cannot be read as a checkpoint: .*No such file"):
        load_published(net, file)
    file.write_bytes(b"not a checkpoint")
    with pytest.raises(ModelError, match=r"weights\.pth cannot be read as a checkpoint"):
        load_published(net, file)
    torch.save([1, 2], file)
    with pytest.raises(ModelError, match=r"weights\.pth is not a published checkpoint: it holds no 'model'"):
        load_published(net, file)
    torch.save({"model": published(5)}, file)
    with pytest.raises(ModelError, match=r"of another network: conv_block2\.bn1\.bias is \(6,\) there and \(8,\) here"):
        load_published(net, file)
    torch.save({"model": published(3, (4, 8), 8)}, file)
    with pytest.raises(ModelError, match=r"conv_block1\.bn2\.bias is \(4,\) there and missing here; take the function"):
        load_published(net, file)
