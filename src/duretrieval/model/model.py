"""The model folder: what encodes, aligns, fuses and compares, as files with a fingerprint.

    model.toml            which parts with which options; how media are read; licence and hash of every file
    *.onnx *.safetensors tokenizer.json ...

The fingerprint is a hash of model.toml, which itself holds the hash of every other file: change anything and
vectors made before no longer mix with vectors made after.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from duretrieval import builtin, plugins, whole
from duretrieval.encode.sequences import tokens
from duretrieval.errors import ModelError
from duretrieval.fuse.means import means, pooled
from duretrieval.fuse.tokens import side_by_side
from duretrieval.model import slots
from duretrieval.model.card import fingerprint, index_of, origins, read_card, reading_of
from duretrieval.model.cutting import check_cut, cut_aligners, cut_background, cut_fingerprint, dims_of
from duretrieval.model.files import unnamed
from duretrieval.model.seal import Origin, seal
from duretrieval.onnx import copied
from duretrieval.protocols import Aligner, Encoder, Fusion, Scorer, TokenFusion, Weigher
from duretrieval.types import Array, Modality, Part, Reading
from duretrieval.vectors import Given

if TYPE_CHECKING:
    from duretrieval.fuse.graph import Beside

UNSTATED = Origin("unstated", "written by Model.save")
"""What is said of a file whose licence nobody gave."""
_HUB_NAME = re.compile(r"[a-z][a-z0-9-]+:.")  # two letters at least: one is a drive of Windows


class Model:
    """Carries parts of any modality it knows into one space.

    encoders: one per modality; several modalities may share one.  aligners: for modalities whose encoder does not
    already end in the shared space.  background: per modality, vectors (b, dim) of parts unrelated to any query, which
    make scores comparable across modalities (`fuse.scores`).  scorer: says how well a query and a part fit, better than
    their cosine; a collection re-ranks by it (`rank.scorer`).  fusion: makes one vector of those of an item's
    modalities; a collection then compares items as wholes.  weights: how much the similarity of each modality counts,
    read from the query; a collection ranks by them where a query gives none.  codes: from this space to binary codes
    (`index.binary`).  index: by which index in memory its collections are searched, and what that is made with:
    {"use": "faiss", "options": {"kind": "flat"}}; None is none, but the store itself.  dims: fewer dimensions, to which
    vectors may be cut (`cut`).  folder: where it was opened.  cut: whether it is that folder's model, cut.
    Each but the scorer may be the part itself; all may be functions that make it when it is first needed.

    Raises:
        ModelError: the fusion ends in another space, or the fusion or the weights lack a modality that is encoded.
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
        background: Mapping[Modality, Array] | Callable[[], Mapping[Modality, Array]] | None = None,
        scorer: Callable[[], Scorer] | None = None,
        fusion: Fusion | Callable[[], Fusion] | None = None,
        weights: Weigher | Callable[[], Weigher] | None = None,
        codes: Aligner | Callable[[], Aligner] | None = None,
        index: Mapping[str, Any] | None = None,
        dims: Sequence[int] = (),
        folder: str | Path | None = None,
        cut: bool = False,
    ) -> None:
        folder = Path(folder) if folder is not None else None
        self.name = name
        self.dim = dim
        self.fingerprint = fingerprint
        self.reading = reading or Reading()
        self.folder = folder
        self.index = index
        self.dims = tuple(dims)
        """Fewer dimensions, to which its vectors may be cut: the longest first."""
        self.is_cut = cut
        """Whether its vectors are shorter than those of the model in `folder`."""
        given = {"encoders": encoders, "aligners": aligners, "background": background, "scorer": scorer}
        self._held = slots.held({**given, "fusion": fusion, "weights": weights, "codes": codes})
        for slot in slots.SLOTS:
            for once in self._held[slot.key].values() if slot.check else ():
                slot.check(name, dim, self.modalities, once())  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"Model({self.name!r}, dim={self.dim}, modalities={sorted(self.modalities)}, {self.fingerprint})"

    @property
    def modalities(self) -> frozenset[Modality]:
        """What this model can encode."""
        return frozenset(m for m in self._held["encoders"] if m is not None)

    @property
    def background(self) -> Mapping[Modality, Array]:
        """Vectors (b, dim) of unrelated parts per modality; empty where the model carries none."""
        return self._one("background") or {}

    @property
    def fusion(self) -> Fusion | None:
        """Makes one vector of those of an item's modalities; None where parts are compared."""
        return self._one("fusion")  # type: ignore[no-any-return]

    @property
    def scorer(self) -> Scorer | None:
        """The learned score of a query and a part; None where the model compares by cosine."""
        return self._one("scorer")  # type: ignore[no-any-return]

    @property
    def weights(self) -> Weigher | None:
        """How much the similarity of each modality counts for a query; None where an item counts as its best part."""
        return self._one("weights")  # type: ignore[no-any-return]

    @property
    def codes(self) -> Aligner | None:
        """From vectors of this model to binary codes, for `BinaryIndex(dim, coder=...)`; None where it has none."""
        return self._one("codes")  # type: ignore[no-any-return]

    @property
    def takes(self) -> Mapping[Modality, Given]:
        """The modalities whose encoders take vectors that were computed elsewhere, and which they take."""
        encoders = {modality: self._one("encoders", modality) for modality in sorted(self.modalities)}
        return {modality: encoder.takes for modality, encoder in encoders.items() if hasattr(encoder, "takes")}

    def _one(self, key: str, modality: Modality | None = None) -> Any:
        once = self._held[key].get(modality)
        return None if once is None else once()

    def encode(self, parts: Sequence[Part]) -> Array:
        """Encode parts of any mix of modalities: (len(parts), dim) float32 unit rows, row i for part i.

        Raises:
            ModelError: a part has a modality that this model does not know.
        """
        out = np.zeros((len(parts), self.dim), dtype=np.float32)
        if self.tokens:
            for i, sequence in enumerate(self.sequences(parts)):
                out[i] = pooled(sequence)
            return out
        for modality, rows in _by_modality(parts):
            out[rows] = self._rows(modality, [parts[i] for i in rows])
        return out

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the neighbours that its fusion looks at (`media.relations.kinds_of`); none where it fuses items alone."""
        return tuple(getattr(self.fusion, "kinds", ()))

    @property
    def tokens(self) -> Mapping[Modality, int]:
        """The modalities whose sequences the fusion reads, and the most tokens that a part of each has."""
        return getattr(self.fusion, "tokens", {})

    def sequences(self, parts: Sequence[Part]) -> list[Array]:
        """What the fusion reads of parts of any mix of modalities: (t, dim) unit rows each, of most of them one.

        Raises:
            ModelError: as `encode`.
            ConfigError: a modality is read as tokens, and its encoder hands on none.
        """
        found: dict[int, Array] = {}
        for modality, rows in _by_modality(parts):
            chosen = [parts[i] for i in rows]
            if modality not in self.tokens:
                found |= {i: row[None] for i, row in zip(rows, self._rows(modality, chosen), strict=True)}
                continue
            encoder, aligner = self.parts_for(modality)
            held = tokens(encoder, chosen, self.tokens[modality])
            flat = np.concatenate(held)
            flat = aligner(flat, modality) if aligner else flat
            found |= dict(zip(rows, np.split(flat, np.cumsum([len(t) for t in held])[:-1]), strict=True))
        return [found[i] for i in range(len(parts))]

    def _rows(self, modality: Modality, parts: Sequence[Part]) -> Array:
        """A row each of parts of one modality."""
        encoder, aligner = self.parts_for(modality)
        vectors: Array = encoder.encode(parts)
        return aligner(vectors, modality) if aligner else vectors

    def whole(
        self, modalities: Sequence[Modality], sequences: Sequence[Array], weights: Sequence[float] | None = None
    ) -> Array:
        """The fused vector of an item's parts, or of a query's terms: (dim,) unit, zeros where there is nothing.

        sequences: of each part or term its rows, (t, dim) unit, as `sequences` gives them.  weights: of the terms; a
        term's tokens share its weight.

        Raises:
            ModelError: this model has no fusion.
        """
        if isinstance(self.fusion, TokenFusion) and self.tokens:
            item, shares = side_by_side(modalities, sequences, weights, self.tokens)
            return self.fusion.of([item], [shares])[0] if item else np.zeros(self.dim, np.float32)
        vectors = np.stack([np.zeros(self.dim, np.float32), *map(pooled, sequences)])[1:]
        held = means(modalities, vectors, weights)
        return self.fuse(held)[0] if held else np.zeros(self.dim, np.float32)

    def fuse(self, vectors: Mapping[Modality, Array], beside: Beside | None = None) -> Array:
        """One vector of those of several modalities, modality -> (n, dim) unit rows: (n, dim) float32 unit rows.

        beside: the items' neighbours, for a model with `kinds`; None: they are alone, as a query is.

        Raises:
            ModelError: this model has no fusion, or none that looks at neighbours.
            ShapeError, ConfigError: as the fusion: nothing to fuse, other shapes, a modality it does not take.
        """
        if self.fusion is None:
            raise ModelError(f"model {self.name!r} has no fusion; take one with a [fusion] in its model.toml")
        if beside is None:
            return self.fusion(vectors)
        if not self.kinds:
            raise ModelError(f"model {self.name!r} looks at no neighbours; take one trained with relations")
        fused: Array = self.fusion.beside(vectors, beside)  # type: ignore[attr-defined]
        return fused

    def parts_for(self, modality: Modality) -> tuple[Encoder, Aligner | None]:
        """The encoder and aligner of a modality, loaded on first use: a text search never reads image weights.

        Raises:
            ModelError: this model does not know the modality, or what it has for it ends in another space.
        """
        if modality not in self.modalities:
            known = ", ".join(sorted(self.modalities))
            raise ModelError(f"model {self.name!r} does not know {modality.value}; it knows {known}")
        encoder, aligner = self._one("encoders", modality), self._one("aligners", modality)
        if (dim := (aligner or encoder).dim) != self.dim:
            raise ModelError(
                f"{self.name!r} has {self.dim} dimensions, and its {modality.value} ends in {dim}; export it again"
            )
        return encoder, aligner

    def cut(self, dim: int) -> Model:
        """This model with vectors of fewer dimensions, one of `dims`: the leading ones, unit again, background too.

        It has another fingerprint, and no codes, which are those of whole vectors.

        Raises:
            ModelError: `dims` has no such number; or a fusion, a scorer or weights need whole vectors.
        """
        if dim == self.dim:
            return self
        whole = [key for key in ("fusion", "scorer", "weights") if self._held[key]]
        check_cut(self.name, self.dim, self.dims, dim, whole)
        encoders = {m: once for m, once in self._held["encoders"].items() if m is not None}
        return Model(
            self.name,
            encoders,
            dim=dim,
            fingerprint=cut_fingerprint(self.fingerprint, dim),
            aligners=cut_aligners(list(encoders), self._held["aligners"], dim),
            reading=self.reading,
            background=(lambda: cut_background(self.background, dim)) if self._held["background"] else None,
            dims=[d for d in self.dims if d < dim],
            index=self.index,
            folder=self.folder,
            cut=True,
        )

    def save(
        self,
        folder: str | Path,
        *,
        name: str | None = None,
        training: Mapping[str, Any] | None = None,
        made: Origin = UNSTATED,
        sources: Sequence[str | Path] = (),
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
        came = read_card(self.folder) if self.folder else {}
        training = training or came.get("training")
        with whole.folder(Path(folder)) as place:
            for file in unnamed(came.get("files", ())):
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                copied(own[0] / file, place / file)
            card = {
                "name": name or self.name,
                "dim": self.dim,
                "dims": list(self.dims) or None,
                "reading": asdict(self.reading),
                "training": training,
                "index": None if self.index is None else dict(self.index),
                **slots.saved(place, self._held),
            }
            seal(place, card, origins(place, made, [*sources, *own]))
        return fingerprint(Path(folder))

    @classmethod
    def load(cls, where: str | Path = "builtin", *, dim: int | None = None, trust: bool = False) -> Model:
        """Open a model folder, or `builtin`, the one inside this package. Weights are read on first use.

        `kind:name` opens a pretrained model of a hub by its id or folder, such as clip:openai/clip-vit-base-patch32
        (`encode.hub`; needs the extra "train"); only such a name ever asks a hub.

        A folder is data: its parts are looked up among those built in and installed, its files are read inside it
        alone, and each is compared with its hash in model.toml before it is first used.  dim: cut to so many (`cut`).
        trust: follow paths to Python code (`module:attribute`) in its model.toml too, which runs that code.

        Raises:
            ModelError: no such folder, no model.toml in it, another format, or a file missing or of another size; or it
                cannot be cut so.
                When a part is first used: a file is not the one that model.toml was written for.
            UnknownPart: model.toml names a part that is not installed; or there is no such kind.
            Untrusted: it names a path to code, and `trust` is not set.
            MissingExtra: a hub's model, and what runs it is not installed.
        """
        opened = cls._from_hub(*str(where).split(":", 1)) if is_hub_name(str(where)) else cls._from_folder(where, trust)
        return opened if dim is None else opened.cut(dim)

    @classmethod
    def _from_folder(cls, where: str | Path, trust: bool) -> Model:
        folder = builtin.FOLDER if str(where) == "builtin" else Path(where)
        card = read_card(folder)
        with plugins.trusting(trust):
            parts = slots.opened(folder, card)
        return cls(
            name=card["name"],
            dim=card["dim"],
            fingerprint=fingerprint(folder),
            reading=reading_of(folder, card["reading"]),
            dims=dims_of(folder, card),
            folder=folder,
            index=index_of(folder, card),
            **{"encoders": {}, **parts},
        )

    @classmethod
    def _from_hub(cls, kind: str, name: str) -> Model:
        opened = plugins.find("hub", kind)(name)
        return cls(opened.name, opened.encoders, dim=opened.dim, fingerprint=opened.fingerprint, reading=opened.reading)


def _by_modality(parts: Sequence[Part]) -> Iterator[tuple[Modality, list[int]]]:
    """Each modality of the parts, and their places."""
    for modality in dict.fromkeys(part.modality for part in parts):
        yield modality, [i for i, part in enumerate(parts) if part.modality is modality]


def is_hub_name(where: str) -> bool:
    """Whether it is `kind:name` of a hub's model, and no file here."""
    return bool(_HUB_NAME.match(where)) and not Path(where).exists()
