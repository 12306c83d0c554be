"""Does everything here work? Each check does the real thing on something tiny."""

from __future__ import annotations

import io
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from duretrieval.errors import DuretrievalError, NotACollection


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, and a sentence."""

    check: str
    ok: bool
    detail: str


def diagnose(collection: str | Path) -> Iterator[Finding]:
    """Check the installation, the built-in model and the collection, one finding each."""
    collection = Path(collection)
    yield _try("python", lambda: f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield _try("libraries", _libraries)
    yield _try("model", _model)
    yield _try("text to vector", _text)
    for name, kind in (("HEIC", "HEIF"), ("AVIF", "AVIF"), ("WebP", "WEBP")):
        yield _try(f"{name} pictures", lambda kind=kind: _picture(kind))  # type: ignore[misc]
    yield _try("SVG drawings", _svg)
    yield _try("films and sounds", _codecs)
    yield _try("decoding processes", _confined)
    yield _try("disk", lambda: f"{shutil.disk_usage(Path.cwd()).free / 1e9:.0f} GB free here")
    yield _try("collection", lambda: _collection(collection))


def _try(check: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, True, look())
    except (DuretrievalError, ImportError, OSError, ValueError, RuntimeError) as error:
        return Finding(check, False, str(error))


def _libraries() -> str:
    return ", ".join(
        f"{name} {version(name)}" for name in ("duretrieval", "numpy", "onnxruntime", "pylance", "av", "Pillow")
    )


def _model() -> str:
    from duretrieval.model.card import check_files
    from duretrieval.model.model import Model

    model = Model.load("builtin")
    if model.folder and (faults := check_files(model.folder)):
        raise RuntimeError("; ".join(faults))
    return f"{model.name} ({model.fingerprint}), {model.dim} dimensions, {', '.join(sorted(model.modalities))}"


def _text() -> str:
    from duretrieval.model.model import Model
    from duretrieval.types import Modality, Part

    a, b, c = Model.load("builtin").encode([Part(Modality.TEXT, words) for words in ("a dog", "狗", "a spreadsheet")])
    if a @ b < a @ c:
        raise RuntimeError(f"'a dog' is nearer to 'a spreadsheet' ({a @ c:.2f}) than to '狗' ({a @ b:.2f})")
    return f"'a dog' and '狗' have cosine {a @ b:.2f}"


def _picture(kind: str) -> str:
    from PIL import Image
    from pillow_heif import register_heif_opener

    register_heif_opener()
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, kind)
    red, green, _ = Image.open(file).convert("RGB").getpixel((32, 32))  # type: ignore[misc]
    if red < 200 or green > 60:
        raise RuntimeError(f"a red {kind} came back with another colour")
    return "written and read"


def _svg() -> str:
    import resvg_py

    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
    return f"rendered, {len(bytes(resvg_py.svg_to_bytes(svg_string=drawing)))} bytes"


def _codecs() -> str:
    import av

    wanted = ("h264", "hevc", "av1", "vp9", "mpeg4", "aac", "mp3", "opus", "flac", "vorbis")
    missing = [name for name in wanted if name not in av.codecs_available]
    if missing:
        raise RuntimeError(f"this build of PyAV cannot read {', '.join(missing)}")
    return (
        f"FFmpeg through PyAV {av.__version__} reads {', '.join(wanted)} and {len(av.codecs_available)} codecs in all"
    )


def _confined() -> str:
    """Starts one and has it try; where the system offers no filter of calls that is said, and is no fault."""
    from duretrieval.media import DecoderPool, Limits, confine, seccomp
    from duretrieval.types import Reading

    if (why := seccomp.obstacle()) is not None:
        return f"their own, but they may use the network and write files: {why}"
    with tempfile.TemporaryDirectory() as folder:
        victim = Path(folder) / "victim"
        victim.touch()
        with DecoderPool(Reading(), Limits(), workers=1, decode=confine.attempt) as pool:
            went = [what for what, went in pool.submit(victim).result().fields.items() if went]
    if went:
        return f"their own, but not kept from {', '.join(went)}: this system refuses a filter of system calls"
    return "no network, no other programs or processes, no change to files"


def _collection(path: Path) -> str:
    from duretrieval.collection.collection import Collection
    from duretrieval.model.card import check_files

    try:
        with Collection.open(path, create=False) as c:
            if c.model.folder and (faults := check_files(c.model.folder)):
                raise RuntimeError("; ".join(faults))
            return f"{len(c)} items at {path}"
    except NotACollection:
        if path.exists():
            raise
        return f"none at {path} yet"
