"""A model as mteb's tasks want an encoder (the Massive Text Embedding Benchmark, Muennighoff et al. 2023).

    mteb.evaluate(MtebEncoder("runs/first/model"), mteb.get_tasks(tasks=["SciFact"]))

mteb hands over batches of media and gets rows, which the engine makes: on the CPU, as `evaluate` makes them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval import whole
from duretrieval.collection.reading import Road
from duretrieval.errors import ConfigError, DuretrievalError, MissingExtra, ModelMismatch
from duretrieval.fuse.graph import middle
from duretrieval.fuse.means import means, pooled
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part

READ = {"text": Modality.TEXT, "image": Modality.IMAGE, "audio": Modality.AUDIO}
"""Columns of mteb's batches that are read; the others repeat the text in pieces (title, body, query)."""
PNG = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
"""Modes of a picture that a PNG file keeps."""
FLOATS = 3
"""Of a WAV file whose samples are floating point."""


class MtebEncoder:
    """mteb's `EncoderProtocol` over a model.

    model: its folder, `builtin`, a name such as clip:ID, or an open one.  revision: the fingerprint that it must have;
    None: any.  device: the engine knows "cpu" alone.  trust: as `Model.load` takes it.

    A text is read as its passages, a sound as its windows, and either is the mean of their rows.  What has several
    modalities is what the model's fusion makes of them, or else their mean.  A prompt of a task is not used: what goes
    before a text is the model's own matter.  Rows are compared by their cosine; a learned score is not asked.

    Raises:
        ModelMismatch: the model has another fingerprint.
        ConfigError: another device.
        ModelError: as `Model.load`.
    """

    def __init__(
        self,
        model: str | Path | Model,
        revision: str | None = None,
        *,
        device: str | None = None,
        trust: bool = False,
    ) -> None:
        self.model = model if isinstance(model, Model) else Model.load(model, trust=trust)
        if revision not in (None, self.model.fingerprint):
            raise ModelMismatch(
                f"model {self.model.name!r} has the fingerprint {self.model.fingerprint}, not {revision}; leave the "
                "revision out, or give the model that it is of"
            )
        if device not in (None, "cpu"):
            raise ConfigError(f"the engine runs on the cpu, not on {device!r}; leave the device out")
        self._road = Road(self.model.reading, Limits(), known=self.model.modalities)

    def encode(
        self,
        inputs: Iterable[Mapping[str, Any]],
        *,
        task_metadata: Any,
        hf_split: str,
        hf_subset: str,
        prompt_type: Any = None,
        **kwargs: Any,
    ) -> Array:
        """Rows of what a loader gives, batch by batch: (n, dim) float32 of unit length.

        inputs: each batch column -> list of texts (`text`), pictures of PIL (`image`), or sounds (`audio`: `array` and
        `sampling_rate`).  The other arguments are mteb's, and change nothing here.

        Raises:
            ConfigError: a batch has nothing that is read here.
            ModelError: the model does not know the modality.
            MediaError: a picture or a sound cannot be read.
        """
        rows = [row for batch in inputs for row in self._rows(batch)]
        return np.stack(rows) if rows else np.zeros((0, self.model.dim), np.float32)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Array:
        """Cosines of rows (n, dim) and (m, dim), or of one, (dim,): (n, m)."""
        a, b = (unit(np.atleast_2d(np.asarray(given, np.float32))) for given in (embeddings1, embeddings2))
        cosines: Array = a @ b.T
        return cosines

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Array:
        """Cosines of rows i of both, (n, dim) each: (n,)."""
        a, b = (unit(np.atleast_2d(np.asarray(given, np.float32))) for given in (embeddings1, embeddings2))
        cosines: Array = np.einsum("nd,nd->n", a, b)
        return cosines

    @property
    def mteb_model_meta(self) -> Any:
        """What mteb writes down of the model: its name, its fingerprint as revision, its dimensions.

        Raises:
            MissingExtra: mteb is not installed.
        """
        try:
            from mteb.models import ModelMeta
        except ImportError as error:
            raise MissingExtra(f"this needs {error.name}: pip install 'duretrieval[mteb]'") from error
        name = re.sub(r"[^\w.-]+", "-", self.model.name)
        unknown = ("release_date", "languages", "n_parameters", "memory_usage_mb", "max_tokens", "license")
        unsaid = ("open_weights", "public_training_code", "public_training_data", "training_datasets")
        return ModelMeta(
            loader=None,
            name=f"duretrieval/{name}",
            revision=self.model.fingerprint,
            embed_dim=self.model.dim,
            framework=["ONNX"],
            similarity_fn_name="cosine",
            use_instructions=False,
            modalities=[name for name, modality in READ.items() if modality in self.model.modalities],
            **dict.fromkeys([*unknown, *unsaid]),
        )

    def _rows(self, batch: Mapping[str, Any]) -> Iterator[Array]:
        """A row of each thing in a batch."""
        with ExitStack() as stack:
            things = _things(batch, stack)
            parts = [self._parts(thing) for thing in things]
        sequences = self.model.sequences([part for held in parts for part in held])
        start = 0
        for held in parts:
            yield self._row(held, sequences[start : start + len(held)])
            start += len(held)

    def _parts(self, thing: Sequence[Part]) -> list[Part]:
        found: list[Part] = []
        for read in self._road.read_all(thing):
            if isinstance(read, DuretrievalError):
                raise read
            found += read
        return found

    def _row(self, parts: Sequence[Part], sequences: Sequence[Array]) -> Array:
        if not parts:
            return np.zeros(self.model.dim, np.float32)
        kinds = [part.modality for part in parts]
        if self.model.fusion is not None:
            return self.model.whole(kinds, sequences)
        held = means(kinds, np.stack([pooled(sequence) for sequence in sequences]))
        return unit(middle(held)[None])[0] if held else np.zeros(self.model.dim, np.float32)


