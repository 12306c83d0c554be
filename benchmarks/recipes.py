"""The five ready recipes on real data: Open Clip Art and emoji, with the encoders that come inside the package.

    python -m benchmarks.recipes

The recipes name encoders of a hub (BERT, ConvNeXt, ResNet, AST), which nothing here downloads; in their place stand the
built-in ones, frozen, by the changes below.  Everything else is the recipe's.  Writes results/recipes.json and .md.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.clipart import DATA, labelled, manifest
from benchmarks.measure import write
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.runs.run import train

COMMON = ("data.near_duplicates=false", 'data.texts=["text"]', "fit.patience=3")
IMAGE = 'encoders.image="builtin-image-both"'
TEXT = 'encoders.text="builtin"'
IGNORE = 'data.columns={ keywords = "ignore", chinese = "ignore" }'
CHANGES: dict[str, tuple[str, ...]] = {
    "a-duretrieval": (TEXT, IMAGE, 'encoders.audio="builtin"', IGNORE, "fit.epochs=15", "fit.batch=128"),
    "b-dual-encoders": (TEXT, IMAGE, 'data.reader="manifest"', IGNORE, "augment={}", "fit.epochs=15", "fit.batch=128"),
    "d-word2vec": (IMAGE, IGNORE, "encoders.text.min_count=2", "fit.epochs=15", "fit.batch=128"),
    "e-attention": (
        'data.columns={ keywords = "text", chinese = "ignore" }',
        'views=[["text"], ["keywords", "image"]]',
        IMAGE,
        TEXT,
        "fit.epochs=10",
    ),
    "c-pair-scorer": (IGNORE, IMAGE, TEXT, "fit.epochs=6"),
}


def main() -> None:
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    for name, changes in CHANGES.items():
        wanted = [*COMMON, *changes]
        folder = Path(tempfile.mkdtemp(prefix="duretrieval-"))
        recipe = read_recipe(Path(name), wanted)
        data = labelled() if name == "a-duretrieval" else manifest()
        outcome = train(recipe, data, folder / "run", cache=DATA / "features")
        figures[name] = {"changes": wanted, "test": outcome.test, "checks": outcome.epochs, "seconds": outcome.seconds}
        print(name, outcome.test, outcome.seconds, flush=True)
        shutil.rmtree(folder)
        write("recipes", __doc__ or "", figures, table(figures))  # after each


def table(figures: dict[str, Any]) -> str:
    lines = ["| recipe | on test rows | checks | s | command |", "|---|---|---|---|---|"]
    for name, found in figures.items():
        test = found["test"]
        shown = [key for key in test if key.endswith(("/hit@1", "/hit@10", "/ap")) or key in ("accuracy", "f1")]
        said = ", ".join(f"{key} {test[key]:.3f}" for key in shown)
        settings = " ".join(f"--set '{change}'" for change in found["changes"])
        command = f"`duretrieval train {name} --data DATA {settings}`"
        lines.append(f"| {name} | {said} | {found['checks']} | {found['seconds']:.0f} | {command} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
