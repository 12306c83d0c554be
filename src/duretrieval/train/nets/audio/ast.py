"""The Audio Spectrogram Transformer, a classifier of AudioSet, up to its last layer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from torch import Tensor

from duretrieval.encode.cutting import Cutting
from duretrieval.train.nets.audio.kaldi_mel import FRAME, KaldiMel
from duretrieval.train.nets.audio.pretrained import load_extractor, load_model
from duretrieval.train.nets.audio.sound import SoundNet


class Ast(SoundNet):
    """Rows are the mean of the class and distillation tokens after the last layer norm, (b, hidden): what the
    classifier takes (Gong, Chung & Glass 2021, "AST: Audio Spectrogram Transformer").

    model: a hub id or a folder of `ASTModel` or `ASTForAudioClassification`, with its preprocessor_config.json.
    long: a sound longer than the model's window (10.24 s) is heard in pieces whose rows are averaged, or only its
    beginning is heard.  pretrained: False for random weights.
    """

    def __init__(
        self,
        model: str | Path = "MIT/ast-finetuned-audioset-10-10-0.4593",
        *,
        long: Literal["mean", "cut"] = "mean",
        pretrained: bool = True,
    ) -> None:
        """Raises ModelError where the model cannot be loaded."""
        from transformers import ASTFeatureExtractor, ASTModel

        network = load_model(ASTModel, model, pretrained=pretrained)
        front = KaldiMel.like(load_extractor(ASTFeatureExtractor, model))
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