def _things(batch: Mapping[str, Any], stack: ExitStack) -> list[list[Part]]:
    """What a batch holds, each with a part a modality; what is no text lies in files for as long as the stack is open.

    Raises:
        ConfigError: nothing of it is read here.
    """
    columns = [name for name in READ if name in batch]
    if not columns or "video" in batch:
        raise ConfigError(
            f"a batch of {', '.join(batch) or 'nothing'} cannot be encoded here: text, image and audio can. "
            "Measure films by: duretrieval evaluate MODEL --data MANIFEST"
        )
    files = stack.enter_context(whole.scratch()) if columns != ["text"] else Path()
    made: list[list[Part]] = [[] for _ in batch[columns[0]]]
    for name in columns:
        for i, content in enumerate(batch[name]):
            if content is not None:
                made[i].append(Part(READ[name], content if name == "text" else _file(content, files / f"{name}-{i}")))
    return made


def _file(content: Any, place: Path) -> Path:
    """A picture or a sound as a file that loses nothing, so that it is read as any other."""
    if isinstance(content, Mapping):
        samples, rate = np.asarray(content["array"]), int(content["sampling_rate"])
        return _wav(samples if samples.ndim == 2 else samples[None], rate, place.with_suffix(".wav"))
    picture = content if content.mode in PNG else content.convert("RGB")
    picture.save(place.with_suffix(".png"), compress_level=1)
    return place.with_suffix(".png")


def _wav(samples: Array, rate: int, place: Path) -> Path:
    """samples: (channels, n) in [-1, 1]."""
    data, channels = samples.T.astype("<f4").tobytes(), len(samples)
    form = struct.pack("<HHIIHH", FLOATS, channels, rate, 4 * channels * rate, 4 * channels, 32)
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    place.write_bytes(b"RIFF" + struct.pack("<I", len(chunks)) + chunks)
    return place
