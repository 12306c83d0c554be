"""The five systems on real data, each with and without the mechanism that its description names.

    python -m benchmarks.recipes [RECIPE ...]

Open Clip Art and emoji (`benchmarks/clipart.py`).  The recipes name encoders of a hub (BERT, ConvNeXt, ResNet, AST),
which nothing here downloads; in their place stand those of the package, by the changes below.  Means over seeds, each
with another split and other weights, and the range between them; `untrained` is the network before its first step.
b-attention, c-pair-scorer and e-attention are not run again: their lines are those of results/attention.json and
results/scorer.json.  Writes results/recipes.json and .md, and what `duretrieval recipes` says that each has reached.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.clipart import DATA, labelled, manifest
from benchmarks.measure import HERE, write
from benchmarks.scorer import data as two_vendors
from duretrieval.training.data.manifest import read_manifest
from duretrieval.training.fit.loop import hush
from duretrieval.training.fit.validation import check
from duretrieval.training.nets import Word2Vec
from duretrieval.training.recipe.ready import FOLDER
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.runs import run as runs
from duretrieval.training.runs.trained import take_steps

WHOLE = "as the recipe is"
COMMON = ("data.near_duplicates=false", 'data.texts=["text"]', "fit.patience=3")
IMAGE = 'encoders.image="builtin-image-both"'
TEXT = 'encoders.text="builtin"'
TITLES = 'data.columns={ keywords = "ignore" }'
IGNORE = 'data.columns={ keywords = "ignore", chinese = "ignore" }'


@dataclass(frozen=True)
class Trial:
    """A recipe on data of ours."""

    recipe: str
    data: Callable[[], Path]
    about: str
    changes: tuple[str, ...]
    figures: tuple[str, ...]
    """The first is what `duretrieval recipes` names."""
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What is left without the mechanism -> the settings that take it away."""
    seeds: int = 3


PAIRS = ("text→image/hit@1", "text→image/hit@10", "text→image/ap", "image→text/ap")
TRIALS = (
    Trial(
        "a-duretrieval",
        labelled,
        "drawings of Open Clip Art, title and picture, by the folder that each lies in",
        (TEXT, IMAGE, 'encoders.audio="builtin"', TITLES, "fit.epochs=15", "fit.batch=128"),
        ("accuracy", "f1"),
        {"titles alone": ('views=[["text"]]',), "pictures alone": ('views=[["image"]]',)},
    ),
    Trial(
        "d-word2vec",
        labelled,
        "drawings of Open Clip Art and their titles; right is what lies in the same folder",
        (IMAGE, TITLES, "encoders.text.min_count=2", "fit.epochs=15", "fit.batch=128"),
        ("text→image/ap", "image→text/ap", "text→image/hit@1", "text→image/hit@10"),
        {
            "word2vec on their keywords too": (
                'encoders.text={ use = "word2vec", dim = 200, min_count = 2, corpus = "CORPUS" }',
            ),
            "word vectors that learned nothing": ('encoders.text={ use = "word2vec", model = "MEANINGLESS" }',),
            "same labels not masked": ('data.positives=["key", "text", "file"]',),
        },
    ),
    Trial(
        "b-dual-encoders",
        two_vendors,
        "names and pictures of emoji of two vendors; both encoders begin without weights (--offline)",
        ('data.reader="manifest"', "fit.epochs=8", "encoders.image.lr=0.1"),
        PAIRS,
        {"encoders that do not learn": ("encoders.image.train=[]", "encoders.text.train=[]")},
        seeds=2,
    ),
    Trial(
        "b-dual-encoders",
        manifest,
        "titles and pictures of Open Clip Art and emoji; frozen built-in encoders, heads learn",
        (TEXT, IMAGE, 'data.reader="manifest"', IGNORE, "augment={}", "fit.epochs=15", "fit.batch=128"),
        PAIRS,
        {
            "triplets alone": ('losses=[{ use = "triplet", margin = 0.2 }]',),
            "the listwise loss alone": ('losses=[{ use = "smooth-ap" }]',),
        },
        seeds=1,
    ),
)


