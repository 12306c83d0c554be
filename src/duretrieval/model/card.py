"""model.toml: reading it, what it says of its files, and the fingerprint."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from duretrieval import plugins
from duretrieval.errors import ModelError
from duretrieval.model.files import inside, not_the_file
from duretrieval.model.seal import FORMAT, UNLISTED, Origin
from duretrieval.types import MEDIA, Modality, Reading
from duretrieval.whole import sha256

_KEYS = {"name": str, "dim": int, "encoders": list, "files": dict, "reading": dict}
_WORDS = {str: "text", int: "number", float: "number", list: "list", dict: "table"}


def fingerprint(folder: str | Path) -> str:
    """The identity of a model folder: 16 hex digits of the SHA-256 of its model.toml."""
    folder = Path(folder)
    return hashlib.sha256((folder / "model.toml").read_bytes()).hexdigest()[:16]


def origins(folder: str | Path, made: Origin, sources: Sequence[str | Path] = ()) -> dict[str, Origin]:
    """Every file of a folder that is not yet a model, with its origin, as `seal` wants it.

    A file with the content of one in a model folder of `sources` has that one's; the others have `made`.
    """
    folder = Path(folder)
    sources = [Path(x) for x in sources]
    known = {
        entry["sha256"]: Origin(entry["licence"], entry["origin"])
        for source in sources
        for entry in read_card(source)["files"].values()
        if {"sha256", "licence", "origin"} <= entry.keys()
    }
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in UNLISTED)
    return {path.relative_to(folder).as_posix(): known.get(sha256(path), made) for path in files}


def check_files(folder: str | Path) -> list[str]:
    """Every file of the folder whose content is not what model.toml says, as sentences; empty when all is well."""
    folder = Path(folder)
    faults = []
    for name, entry in read_card(folder)["files"].items():
        if sha256(folder / name) != entry["sha256"]:
            faults.append(not_the_file(folder / name))
    return faults


def read_card(folder: str | Path) -> dict[str, Any]:
    """model.toml as a dict.

    Raises:
        ModelError: as `Model.load`.
    """
    folder = Path(folder)
    path = folder / "model.toml"
    if not path.is_file():
        raise ModelError(f"{folder} is not a model: there is no model.toml in it. Give a model folder, or 'builtin'.")
    try:
        card = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    if card.get("format") != FORMAT:
        raise ModelError(f"{path} has format {card.get('format')!r}; this version reads format {FORMAT}")
    card.setdefault("reading", {})
    for key, kind in _KEYS.items():
        if key not in card:
            raise ModelError(f"{path} has no {key!r}")
        if not isinstance(card[key], kind):
            raise ModelError(f"{path}: {key} is {card[key]!r}, where a {_WORDS[kind]} belongs; export the model again")
    for name, entry in card["files"].items():
        file = inside(folder, name)
        if not isinstance(entry, Mapping) or not {"bytes", "sha256"} <= entry.keys():
            raise ModelError(f"{path} does not say of {name} how large it is and its sha256; export the model again")
        if not file.is_file():
            raise ModelError(f"{folder} is incomplete: {name} is missing")
        if file.stat().st_size != entry["bytes"]:
            raise ModelError(f"{file} has {file.stat().st_size} bytes, model.toml says {entry['bytes']}")
    return card


def modality_named(folder: Path, name: str) -> Modality:
    """The modality of a name in model.toml.

    Raises:
        ModelError: there is no such modality.
    """
    known = [modality.value for modality in MEDIA]
    if name not in known:
        raise ModelError(f"{folder / 'model.toml'}: no modality {name!r}.{plugins.suggest(str(name), known)}")
    return Modality(name)


def index_of(folder: Path, card: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What [index] in model.toml says, where there is one: the name of an index and its options.

    Raises:
        ModelError: it does not name one.
    """
    said = card.get("index")
    if said is None:
        return None
    whole = isinstance(said, Mapping) and isinstance(said.get("use"), str)
    if not whole or not isinstance(said.get("options", {}), Mapping):
        raise ModelError(f"{folder / 'model.toml'}: [index] names no index; it says use = 'faiss', and maybe options")
    return {"use": said["use"], "options": dict(said.get("options", {}))}


def reading_of(folder: Path, settings: Mapping[str, Any]) -> Reading:
    """What [reading] in model.toml says.

    Raises:
        ModelError: it has a setting that `Reading` has not, or one of another kind.
    """
    usual = asdict(Reading())
    for key, value in settings.items():
        if key not in usual:
            raise ModelError(f"{folder / 'model.toml'}: [reading] has no {key!r}.{plugins.suggest(key, list(usual))}")
        kind = type(usual[key])
        if not isinstance(value, (int, float) if kind is float else kind):
            raise ModelError(f"{folder / 'model.toml'}: {key} is {value!r}, where a {_WORDS[kind]} belongs")
    return Reading(**settings)
