"""Sounds for CLAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from duretrieval.encode.cutting import heard
from duretrieval.types import Modality, Part


@dataclass(frozen=True, slots=True, eq=False)
class SoundTower:
    """Mono samples to a log-mel spectrogram by the model's own feature extractor.

    Unlike it, a sound that is too long loses its end (there: a random place is read), and with feature fusion
    (Wu et al. 2023, section 2.3) no sound counts as long (there: one of the batch does, drawn at random): a vector
    must not change from one time to the next.
    """

    dim: int
    extractor: Any
    """A `ClapFeatureExtractor`."""

    modalities = frozenset({Modality.AUDIO})

    @property
    def reading(self) -> Mapping[str, Any]:
        """Rate, and windows as long as the model hears."""
        return {"sample_rate": self.extractor.sampling_rate, "window_s": float(self.extractor.max_length_s)}

    def arrays(self, parts: Sequence[Part]) -> dict[str, npt.NDArray[Any]]:
        """input_features (b, c, t, mels) float32.

        Raises:
            ShapeError: a part is not mono samples.
        """
        rate, longest = self.extractor.sampling_rate, self.extractor.nb_max_samples
        samples = [heard(part, rate)[:longest].astype(np.float64) for part in parts]
        if not samples:
            return {"input_features": np.zeros((0, 1, 1, 1), np.float32)}
        made = self.extractor(samples, sampling_rate=rate, return_tensors="np")
        return {"input_features": made["input_features"].astype(np.float32)}

    def rows(self, model: Any, *, input_features: Any) -> Any:
        """(b, dim), projected."""
        never = input_features.new_zeros(len(input_features), 1).bool()
        return model.get_audio_features(input_features=input_features, is_longer=never).pooler_output
