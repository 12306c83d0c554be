"""A hub id or a folder to files on this disk, and a fingerprint of what decides the vectors."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duretrieval import plugins
from duretrieval.errors import MissingExtra, ModelError
from duretrieval.whole import sha256

PATTERNS = ("*.json", "*.txt", "*.model", "*.safetensors")
"""What is fetched of a model, besides weights in torch's own format where there are no others."""
OLD_WEIGHTS = "pytorch_model*.bin"
DECIDING = frozenset(
    {
        *("config.json", "preprocessor_config.json", "processor_config.json"),
        *("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt"),
        *("added_tokens.json", "special_tokens_map.json"),
        *("tokenizer.model", "spiece.model", "sentencepiece.bpe.model"),
        *("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"),
    }
)
"""Files that change vectors, by name, besides the weights."""
OTHER_FORMATS = frozenset({"onnx", "openvino"})
"""Folders with copies of a model for other runtimes."""
_VERSION = 2
"""Counts up when an adapter changes what it makes of the same files."""
_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def needs_torch(name: str) -> None:
    """Raises MissingExtra unless torch and transformers are installed; name: what needs them."""
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtra(f"{name!r} needs {error.name or 'torch'}: pip install 'duretrieval[train]'") from error


@contextmanager
def quietly() -> Iterator[None]:
    """Without transformers' progress bars and remarks about configurations, which say nothing to who only searches."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    if bars:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def folder_of(kind: str, name: str) -> Path:
    """The files of a model: a folder as it is; a hub id from this machine's cache, or else from the hub, once.

    A name that stands in a stored file (`plugins.stored`) asks no hub: only who types a name wants it fetched.

    Raises:
        ModelError: no such folder; or not in the cache, and the hub does not give it or is not to be asked.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _complete(folder.absolute(), f"{kind}:{name}")
    if not _ID.fullmatch(name):
        raise ModelError(
            f"{kind}:{name} cannot be opened: there is no folder {folder}. Give a folder with config.json and weights, "
            "or the id of a model on the hub, such as organisation/name"
        )
    cached = _cached(name)
    if cached is None and (file := plugins.stored_in()):
        raise ModelError(
            f"{file} names the model {kind}:{name}, which is not in this machine's cache, and a hub is asked only for "
            f"what you name yourself: give it once with --model {kind}:{name}, or fetch it by: hf download {name}"
        )
    return _complete(cached or _fetched(kind, name), f"{kind}:{name}")


def fingerprint(kind: str, folder: Path) -> str:
    """16 hex digits that change with the weights, settings or tokenizer; the same for a folder and a copy of it."""
    digest = hashlib.sha256(f"{kind} {_VERSION}\n".encode())
    for path in sorted(_deciding(folder)):
        digest.update(f"{path.relative_to(folder).as_posix()} {_sha256(path)}\n".encode())
    return digest.hexdigest()[:16]


def weights(folder: Path) -> list[Path]:
    """The files that hold weights: in each folder safetensors, or else torch's own.

    Some models of sentence-transformers have the first for their transformer and the second for what comes after.
    """
    files = [path for path in folder.rglob("*.safetensors") if not _is_other(path, folder)]
    safe = {path.parent for path in files}
    old = [path for path in folder.rglob(OLD_WEIGHTS) if not _is_other(path, folder)]
    return files + [path for path in old if path.parent not in safe]


def _deciding(folder: Path) -> Iterator[Path]:
    yield from weights(folder)
    for path in folder.rglob("*"):
        if path.name in DECIDING and not _is_other(path, folder):
            yield path


def _is_other(path: Path, folder: Path) -> bool:
    return not OTHER_FORMATS.isdisjoint(path.relative_to(folder).parts[:-1])


def _sha256(path: Path) -> str:
    """The file's hash; the hub's cache keeps large files under theirs, which saves reading gigabytes."""
    blob = path.resolve()
    if path.is_symlink() and blob.parent.name == "blobs" and _SHA256.fullmatch(blob.name):
        return blob.name
    return sha256(path)


def _complete(folder: Path, name: str) -> Path:
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ModelError(f"{name} cannot be opened: there is no config.json in {folder}")
    if not weights(folder):
        raise ModelError(f"{name} cannot be opened: there are no weights (*.safetensors, {OLD_WEIGHTS}) in {folder}")
    return folder


def _cached(name: str) -> Path | None:
    """The newest copy in this machine's cache, if it is whole; asks nobody."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return folder if weights(folder) else None


def _without_weights(folder: Path) -> list[str]:
    """Where torch's own format may be the only one, as beginnings of paths: the folders of modules, or the model's."""
    held = {path.parent for path in weights(folder)}
    modules = [path.parent for path in folder.glob("*/config.json") if not _is_other(path, folder)]
    lacking = [path.name + "/" for path in sorted(modules) if path not in held]
    return lacking + ([] if held else [""])


def _fetched(kind: str, name: str) -> Path:
    from huggingface_hub import snapshot_download

    reason: object = "it has no weights that can be read here"
    try:
        folder = Path(snapshot_download(name, allow_patterns=list(PATTERNS)))
        if lacking := _without_weights(folder):
            snapshot_download(name, allow_patterns=[f"{place}{OLD_WEIGHTS}" for place in lacking])
        if weights(folder):
            return folder
    except Exception as error:  # the hub's client, and what it talks through, share no base class below Exception
        reason = type(error).__name__
    raise ModelError(
        f"{kind}:{name} is not in this machine's cache and could not be fetched ({reason}). Fetch it once, with a "
        f"network, by: hf download {name}\nOr give the folder of a copy: {kind}:FOLDER"
    )