def main(names: Sequence[str] = ()) -> None:
    torch.set_num_threads(1)
    hush()
    path = HERE / "results" / "recipes.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    trials: list[dict[str, Any]] = list(known.get("trials", []))
    for trial in TRIALS:
        if names and trial.recipe not in names:
            continue
        found = measured(trial)
        trials = [t for t in trials if (t["recipe"], t["about"]) != (trial.recipe, trial.about)] + [found]
        figures = {"trials": trials, "elsewhere": elsewhere()}
        write("recipes", __doc__ or "", figures, table(figures))  # after each
        reached = json.dumps(said(figures), indent=1, ensure_ascii=False)
        (FOLDER / "reached.json").write_text(f"{reached}\n", encoding="utf-8")


def measured(trial: Trial) -> dict[str, Any]:
    """Every line of a trial: figure -> a value a seed."""
    data, lines, seconds = trial.data(), dict[str, list[dict[str, float]]](), list[float]()
    for seed in range(trial.seeds):
        with tempfile.TemporaryDirectory(prefix="duretrieval-") as place:
            folder = Path(place)
            changes = [*COMMON, *trial.changes, f"seed={seed}"]
            start = time.monotonic()
            whole = assembled(trial, changes, data, folder / "whole")
            rows, monitor = whole.prepared.rows["test"], whole.recipe.fit.monitor
            lines.setdefault("untrained", []).append(check(whole.network.eval(), whole.objective, rows, monitor))
            chance = max(np.bincount(rows.labels.numpy()[rows.labels.numpy() >= 0], minlength=1)) / len(rows)
            for name, taken in {WHOLE: (), **trial.without}.items():
                settings = [filled(setting, data, folder, whole) for setting in taken]
                run = assembled(trial, [*changes, *settings], data, folder / name.replace(" ", "-"))
                take_steps(run)
                runs.load(run, run.folder / runs.BEST)
                own = run.prepared.rows["test"] if "data.positives" not in "".join(settings) else rows
                lines.setdefault(name, []).append(check(run.network.eval(), run.objective, own, monitor))
                print(trial.recipe, seed, name, {f: round(lines[name][-1][f], 3) for f in trial.figures}, flush=True)
                if name == WHOLE:
                    seconds.append(round(time.monotonic() - start))
    kept = {name: {f: [round(run[f], 4) for run in found] for f in trial.figures} for name, found in lines.items()}
    settings = [*COMMON, *trial.changes]
    known = {"recipe": trial.recipe, "about": trial.about, "changes": settings, "seconds": seconds, "lines": kept}
    return {**known, "most common label": round(float(chance), 4), "test rows": len(rows)}


def assembled(trial: Trial, changes: Sequence[str], data: Path, folder: Path) -> runs.Run:
    folder.mkdir(parents=True, exist_ok=True)
    recipe = read_recipe(Path(trial.recipe), changes, offline=True)
    return runs.assemble(recipe, runs.read(recipe, data), folder, cache=DATA / "features")


def filled(setting: str, data: Path, folder: Path, whole: runs.Run) -> str:
    """With the paths of the files that it names, which are made."""
    if "CORPUS" in setting:
        return setting.replace("CORPUS", str(corpus(data, folder, whole)))
    return setting.replace("MEANINGLESS", str(meaningless(data, folder))) if "MEANINGLESS" in setting else setting


def corpus(data: Path, folder: Path, whole: runs.Run) -> Path:
    """The titles and keywords of the rows to learn from, a line each."""
    learned = {sample.id for sample in whole.prepared.samples["train"]}
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    path = folder / "corpus.txt"
    lines = [f"{row['text']} {row.get('keywords', '')}\n" for row in rows if row["id"] in learned]
    path.write_text("".join(line.replace("\n", " ").strip() + "\n" for line in lines), encoding="utf-8")
    return path


