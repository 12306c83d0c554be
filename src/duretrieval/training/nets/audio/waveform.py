"""Encoders that hear samples without a spectrogram: the wav2vec 2.0 family."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from duretrieval.encode.cutting import Cutting
from duretrieval.encode.hub.pretrained import read, whole_model
from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.sound import SoundNet


class Waveform(SoundNet):
    """Rows are the mean over time of the last states, (b, hidden), of wav2vec 2.0 (Baevski et al. 2020), HuBERT (Hsu et
    al. 2021), WavLM (Chen et al. 2022) and others of their form.

    model: a hub id or a folder of such a model, with its preprocessor_config.json.  window_s: seconds heard at once.
    long: what happens to a longer sound.  pretrained: False for random weights.

    Sounds of one length go through the network together, those of another apart: some of these models normalise over
    time, so that silence after a sound would change its row.
    """

    def __init__(
        self,
        model: str | Path = "facebook/wav2vec2-base",
        *,
        window_s: float = 10.0,
        long: Literal["mean", "cut"] = "mean",
        pretrained: bool = True,
    ) -> None:
        """Raises ModelError where the model cannot be loaded, ConfigError where it takes no samples."""
        from transformers import AutoModel, Wav2Vec2FeatureExtractor

        network = whole_model(AutoModel, model, pretrained=pretrained)
        network.config.apply_spec_augment = False  # it masks in training, and fails on sounds shorter than its mask
        extractor = read(Wav2Vec2FeatureExtractor, model, "feature extractor")
        config = network.config
        super().__init__(
            dim=config.output_hidden_size if getattr(config, "add_adapter", False) else config.hidden_size,
            sample_rate=extractor.sampling_rate,
            cutting=Cutting(
                shortest=receptive_field(network.config, model),
                longest=round(window_s * extractor.sampling_rate),
                long=long,
            ),
        )
        self.normalised = extractor.do_normalize
        self.model = network

    def rows(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        """See `SoundNet.rows`."""
        if lengths is None:
            return self._of_one_length(samples)
        rows = samples.new_zeros(len(samples), self.dim)
        for n in sorted(set(lengths.tolist())):
            alike = (lengths == n).nonzero()[:, 0]
            rows = rows.index_copy(0, alike, self._of_one_length(samples[alike, :n]).to(rows.dtype))
        return rows

    def _of_one_length(self, samples: Tensor) -> Tensor:
        if self.normalised:
            mean = samples.mean(dim=1, keepdim=True)
            variance = (samples - mean).square().mean(dim=1, keepdim=True)
            samples = (samples - mean) / torch.sqrt(variance + 1e-7)
        states: Tensor = self.model(samples).last_hidden_state
        return states.mean(dim=1)


def receptive_field(config: Any, model: str | Path) -> int:
    """Samples that one state of the convolutions is made of: r_i = (r_{i+1} - 1) stride_i + kernel_i.

    SEW squeezes several states into one (Wu et al. 2022, "Performance-efficiency trade-offs in unsupervised
    pre-training for speech recognition"), and needs as many.

    Raises:
        ConfigError: the model does not begin with convolutions of samples.
    """
    if not (hasattr(config, "conv_kernel") and hasattr(config, "conv_stride")):
        raise ConfigError(
            f"{str(model)!r} is of type {config.model_type!r}, which does not take samples as wav2vec 2.0 does; "
            "take a model such as 'facebook/wav2vec2-base', or another encoder of sounds"
        )
    field: int = getattr(config, "squeeze_factor", 1)
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        field = (field - 1) * stride + kernel
    return field
