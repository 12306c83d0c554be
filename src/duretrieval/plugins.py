"""Find a part by name: built in, then installed (entry point), then a `module:attribute` path; never a download.

A path is Python code that finding it runs. So a file that was stored (a model folder's, a run's) gives only names,
unless who opened it said that they trust it (`stored`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError, MissingExtra, UnknownPart, Untrusted

Table = Mapping[str, Mapping[str, tuple[str, str | None]]]
"""kind -> name -> (where it lives, the extra that installs what it needs)"""

BUILT_IN: Table = {
    "encoders": {
        "bag-of-words": ("duretrieval.encode.bag_of_words:BagOfWords", None),
        "char-ngrams": ("duretrieval.encode.char_ngrams:CharNgrams", None),
        "features": ("duretrieval.encode.features:Features", None),
        "onnx-audio": ("duretrieval.encode.audio:OnnxAudio", None),
        "onnx-image": ("duretrieval.encode.image:OnnxImage", None),
        "onnx-sound": ("duretrieval.encode.sound:OnnxSound", None),
        "onnx-text": ("duretrieval.encode.text:OnnxText", None),
        "onnx-video": ("duretrieval.encode.video:OnnxVideo", None),
        "words": ("duretrieval.encode.word_vectors:WordVectors", None),
    },
    "hub": {
        "chinese-clip": ("duretrieval.encode.hub.clip:open_chinese_clip", "train"),
        "clap": ("duretrieval.encode.hub.clap:open_clap", "train"),
        "clip": ("duretrieval.encode.hub.clip:open_clip", "train"),
        "siglip": ("duretrieval.encode.hub.siglip:open_siglip", "train"),
        "siglip2": ("duretrieval.encode.hub.siglip:open_siglip2", "train"),
        "st": ("duretrieval.encode.hub.sentence:open_sentence", "train"),
    },
    "aligners": {
        "cca": ("duretrieval.align.cca:Cca", None),
        "centre": ("duretrieval.align.centre:Centre", None),
        "chain": ("duretrieval.align.chain:Chain", None),
        "conse": ("duretrieval.align.conse:Conse", None),
        "cut": ("duretrieval.align.cut:Cut", None),
        "itq": ("duretrieval.align.itq:Itq", None),
        "onnx-head": ("duretrieval.align.network:OnnxAligner", None),
        "procrustes": ("duretrieval.align.procrustes:Procrustes", None),
        "ridge": ("duretrieval.align.ridge:Ridge", None),
        "sum": ("duretrieval.align.chain:Sum", None),
    },
    "fusions": {
        "onnx-attention": ("duretrieval.fuse.attention:OnnxAttention", None),
        "onnx-fusion": ("duretrieval.fuse.network:OnnxFusion", None),
        "onnx-graph-fusion": ("duretrieval.fuse.graph:OnnxGraphFusion", None),
    },
    "scorers": {
        "onnx-scorer": ("duretrieval.rank.scorer:OnnxScorer", None),
    },
    "weights": {
        "onnx-weights": ("duretrieval.fuse.weights:OnnxWeights", None),
    },
    "indexes": {
        "binary": ("duretrieval.index.binary:BinaryIndex", None),
        "exact": ("duretrieval.index.exact:ExactIndex", None),
        "faiss": ("duretrieval.index.faiss:FaissIndex", "faiss"),
    },
}

_file: ContextVar[Path | None] = ContextVar("file", default=None)
_trust: ContextVar[bool] = ContextVar("trust", default=False)


@contextmanager
def stored(file: str | Path) -> Iterator[None]:
    """Within it, names come from `file`, not from who called: no paths (unless `trusting`), and no hub is asked."""
    token = _file.set(Path(file))
    try:
        yield
    finally:
        _file.reset(token)


@contextmanager
def trusting(trust: bool = True) -> Iterator[None]:
    """Within it, paths to code in stored files are followed too; False changes nothing."""
    token = _trust.set(trust or _trust.get())
    try:
        yield
    finally:
        _trust.reset(token)


def trusted() -> bool:
    """Whether paths to code in stored files are followed here."""
    return _trust.get()


def stored_in() -> Path | None:
    """The file that names come from here; None where a person or a program gave them."""
    return _file.get()


def names(kind: str, table: Table = BUILT_IN) -> list[str]:
    """Every name `find(kind, ...)` knows, built in first."""
    return [*table[kind], *(point.name for point in entry_points(group=f"duretrieval.{kind}"))]


def find(kind: str, name: str, table: Table = BUILT_IN) -> Any:
    """Return the class or function called `name`; import nothing else.

    table: what is built in; the workbench has its own (`training.parts`).

    Raises:
        UnknownPart: no part has that name; the message lists the ones there are.
        ConfigError: an installed package claims the name of another part, or the path leads nowhere.
        Untrusted: it is a path, and comes from a stored file that nobody said to trust.
        MissingExtra: the part is known but its packages are not installed.
    """
    where, extra = table[kind].get(name, (None, None))
    installed = sorted({point.value for point in entry_points(group=f"duretrieval.{kind}", name=name)})
    if where is not None and installed:
        raise ConfigError(f"{installed[0]} cannot be called {name!r}: {kind} has a built-in of that name")
    if len(installed) > 1:
        raise ConfigError(f"{' and '.join(installed)} are both called {name!r} among the {kind}; uninstall one of them")
    where = installed[0] if installed else where
    if where is None and ":" in name:
        _refuse_code(name)
        where = name
    if where is None:
        raise UnknownPart(
            f"no part called {name!r} among the {kind}.{suggest(name, names(kind, table))} There are: "
            f"{', '.join(sorted(names(kind, table)))}; or give a path such as 'my_package.module:MyClass'."
        )
    module, _, attribute = where.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if extra is not None:
            raise MissingExtra(f"{name!r} needs {error.name}: pip install 'duretrieval[{extra}]'") from error
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            raise ConfigError(f"{name!r} leads nowhere: there is no module {error.name!r}") from error
        raise
    except AttributeError as error:
        raise ConfigError(f"{name!r} leads nowhere: module {module!r} has no {attribute!r}") from error
    except (TypeError, ValueError) as error:
        if module.strip(".") and not module.startswith("."):
            raise
        raise ConfigError(f"{name!r} leads nowhere: it names no module; write 'my_package.module:MyClass'") from error


def _refuse_code(name: str) -> None:
    file = _file.get()
    if file is not None and not _trust.get():
        raise Untrusted(
            f"{file} asks for {name!r}, which is a path to Python code: opening it would run that code. A stored file "
            "may name parts that are built in or installed. If you know who made it and want its code to run with all "
            "your rights, say so with --trust (in Python: trust=True)"
        )


def name_of(kind: str, part: object) -> str:
    """The name under which `find(kind, ...)` gives the class of `part`: built in, installed, or its path.

    Raises:
        ConfigError: its class lies inside a function, where no name leads.
    """
    where = f"{type(part).__module__}:{type(part).__qualname__}"
    for name, (place, _) in BUILT_IN[kind].items():
        if place == where:
            return name
    for point in entry_points(group=f"duretrieval.{kind}"):
        if point.value == where:
            return point.name
    if "." in type(part).__qualname__:
        raise ConfigError(f"{where} cannot be found by name; put the class at the top level of a module")
    return where


def suggest(name: str, known: list[str]) -> str:
    """Return " Did you mean 'x'?", or an empty string when nothing is near."""
    near = get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
