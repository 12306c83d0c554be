"""The sound half of CLAP, alone."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from torch import Tensor

from duretrieval.encode.cutting import Cutting
from duretrieval.encode.hub.pretrained import read, whole_model
from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.clap_mel import ClapMel
from duretrieval.training.nets.audio.sound import SoundNet


class ClapAudio(SoundNet):
    """Rows are CLAP's projected sound vectors, (b, projection_dim), which its text half shares; or what is projected,
    (b, hidden) (Wu et al. 2023, "Large-scale contrastive language-audio pretraining").

    model: a hub id or a folder of a `ClapModel` without fusion, with its preprocessor_config.json.  projected: whether
    rows are in the space of its texts.  long: what happens to a sound longer than the window (10 s).  pretrained:
    False for random weights.
    """

    def __init__(
        self,
        model: str | Path = "laion/clap-htsat-unfused",
        *,
        projected: bool = True,
        long: Literal["mean", "cut"] = "mean",
        pretrained: bool = True,
    ) -> None:
        """Raises ModelError where the model cannot be loaded, ConfigError where it is one with fusion."""
        from transformers import ClapAudioModelWithProjection, ClapFeatureExtractor

        network = whole_model(ClapAudioModelWithProjection, model, pretrained=pretrained)
        if network.config.enable_fusion:
            raise ConfigError(f"{str(model)!r} is a CLAP with fusion of random pieces; take one without, 'unfused'")
        front = ClapMel.like(read(ClapFeatureExtractor, model, "feature extractor"))
        super().__init__(
            dim=network.config.projection_dim if projected else network.config.hidden_size,
            sample_rate=front.sample_rate,
            cutting=Cutting(longest=front.window, long=long),
        )
        self.projected = projected
        self.front = front
        self.model = network

    def rows(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        """See `SoundNet.rows`."""
        out: Tensor = self.model.audio_model(input_features=self.front(samples, lengths)).pooler_output
        return self.model.audio_projection(out) if self.projected else out
