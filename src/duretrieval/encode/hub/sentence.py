"""What sentence-transformers loads (Reimers & Gurevych 2019): texts, and whatever else a model of it reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.encode.batching import mean_per_part
from duretrieval.encode.cutting import heard
from duretrieval.encode.frames import frames_of
from duretrieval.encode.hub import source
from duretrieval.encode.hub.joint import Opened, lasting_name
from duretrieval.encode.hub.preprocessing import preprocessing_by
from duretrieval.encode.hub.source import quietly
from duretrieval.encode.hub.text import has_words
from duretrieval.encode.tokens import text_of
from duretrieval.errors import MissingExtra, ModelError
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part, Reading

ROWS = 32
FREE_SIDE = 448
"""Pixels of a picture for a model that takes any size."""


def open_sentence(name: str) -> Opened:
    """`st:` with the id or the folder of a sentence-transformers model; its weights are read at once."""
    source.needs_torch(f"st:{name}")
    folder = source.folder_of("st", name)
    encoder = SentenceEncoder(load_sentence(folder))
    return Opened(
        name=lasting_name("st", name),
        encoders=dict.fromkeys(sorted(encoder.modalities), encoder),
        dim=encoder.dim,
        reading=encoder.reading,
        fingerprint=source.fingerprint("st", folder),
    )


@quietly()
def load_sentence(folder: Path) -> Any:
    """The model, float32 on the CPU, from files alone; see `_alone` for what its tokenizer does otherwise.

    Raises:
        MissingExtra: sentence-transformers is not installed.
        ModelError: it cannot be loaded without running code that came with it, or is not whole.
    """
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtra(f"st:{folder} needs {error.name}: pip install 'duretrieval[train]'") from error
    try:
        model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": torch.float32},
        )
    except Exception as error:  # what reads the many files of such a folder shares no base class below Exception
        reason = next(iter(str(error).strip().splitlines()), "")
        raise ModelError(f"st:{folder} cannot be loaded: {type(error).__name__}: {reason}") from error
    tokenizer = getattr(model[0], "tokenizer", None)
    if hasattr(tokenizer, "all_special_tokens") and not has_words(tokenizer):
        raise ModelError(f"st:{folder} cannot be loaded: its tokenizer knows no words; a file of it is missing")
    _alone(model[0])
    return model.float().eval()


def _alone(first: Any) -> None:
    """Let no text's row depend on how long its neighbours are, as it does in the library for some models.

    Padding on the left moves the positions of an encoder that numbers them; and a model that is not told where the
    padding is (SigLIP) was trained with as much of it as there can be.
    """
    tokenizer = getattr(first, "tokenizer", None)
    if getattr(first, "transformer_task", None) == "feature-extraction" and tokenizer is not None:
        tokenizer.padding_side = "right"
        if "attention_mask" not in tokenizer.model_input_names:
            first.processing_kwargs = {**first.processing_kwargs, "text": {"padding": "max_length"} | _given(first)}


def _given(first: Any) -> dict[str, Any]:
    """What a model's own files say of how its texts are processed."""
    return dict(first.processing_kwargs.get("text", {}))


class SentenceEncoder:
    """A loaded model as an engine encoder; runs in torch.

    The model's default prompt goes before every text, if it names one. A film is the mean of its frames' unit rows.
    """

    def __init__(self, model: Any) -> None:
        self.dim: int = model.get_embedding_dimension()
        self.modalities = modalities_of(model)
        self.reading = _reading(model)
        self._model = model
        self._only_text = model.modalities == ["text"]

    def encode(self, batch: Sequence[Part], /) -> Array:
        """Vectors of parts: (len(batch), dim) float32 unit rows.

        Raises:
            ShapeError: a part's content is not what the model reads.
        """
        inputs: list[list[Any]] = [self._inputs(part) for part in batch]
        if not inputs:
            return np.zeros((0, self.dim), dtype=np.float32)
        # Modalities apart: a mixed batch would become a chat with models that know chats, and other vectors.
        out = np.zeros((len(batch), self.dim), dtype=np.float32)
        for modality in dict.fromkeys(part.modality for part in batch):
            rows = [i for i, part in enumerate(batch) if part.modality is modality]
            flat = [one for i in rows for one in inputs[i]]
            made = self._model.encode(flat, batch_size=ROWS, convert_to_numpy=True, show_progress_bar=False)
            each = unit(np.asarray(made, dtype=np.float32))
            out[rows] = unit(mean_per_part(each, [len(inputs[i]) for i in rows]))
        return out

    def _inputs(self, part: Part) -> list[Any]:
        """What `encode` of the model takes for a part: one for each frame of a film, else one."""
        if part.modality is Modality.TEXT:
            # As a bare string, a text that is the address of a picture would be fetched from the network.
            return [text_of(part) if self._only_text else {"text": text_of(part)}]
        if part.modality is Modality.AUDIO:
            samples = heard(part, self.reading.sample_rate)
            return [{"audio": {"array": samples, "sampling_rate": self.reading.sample_rate}}]
        from PIL import Image

        return [{"image": Image.fromarray(frame)} for frame in frames_of(part, self.reading.image_side)]


def modalities_of(model: Any) -> frozenset[Modality]:
    """What parts a model reads; one that reads pictures reads films, frame by frame."""
    named = {name for name in model.modalities if isinstance(name, str)}
    known = {modality for modality in Modality if modality.value in named}
    return frozenset(known | ({Modality.VIDEO} if Modality.IMAGE in known else set()))


def _reading(model: Any) -> Reading:
    processor = getattr(model[0], "processor", None)
    settings: dict[str, Any] = {}
    if "image" in model.modalities:
        try:
            own = preprocessing_by(getattr(processor, "image_processor", processor), "the model")
            settings |= {"image_side": own.side, "image_fit": own.fit}
        except (ModelError, AttributeError):  # it takes any size, or says so in a way of its own
            settings |= {"image_side": FREE_SIDE, "image_fit": "pad"}
    rate = getattr(getattr(processor, "feature_extractor", processor), "sampling_rate", None)
    if "audio" in model.modalities and rate:
        settings["sample_rate"] = rate
    return Reading(**settings)
