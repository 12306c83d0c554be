"""What three methods of training are worth: batches in chunks, vectors that may be cut, a teacher.

    python -m benchmarks.methods

Chunks: the most memory that a step of a small transformer takes above the process itself, each in a process of its own.
The other two learn from 300 of Tux Paint's stamps with their English descriptions, 90 of them held back; rr is the
mean of both directions on these, over three seeds.  The small encoders are counted words and features of pictures; the
teacher is the built-in model, and "loose" adds the descriptions and the pictures of all other stamps, none with its
partner, which only a teacher can say something of.  Writes results/methods.json and .md.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import normalize

from benchmarks.measure import write
from benchmarks.tuxpaint import STAMPS, descriptions
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import LossTerm, TotalLoss
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit.chunks import encoded
from duretrieval.training.fit.validation import retrieval, views_of
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs.run import assemble, load
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part

ROWS, WORDS, WIDTH = 512, 32, 192
CHUNKS = (0, 128, 32)
DIMS = (256, 64, 16)
SEEDS = (0, 1, 2)
SMALL = {"text": {"use": "bag-of-words", "min_count": 1}, "image": {"use": "builtin-image-features"}}
FIT = {"epochs": 40, "lr": 3e-3, "batch": 128, "patience": 0, "accelerator": "cpu"}


class Words(torch.nn.Module):
    """Four layers over word vectors; what comes in is the vectors."""

    def __init__(self) -> None:
        super().__init__()
        layer = torch.nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, dropout=0.1, batch_first=True)
        self.layers = torch.nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        return self.layers(words).mean(dim=1)  # type: ignore[no-any-return]


def step(chunk: int, out: Any) -> None:
    """One step of one process: MiB above what it had before."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, columns = Words(), {"a": Modality.TEXT, "b": Modality.TEXT}
    network = Network(
        encoders={Modality.TEXT: net},
        heads={Modality.TEXT: torch.nn.Linear(WIDTH, WIDTH)},
        columns=columns,
        views=[("a",), ("b",)],
        dim=WIDTH,
    ).train()
    places, there = torch.arange(ROWS), torch.ones(ROWS, dtype=torch.bool)
    inputs = {name: {"words": torch.randn(ROWS, WORDS, WIDTH)} for name in columns}
    batch = Batch(inputs, dict.fromkeys(columns, there), places, torch.full((ROWS,), -1), places, ROWS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    TotalLoss([LossTerm(InfoNce(), 1.0, "scores")])(encoded(network, batch, chunk), batch).backward()
    out.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def chunks() -> dict[str, float]:
    found, context = {}, multiprocessing.get_context("spawn")
    for chunk in CHUNKS:
        queue = context.Queue()
        process = context.Process(target=step, args=(chunk, queue))
        process.start()
        found[str(chunk)] = queue.get()
        process.join()
    return found


def stamps() -> tuple[list[Sample], list[Sample]]:
    """300 of them, by chance; and the words and the pictures of the others, each a row of its own."""
    stems = sorted(path.with_suffix("") for path in STAMPS.rglob("*.png"))
    named = [(stem, said) for stem in stems if (said := descriptions(stem).get(""))]
    chosen = np.random.default_rng(0).permutation(len(named)).tolist()
    parts = [
        {"text": Part(Modality.TEXT, said), "image": Part(Modality.IMAGE, stem.with_suffix(".png"))}
        for stem, said in named
    ]
    pairs = [Sample(str(i), parts[i], split="val" if at < 90 else "train") for at, i in enumerate(chosen[:300])]
    loose = [Sample(f"{c} {i}", {c: part}, split="train") for i in chosen[300:] for c, part in parts[i].items()]
    return pairs, loose


def learned(data: list[Sample], **table: Any) -> dict[int, float]:
    """rr of what was held back, of vectors cut to each length: the mean over the seeds."""
    found: dict[int, list[float]] = {dim: [] for dim in DIMS}
    for seed in SEEDS:
        folder = Path(tempfile.mkdtemp(prefix="duretrieval-"))
        common = {"dim": DIMS[0], "views": [["text"], ["image"]], "heads": "linear", "fit": FIT, "seed": seed}
        recipe = to_recipe({**common, "data": {"near_duplicates": False}, **table})
        train(recipe, data, folder / "run", exporting=False)
        run = assemble(recipe, (data, []), folder / "run")
        load(run, folder / "run" / "best.ckpt")
        rows = run.prepared.rows["val"]
        views = views_of(run.network, rows)
        for dim in DIMS:
            cut = {name: View(normalize(v.rows[:, :dim], dim=1), v.present) for name, v in views.items()}
            figures = retrieval(cut, rows.positives, ["rr"])
            found[dim].append(float(np.mean([f["rr"] for f in figures.values()])))
        shutil.rmtree(folder)
    return {dim: float(np.mean(values)) for dim, values in found.items()}


def main() -> None:
    torch.set_num_threads(1)
    memory, (data, loose) = chunks(), stamps()
    print(memory, len(data), len(loose), flush=True)
    infonce = {"use": "infonce"}
    runs = {
        "infonce": learned(data, loss=infonce),
        "infonce, matryoshka = [64, 16]": learned(data, loss={**infonce, "matryoshka": [64, 16]}),
        "small encoders, infonce": learned(data, encoders=SMALL, loss=infonce),
    }
    for loss in ("margin-mse", "distil-kl", "distil-vectors"):
        both = [infonce, {"use": loss, "weight": 10.0 if loss == "distil-vectors" else 1.0}]
        runs[f"small encoders, infonce and {loss}"] = learned(data, encoders=SMALL, losses=both, teacher="builtin")
    runs["small encoders, infonce, loose"] = learned([*data, *loose], encoders=SMALL, loss=infonce)
    runs["small encoders, infonce and distil-vectors, loose"] = learned(
        [*data, *loose], encoders=SMALL, losses=both, teacher="builtin"
    )
    write("methods", __doc__ or "", {"memory_mib": memory, "rr": runs}, table(memory, runs))


def table(memory: dict[str, float], runs: dict[str, dict[int, float]]) -> str:
    lines = [f"| rows of {ROWS} encoded at a time | MiB of a step |", "|---|---|"]
    lines += [f"| {chunk if chunk != '0' else 'all'} | {most:.0f} |" for chunk, most in memory.items()]
    lines += ["", "| rr of vectors of | " + " | ".join(map(str, DIMS)) + " |", "|---|" + "---|" * len(DIMS)]
    lines += [f"| {name} | " + " | ".join(f"{found[d]:.3f}" for d in DIMS) + " |" for name, found in runs.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
