"""The Audio Spectrogram Transformer, a classifier of AudioSet, up to its last layer."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from duretrieval.encode.cutting import Cutting
from duretrieval.encode.hub.pretrained import read, whole_model
from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.kaldi_mel import FRAME, HOP, KaldiMel
from duretrieval.training.nets.audio.sound import SoundNet


class Ast(SoundNet):
    """Rows are the mean of the class and distillation tokens after the last layer norm, (b, hidden): what the
    classifier takes (Gong, Chung & Glass 2021, "AST: Audio Spectrogram Transformer").

    model: a hub id or a folder of `ASTModel` or `ASTForAudioClassification`, with its preprocessor_config.json.
    window_s: seconds heard at once; None is the model's (10.24 s), which it computes for the shortest sound too. A
    smaller window keeps the middle of the position table, as the authors do, and costs as much less.  long: a sound
    longer than the window is heard in pieces whose rows are averaged, or only its beginning is heard.  pretrained:
    False for random weights.
    """

    def __init__(
        self,
        model: str | Path = "MIT/ast-finetuned-audioset-10-10-0.4593",
        *,
        window_s: float | None = None,
        long: Literal["mean", "cut"] = "mean",
        pretrained: bool = True,
    ) -> None:
        """Raises ModelError where the model cannot be loaded, ConfigError where the window is none of its."""
        from transformers import ASTFeatureExtractor, ASTModel

        network = whole_model(ASTModel, model, pretrained=pretrained)
        with warnings.catch_warnings():
            # the published 128 bands are so narrow that some hold no frequency; so the model was trained
            warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
            extractor = read(ASTFeatureExtractor, model, "feature extractor")
        if window_s is not None:
            _shorten(network, window_s, extractor.sampling_rate)
        front = KaldiMel.like(extractor, network.config.max_length)
        super().__init__(
            dim=network.config.hidden_size,
            sample_rate=front.sample_rate,
            cutting=Cutting(shortest=FRAME, longest=front.window, long=long),
        )
        self.front = front
        self.model = network

    def rows(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        """See `SoundNet.rows`."""
        out: Tensor = self.model(self.front(samples, lengths)).pooler_output
        return out


def _shorten(network: Any, window_s: float, sample_rate: int) -> None:
    """Let a transformer take as many spectra at once as `window_s` has, fewer than it did."""
    config = network.config
    most, least = config.max_length, config.patch_size
    frames = 1 + round((window_s * sample_rate - FRAME) / HOP)
    if not least <= frames <= most:
        shortest_s, longest_s = ((FRAME + (n - 1) * HOP) / sample_rate for n in (least, most))
        raise ConfigError(
            f"window_s is {window_s:g}; this transformer hears {shortest_s:g} to {longest_s:g} s at once: "
            "give a window within that"
        )
    bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
    before, after = ((n - config.patch_size) // config.time_stride + 1 for n in (most, frames))
    start = (before - after) // 2
    table = network.embeddings.position_embeddings.detach()
    tokens, places = table[:, :2], table[:, 2:].unflatten(1, (bands, before))
    kept = places[:, :, start : start + after].flatten(1, 2)
    network.embeddings.position_embeddings = nn.Parameter(torch.cat([tokens, kept], dim=1))
    config.max_length = frames
