"""The model folder: what encodes, aligns, fuses and compares, as files with a fingerprint.

    model.toml            which parts with which options; how media are read; licence and hash of every file
    *.onnx *.safetensors tokenizer.json ...

The fingerprint is a hash of model.toml, which itself holds the hash of every other file: change anything and
vectors made before no longer mix with vectors made after.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval import builtin, plugins, whole
from duretrieval.errors import ModelError
from duretrieval.fuse import background as backgrounds
from duretrieval.model.card import fingerprint, modality_named, origins, read_card, reading_of
from duretrieval.model.seal import Origin, seal
from duretrieval.protocols import Aligner, Encoder, Fusion, Scorer
from duretrieval.types import Array, Modality, Part, Reading

UNSTATED = Origin("unstated", "written by Model.save")
"""What is said of a file whose licence nobody gave."""
_HUB_NAME = re.compile(r"[a-z][a-z0-9-]+:.")  # two letters at least: one is a drive of Windows


class Model:
    """Carries parts of any modality it knows into one space.

    encoders: one per modality; several modalities may share one.  aligners: for modalities whose encoder does not
    already end in the shared space.  background: per modality, vectors (b, dim) of parts unrelated to any query, which
    make scores comparable across modalities (`fuse.scores`).  scorer: says how well a query and a part fit, better than
    their cosine; a collection re-ranks by it (`rank.scorer`).  fusion: makes one vector of those of an item's
    modalities; a collection then compares items as wholes.  codes: from this space to binary codes (`index.binary`).

    Raises:
        ModelError: the fusion ends in another space, or does not take a modality that is encoded.
    """

    def __init__(
        self,
        name: str,
        encoders: Mapping[Modality, Encoder | Callable[[], Encoder]],
        *,
        dim: int,
        fingerprint: str,
        aligners: Mapping[Modality, Aligner | Callable[[], Aligner]] | None = None,
        reading: Reading | None = None,
        background: Callable[[], Mapping[Modality, Array]] | None = None,
        scorer: Callable[[], Scorer] | None = None,
        fusion: Fusion | None = None,
        codes: Callable[[], Aligner] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.dim = dim
        self.fingerprint = fingerprint
        self.reading = reading or Reading()
        self.folder = folder
        self._encoders = dict(encoders)
        self._aligners = dict(aligners or {})
        self._background = background
        self._scorer = scorer
        self.fusion = _checked(name, dim, fusion, self._encoders)
        self._codes = codes
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Model({self.name!r}, dim={self.dim}, modalities={sorted(self.modalities)}, {self.fingerprint})"

    @property
    def modalities(self) -> frozenset[Modality]:
        """What this model can encode."""
        return frozenset(self._encoders)

    @cached_property
    def background(self) -> Mapping[Modality, Array]:
        """Vectors (b, dim) of unrelated parts per modality; empty where the model carries none."""
        return self._background() if self._background else {}

    @cached_property
    def scorer(self) -> Scorer | None:
        """The learned score of a query and a part; None where the model compares by cosine."""
        return self._scorer() if self._scorer else None

    @cached_property
    def codes(self) -> Aligner | None:
        """From vectors of this model to binary codes, for `BinaryIndex(dim, coder=...)`; None where it has none."""
        return self._codes() if self._codes else None

    def encode(self, parts: Sequence[Part]) -> Array:
        """Encode parts of any mix of modalities: (len(parts), dim) float32 unit rows, row i for part i.

        Raises:
            ModelError: a part has a modality that this model does not know.
        """
        out = np.zeros((len(parts), self.dim), dtype=np.float32)
        for modality in dict.fromkeys(part.modality for part in parts):
            rows = [i for i, part in enumerate(parts) if part.modality is modality]
            encoder, aligner = self.parts_for(modality)
            vectors = encoder.encode([parts[i] for i in rows])
            out[rows] = aligner(vectors, modality) if aligner else vectors
        return out

    def fuse(self, vectors: Mapping[Modality, Array]) -> Array:
        """One vector of those of several modalities, modality -> (n, dim) unit rows: (n, dim) float32 unit rows.

        Raises:
            ModelError: this model has no fusion.
            ShapeError, ConfigError: as the fusion: nothing to fuse, other shapes, a modality it does not take.
        """
        if self.fusion is None:
            raise ModelError(f"model {self.name!r} has no fusion; take one with a [fusion] in its model.toml")
        return self.fusion(vectors)

    def parts_for(self, modality: Modality) -> tuple[Encoder, Aligner | None]:
        """The encoder and aligner of a modality, loaded on first use: a text search never reads image weights."""
        if modality not in self._encoders:
            known = ", ".join(sorted(self.modalities))
            raise ModelError(f"model {self.name!r} does not know {modality.value}; it knows {known}")
        with self._lock:
            encoder = self._encoders[modality]
            if not isinstance(encoder, Encoder):
                encoder = self._encoders[modality] = encoder()
            aligner = self._aligners.get(modality)
            if aligner is not None and not hasattr(aligner, "dim"):
                aligner = self._aligners[modality] = aligner()
        return encoder, aligner  # type: ignore[return-value]

    def save(
        self,
        folder: str | Path,
        *,
        name: str | None = None,
        training: Mapping[str, Any] | None = None,
        made: Origin = UNSTATED,
        sources: Sequence[Path] = (),
    ) -> str:
        """Write this model as a folder that `load` opens to the same vectors; returns its fingerprint.

        Every encoder and aligner must have `save(folder, name) -> options`, and `load(folder, **options)` that undoes
        it.  training: what [training] in model.toml says (recipe, hash of the data, metrics); None keeps what the
        model came with.  A file that is the same as one in a model folder of `sources`, or in this model's own, keeps
        its licence and origin; the others get `made`.

        Raises:
            ConfigError: there is something at `folder`; or the class of a part cannot be found by name.
            ModelError: a part has no `save`, or a file it needs is gone.
        """
        own = [self.folder] if self.folder else []
        training = training or (read_card(self.folder).get("training") if self.folder else None)
        with whole.folder(Path(folder)) as place:
            entries = {section: self._save_parts(place, section) for section in ("encoders", "aligners")}
            background = backgrounds.save(place, self.background) if self.background else None
            card = {
                "name": name or self.name,
                "dim": self.dim,
                "background": background,
                "reading": asdict(self.reading),
                "training": training,
                "fusion": _saved(place, "fusions", "fusion", self.fusion) if self.fusion else None,
                "scorer": _saved(place, "scorers", "scorer", self.scorer) if self.scorer else None,
                "codes": _saved(place, "aligners", "codes", self.codes) if self.codes else None,
                **entries,
            }
            seal(place, card, origins(place, made, [*sources, *own]))
        return fingerprint(Path(folder))

    def _save_parts(self, folder: Path, section: str) -> list[dict[str, Any]]:
        """Save each encoder or aligner once; what model.toml says of them."""
        held: dict[int, tuple[Any, list[str]]] = {}
        for modality in (m for m in Modality if m in self._encoders):
            part = self.parts_for(modality)[section == "aligners"]
            if part is not None:
                held.setdefault(id(part), (part, []))[1].append(modality.value)
        prefix = "" if section == "encoders" else "to-shared-"
        return [
            {"modalities": names, **_saved(folder, section, prefix + "-".join(names), part)}
            for part, names in held.values()
        ]

    @classmethod
    def load(cls, where: str | Path = "builtin") -> Model:
        """Open a model folder, or `builtin`, the one inside this package. Weights are read on first use.

        `kind:name` opens a pretrained model of a hub by its id or folder, such as clip:openai/clip-vit-base-patch32
        (`encode.hub`; needs the extra "train"); only such a name ever asks a hub.

        Raises:
            ModelError: no such folder, no model.toml in it, another format, or a file missing or of another size.
            UnknownPart: model.toml names a part that is not installed; or there is no such kind.
            MissingExtra: a hub's model, and what runs it is not installed.
        """
        if _HUB_NAME.match(str(where)) and not Path(where).exists():
            return cls._from_hub(*str(where).split(":", 1))
        folder = builtin.FOLDER if str(where) == "builtin" else Path(where)
        card = read_card(folder)
        encoders: dict[Modality, Callable[[], Encoder]] = {}
        aligners: dict[Modality, Callable[[], Aligner]] = {}
        for section, makers in (("encoders", encoders), ("aligners", aligners)):
            for entry in card.get(section, []):
                make = _once(folder, section, entry)
                for modality in entry["modalities"]:
                    makers[modality_named(folder, modality)] = make
        return cls(
            name=card["name"],
            encoders=encoders,
            aligners=aligners,
            dim=card["dim"],
            fingerprint=fingerprint(folder),
            reading=reading_of(folder, card.get("reading", {})),
            background=lambda: backgrounds.load(folder / card["background"]) if "background" in card else {},
            scorer=_once(folder, "scorers", card["scorer"]) if "scorer" in card else None,
            fusion=_once(folder, "fusions", card["fusion"])() if "fusion" in card else None,
            codes=_once(folder, "aligners", card["codes"]) if "codes" in card else None,
            folder=folder,
        )

    @classmethod
    def _from_hub(cls, kind: str, name: str) -> Model:
        opened = plugins.find("hub", kind)(name)
        return cls(opened.name, opened.encoders, dim=opened.dim, fingerprint=opened.fingerprint, reading=opened.reading)


def _saved(folder: Path, section: str, name: str, part: Any) -> dict[str, Any]:
    """Save a part into files that begin with `name`; its entry in model.toml."""
    if not hasattr(part, "save"):
        raise ModelError(f"{type(part).__name__}, to be {name}, has no save(folder, name); give it one")
    return {"use": plugins.name_of(section, part), "options": part.save(folder, name)}


def _checked(name: str, dim: int, fusion: Fusion | None, encoded: Iterable[Modality]) -> Fusion | None:
    """The fusion, if it goes with a model of this dim and these modalities."""
    if fusion is None:
        return None
    if fusion.dim != dim:
        raise ModelError(
            f"model {name!r} has {dim} dimensions and its fusion {fusion.dim}, but wholes and parts lie in one space; "
            f"train a fusion of dim {dim}"
        )
    if unknown := sorted(set(encoded) - set(fusion.modalities)):
        raise ModelError(
            f"model {name!r} encodes {', '.join(unknown)}, which its fusion of {', '.join(fusion.modalities)} does not "
            "take; leave it out of the encoders, or train the fusion with it"
        )
    return fusion


def _once(folder: Path, section: str, entry: Mapping[str, Any]) -> Callable[[], Any]:
    """A function that builds the part when first called and returns the same one after."""
    built: list[Any] = []

    def make() -> Any:
        if not built:
            built.append(plugins.find(section, entry["use"]).load(folder, **entry.get("options", {})))
        return built[0]

    return make
