"""Where a model's files come from: a folder, this machine's cache, and only then the hub; and what they are called."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duretrieval.encode.hub import source
from duretrieval.errors import MissingExtra, ModelError
from duretrieval.model.model import Model
from duretrieval.types import Modality, Part

Tiny = Callable[[str], Path]
ID, COMMIT = "someone/tiny-clip", "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise OSError("no network here")

    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache of its own, empty."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    return tmp_path / "hub"


def put_in_cache(cache: Path, files: Path) -> Path:
    """A snapshot as the hub's client leaves it: links to blobs, large ones called by their SHA-256."""
    place = cache / f"models--{ID.replace('/', '--')}"
    snapshot = place / "snapshots" / COMMIT
    for folder in (snapshot, place / "blobs", place / "refs"):
        folder.mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    for number, file in enumerate(sorted(files.iterdir())):
        large = file.suffix == ".safetensors"
        blob = place / "blobs" / (source._sha256(file) if large else f"{number:040x}")
        shutil.copyfile(file, blob)
        (snapshot / file.name).symlink_to(blob)
    return snapshot


def test_a_folder_needs_no_network(tiny: Tiny, unreachable: None) -> None:
    row = Model.load(f"clip:{tiny('clip')}").encode([Part(Modality.TEXT, "a bus")])
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_what_the_cache_holds_is_not_asked_for(tiny: Tiny, cache: Path, unreachable: None) -> None:
    put_in_cache(cache, tiny("clip"))
    model, copy = Model.load(f"clip:{ID}"), Model.load(f"clip:{tiny('clip')}")
    assert model.name == f"clip:{ID}"
    assert model.fingerprint == copy.fingerprint
    parts = [Part(Modality.TEXT, "a red bus")]
    np.testing.assert_allclose(model.encode(parts), copy.encode(parts), atol=1e-6)


def test_what_is_not_in_the_cache_is_said_with_the_command_that_fetches_it(cache: Path, unreachable: None) -> None:
    with pytest.raises(ModelError, match=r"not in this machine's cache and could not be fetched") as error:
        Model.load(f"clip:{ID}")
    assert f"hf download {ID}" in str(error.value)


def test_a_snapshot_without_weights_is_not_taken_for_the_model(tiny: Tiny, cache: Path, unreachable: None) -> None:
    (put_in_cache(cache, tiny("clip")) / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="could not be fetched"):
        Model.load(f"clip:{ID}")


def test_a_name_that_is_neither(tmp_path: Path, unreachable: None) -> None:
    with pytest.raises(ModelError, match=r"there is no folder nowhere/at/all\. Give a folder with config\.json"):
        Model.load("clip:./nowhere/at/all")
    with pytest.raises(ModelError, match=r"there is no config\.json in"):
        Model.load(f"clip:{tmp_path}")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"there are no weights \(\*\.safetensors, pytorch_model\*\.bin\) in"):
        Model.load(f"clip:{tmp_path}")


def test_a_relative_folder_is_remembered_whole(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny("clip").parent)
    assert Model.load(f"clip:{tiny('clip').name}").name == f"clip:{tiny('clip')}"


def test_the_fingerprint_is_that_of_what_decides(tiny: Tiny, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny("clip"), tmp_path / "copy"))
    first = source.fingerprint("clip", folder)
    assert first == source.fingerprint("clip", tiny("clip"))
    (folder / "README.md").write_text("about it")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "config.json").write_text("{}")
    assert source.fingerprint("clip", folder) == first
    assert source.fingerprint("chinese-clip", folder) != first
    for file in ("config.json", "processor_config.json", "tokenizer.json"):
        kept = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(json.dumps({**json.loads(kept), "x": 1}), encoding="utf-8")
        assert source.fingerprint("clip", folder) != first, file
        (folder / file).write_text(kept, encoding="utf-8")
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert source.fingerprint("clip", folder) != first


def test_weights_in_torchs_own_format_serve_where_there_are_no_others(tiny: Tiny, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = Path(shutil.copytree(tiny("clip"), tmp_path / "old"))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    parts = [Part(Modality.TEXT, "a red bus")]
    np.testing.assert_allclose(
        Model.load(f"clip:{folder}").encode(parts), Model.load(f"clip:{tiny('clip')}").encode(parts), atol=1e-6
    )


def test_without_torch_the_extra_is_named(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny("clip")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"needs transformers: pip install 'duretrieval\[train\]'"):
        Model.load(f"clip:{folder}")


def test_what_opens_models_loads_nothing_heavy_when_it_is_imported() -> None:
    code = """
import sys
from duretrieval.encode.hub import clap, clip, sentence, siglip
print([name for name in ("torch", "transformers", "sentence_transformers", "huggingface_hub") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_folder_with_a_colon_in_its_name_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip:mine").mkdir()
    with pytest.raises(ModelError, match=r"clip:mine is not a model: there is no model\.toml in it"):
        Model.load("clip:mine")


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path, tiny: Tiny) -> None:
    folder = Path(shutil.copytree(tiny("clip"), tmp_path / "coded"))
    auto = {"AutoConfig": "coded.Config", "AutoModel": "coded.Net"}
    (folder / "config.json").write_text(json.dumps({"model_type": "coded", "auto_map": auto}))
    (folder / "coded.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError, match=r"no configuration can be read from .*: "):
        Model.load(f"clip:{folder}")
    assert not (tmp_path / "ran").exists()