def meaningless(data: Path, folder: Path) -> Path:
    """Random vectors for all words of the titles, in word2vec's text format."""
    path = folder / "meaningless.vec"
    if not path.is_file():
        texts = [str(sample.columns["text"].content) for sample in read_manifest(data).samples]
        words = list(Word2Vec.train(texts, dim=2, min_count=2, epochs=1).vectors.key_to_index)
        rows = np.random.default_rng(0).standard_normal((len(words), 200))
        lines = [f"{word} {' '.join(f'{v:.4f}' for v in row)}" for word, row in zip(words, rows, strict=True)]
        path.write_text(f"{len(words)} 200\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def elsewhere() -> list[dict[str, Any]]:
    """What other benchmarks measured: the first line is as the recipe is."""
    attention = json.loads((HERE / "results" / "attention.json").read_text(encoding="utf-8"))
    systems = {"e-attention": "E: text asks its picture", "b-attention": "B: region x word, bilinear"}
    about = {"regions": "made pictures of four things", "drawings": "drawings by title, with their keywords"}
    found: list[dict[str, Any]] = []
    for recipe, system in systems.items():
        for data, words in about.items():
            lines = {
                name: {"question→item ap": seen["there"]["ap"], "item→question hit@1": seen["back"]["hit@1"]}
                for name, seen in attention[data][system].items()
            }
            found.append({"recipe": recipe, "about": words, "command": attention["command"], "lines": lines})
    scorer = json.loads((HERE / "results" / "scorer.json").read_text(encoding="utf-8"))
    lines = {name: {"rr": seen["rr"], "hit@1": seen["hit@1"]} for name, seen in scorer["lines"].items()}
    words = "names and pictures of emoji of two vendors, both directions"
    return [*found, {"recipe": "c-pair-scorer", "about": words, "command": scorer["command"], "lines": lines}]


def said(figures: Mapping[str, Any]) -> dict[str, str]:
    """Recipe -> a sentence for `duretrieval recipes`."""
    out: dict[str, list[str]] = {}
    for seen in [*figures["trials"], *figures["elsewhere"]]:
        lines = seen["lines"]
        whole = WHOLE if WHOLE in lines else next(iter(lines))
        first = next(iter(lines[whole]))
        values = {name: float(np.mean(line[first])) for name, line in lines.items()}
        others = ", ".join(f"{name} {value:.3f}" for name, value in values.items() if name != whole)
        out.setdefault(seen["recipe"], []).append(f"{first} {values[whole]:.3f} ({others}) on {seen['about']}")
    return {recipe: "; ".join(out[recipe]) for recipe in sorted(out)}


def table(figures: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for seen in [*figures["trials"], *figures["elsewhere"]]:
        names = list(next(iter(seen["lines"].values())))
        lines += [f"## {seen['recipe']}: {seen['about']}", "", f"| | {' | '.join(names)} |"]
        lines.append("|---" * (1 + len(names)) + "|")
        for name, line in seen["lines"].items():
            lines.append(f"| {name} | {' | '.join(spread(line[f]) for f in names)} |")
        lines += ["", *below(seen), ""]
    return "\n".join(lines).rstrip()


def below(seen: Mapping[str, Any]) -> list[str]:
    """How it was made."""
    if "changes" not in seen:
        return [f"`{seen['command']}`"]
    common = f"The most common label alone would give accuracy {seen['most common label']:.3f}."
    settings = " ".join(f"--set '{change}'" for change in seen["changes"])
    about = f"Seeds: {len(seen['seconds'])}; test rows: about {seen['test rows']}; seconds: {seen['seconds']}"
    command = f"{about}: `duretrieval train {seen['recipe']} --offline --data DATA {settings}`"
    return [common, "", command] if "accuracy" in seen["lines"][WHOLE] else [command]


def spread(values: float | Sequence[float]) -> str:
    """The mean, and the range where there are several."""
    if isinstance(values, float | int) or len(values) == 1:
        return f"{float(np.mean(values)):.3f}"
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main(sys.argv[1:])
