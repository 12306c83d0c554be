"""The encoder of Whisper."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from duretrieval.encode.cutting import Cutting
from duretrieval.encode.hub.pretrained import read, whole_model
from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.framing import whole
from duretrieval.training.nets.audio.sound import SoundNet
from duretrieval.training.nets.audio.whisper_mel import WhisperMel

STRIDE = 2
"""Spectra in one state of the encoder: its second convolution has stride 2."""


class Whisper(SoundNet):
    """Rows are the mean of the encoder's last states over the real sound, not over the silence that fills the window,
    (b, d_model) (Radford et al. 2022, "Robust speech recognition via large-scale weak supervision", section 2.2).

    model: a hub id or a folder of any Whisper model, with its preprocessor_config.json.  window_s: seconds that the
    encoder hears at once.  None is the 30 s it was trained with, which it computes for the shortest sound too. Unlike
    the paper, a smaller window keeps the first positions alone and costs as much less.  long: what happens to a sound
    longer than the window.  pretrained: False for random weights.
    """

    def __init__(
        self,
        model: str | Path = "openai/whisper-tiny",
        *,
        window_s: float | None = None,
        long: Literal["mean", "cut"] = "mean",
        pretrained: bool = True,
    ) -> None:
        """Raises ModelError where the model cannot be loaded, ConfigError where the window is none of its."""
        from transformers import WhisperFeatureExtractor, WhisperModel

        extractor = read(WhisperFeatureExtractor, model, "feature extractor")
        encoder = whole_model(WhisperModel, model, pretrained=pretrained).encoder
        state = STRIDE * extractor.hop_length
        if window_s is not None:
            _shorten(encoder, window_s, state / extractor.sampling_rate)
        window = encoder.config.max_source_positions * state
        super().__init__(
            dim=encoder.config.d_model,
            sample_rate=extractor.sampling_rate,
            cutting=Cutting(longest=window, long=long),
        )
        self.state = state
        self.front = WhisperMel.like(extractor, window)
        self.model = encoder

    def rows(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        """See `SoundNet.rows`."""
        states = self.model(self.front(samples)).last_hidden_state
        heard = whole(samples) if lengths is None else lengths
        real = (heard + self.state - 1) // self.state  # rounded up so that a graph divides no negative number
        there = torch.arange(states.shape[1], device=states.device)[None] < real[:, None]
        total = (states * there[..., None]).sum(dim=1)
        mean: Tensor = total / real[:, None]
        return mean


def _shorten(encoder: Any, window_s: float, state_s: float) -> None:
    """Keep the encoder's first positions alone, as many as fit in `window_s`; each is `state_s` long."""
    most, positions = encoder.config.max_source_positions, round(window_s / state_s)
    if not 1 <= positions <= most:
        raise ConfigError(
            f"window_s is {window_s:g}; this Whisper hears {state_s:g} to {most * state_s:g} s at once: "
            "give a window within that"
        )
    encoder.embed_positions = _first(encoder.embed_positions, positions)
    encoder.config.max_source_positions = encoder.max_source_positions = positions


def _first(table: nn.Embedding, n: int) -> nn.Embedding:
    shorter = nn.Embedding(n, table.embedding_dim, _weight=table.weight[:n].detach().clone())
    return shorter.requires_grad_(False)  # as Whisper's own
