"""Every command that writes, killed: nothing may be lost, doubled or left over, and the next run completes.

    python -m benchmarks.kills [KILLS] [COMMAND ...]

Half the kills are aimed: before or after any call that touches a file, by its number (`benchmarks.killed`); half come
at any time. Each is followed by a look at what is there, and by the same command once more.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from benchmarks import measure
from duretrieval.collection import upkeep
from duretrieval.collection.collection import Collection
from duretrieval.encode.char_ngrams import CharNgrams
from duretrieval.evaluation.judging import JudgementFile
from duretrieval.evaluation.result_json import load
from duretrieval.index.lance.journal import files
from duretrieval.model.model import Model
from duretrieval.model.seal import Origin
from duretrieval.types import Modality

SHARES = {
    "index": 20,
    "manifest": 12,
    "remove": 12,
    "migrate": 18,
    "repair": 12,
    "evaluate": 6,
    "ledger": 4,
    "save": 5,
    "train": 4,
    "export": 3,
    "tune": 4,
}
"""Kills of each command, of a hundred."""
WORLDS = 2
"""Collections that are worked on side by side."""
RECIPE = """
name = "tiny"
dim = 16
heads = { use = "mlp", hidden = 8 }
fit = { epochs = 2, accelerator = "cpu" }
data = { near_duplicates = false }
"""
SEARCH = """
[tune]
trials = 2
sampler = "grid"
[tune.space]
"fit.lr" = [1e-3, 1e-2]
"""
WORDS = [a + b for a in ("rain", "snow", "wind", "sun", "cloud") for b in ("roof", "tree", "river", "stone")]


@dataclass
class World:
    """A collection, what it is made of, and what should be in it; everything that is written lies in `folder`."""

    folder: Path
    chance: random.Random
    notes: set[str] = field(default_factory=set)
    rows: int = 0
    round: int = 0

    def __post_init__(self) -> None:
        for name in ("notes", "tmp"):
            (self.folder / name).mkdir()
        for name, dim in (("first", 32), ("second", 48)):
            encoders = {Modality.TEXT: CharNgrams.fit(buckets=512, dim=dim)}
            model = Model(name, encoders, dim=dim, fingerprint="being written")
            model.save(self.folder / name, made=Origin("CC0-1.0", "drawn at random"))
        with Collection.open(self.path, self.folder / "first") as collection:
            self.write_notes(12)
            collection.add(self.folder / "notes", workers=1)

    @property
    def path(self) -> Path:
        return self.folder / "c"

    def write_notes(self, n: int) -> None:
        for _ in range(n):
            name = f"note{len(list((self.folder / 'notes').iterdir())):04}-{self.chance.random():.6f}.txt"
            (self.folder / "notes" / name).write_text(f"{name}: " + " ".join(self.chance.choices(WORDS, k=60)))
            self.notes.add(name)

    def stored(self) -> set[str]:
        with Collection.open(self.path, create=False) as collection:
            found = [self.name(item.source) for item in collection.items()]
        assert len(found) == len(set(found)), "doubled"
        return set(found)

    def name(self, source: str) -> str:
        return source.rpartition("/")[2]

    @property
    def wanted(self) -> set[str]:
        return self.notes | {f"rows.csv#r{i}" for i in range(self.rows)}


@dataclass
class Case:
    """A command, and what must hold after it was killed and after it ran."""

    command: list[str]
    killed: Callable[[], None]
    done: Callable[[], None]
    made: Path | None = None
    """What the command refuses to make twice: where it is there after a kill, there is nothing left to do."""
    codes: tuple[int, ...] = (0,)
    """How it may end."""


def index(world: World) -> Case:
    before = world.wanted
    world.write_notes(5)
    return Case(
        ["index", str(world.folder / "notes"), "-c", str(world.path), "--workers", "1"],
        lambda: between(world, before, world.wanted),
        lambda: sound(world),
    )


def manifest(world: World) -> Case:
    before = world.wanted
    world.rows += 5
    path = world.folder / "rows.csv"
    lines = [f"r{i},{WORDS[i % len(WORDS)]} number {i}" for i in range(world.rows)]
    path.write_text("id,text\n" + "\n".join(lines) + "\n")
    return Case(
        ["index", str(path), "--manifest", "-c", str(world.path), "--workers", "1"],
        lambda: between(world, before, world.wanted),
        lambda: sound(world),
    )


def remove(world: World) -> Case:
    before = world.wanted
    gone = world.chance.sample(sorted(world.notes), 2)
    world.notes -= set(gone)
    for name in gone:
        (world.folder / "notes" / name).unlink()
    return Case(
        ["remove", "--where", f"name IN ('{gone[0]}', '{gone[1]}')", "-c", str(world.path)],
        lambda: between(world, world.wanted, before),
        lambda: sound(world),
    )


def migrate(world: World) -> Case:
    with Collection.open(world.path) as collection:
        other = "second" if collection.model.name == "first" else "first"
    return Case(
        ["migrate", "-c", str(world.path), "--model", str(world.folder / other), "--workers", "1"],
        lambda: between(world, world.wanted, world.wanted),
        lambda: sound(world),
    )


def repair(world: World) -> Case:
    """One file is damaged, and rows of the manifest, which cannot be read again from where they were, are told."""
    store = world.path / "parts.lance"
    kind = world.chance.choice(["data/", "_indices/", "_versions/", "_deletions/"])
    found = [path for name, path in files(store) if name.startswith(kind)]
    for path in found[:1]:
        path.write_bytes(bytes(byte ^ 0x55 for byte in path.read_bytes()))

    def done() -> None:
        found = world.stored()
        assert found <= world.wanted, "something removed came back"
        assert world.notes <= found, "what could be read again was not"
        with Collection.open(world.path) as collection:
            collection.add(world.folder / "notes", workers=1)
            if world.rows:
                collection.add_manifests(world.folder / "rows.csv", workers=1)
        sound(world)

    return Case(["verify", "--repair", "-c", str(world.path)], lambda: None, done, codes=(0, 1))


def evaluate(world: World) -> Case:
    folder = world.folder / "report"

    def whole() -> None:
        if (folder / "result.json").exists():
            load(folder / "result.json")
        if (folder / "report.html").exists():
            assert (folder / "report.html").read_text().rstrip().endswith("</html>")

    def done() -> None:
        whole()
        assert {path.name for path in folder.iterdir()} == {"report.html", "result.json", "health.json"}

    return Case(["evaluate", str(world.path), "--report", str(folder), "--queries", "5"], whole, done)


def ledger(world: World) -> Case:
    path = world.folder / f"judged{world.round}.jsonl"

    def done() -> None:
        assert len(JudgementFile(path)) == 200

    return Case(["ledger", str(path), "200"], lambda: None, done)


def save(world: World) -> Case:
    folder = world.folder / f"saved{world.round}"

    def whole() -> None:
        if folder.exists():
            assert Model.load(folder).dim == 32

    def done() -> None:
        whole()
        assert folder.exists()

    return Case(["save", str(world.folder / "first"), str(folder)], whole, done, folder)


def train(world: World) -> Case:
    run = world.folder / f"run{world.round}"

    def done() -> None:
        assert Model.load(run / "model").dim == 16
        json.loads((run / "result.json").read_text())

    return Case(["train", str(recipe(world)), *learned(world), "--out", str(run), "--resume"], lambda: None, done)


def export(world: World) -> Case:
    runs = [path for path in world.folder.glob("run*") if (path / "result.json").exists()]
    run = runs[0] if runs else world.folder / "run-to-export"
    if not runs:
        command = ["train", str(recipe(world)), *learned(world), "--out", str(run)]
        run_command(world, 0, command, (0,))
    folder = world.folder / f"exported{world.round}"

    def whole() -> None:
        if folder.exists():
            assert Model.load(folder).dim == 16

    def done() -> None:
        whole()
        assert folder.exists()

    return Case(["export", str(run), str(folder), "--cache", str(world.folder / "cache")], whole, done, folder)


def tune(world: World) -> Case:
    out = world.folder / f"tuned{world.round}"

    def done() -> None:
        assert Model.load(out / "best" / "model").dim == 16
        assert (out / "report.html").read_text().rstrip().endswith("</html>")

    return Case(["tune", str(recipe(world, SEARCH)), *learned(world), "--out", str(out)], lambda: None, done)


def recipe(world: World, more: str = "") -> Path:
    path = world.folder / ("search.toml" if more else "recipe.toml")
    path.write_text(RECIPE + more)
    return path


def learned(world: World) -> list[str]:
    """Twenty pictures of a colour each, and its name."""
    folder = world.folder / "pairs"
    if not folder.exists():
        folder.mkdir()
        rows = []
        for i, word in enumerate(WORDS):
            colour = tuple(world.chance.choices(range(256), k=3))
            Image.new("RGB", (32, 32), colour).save(folder / f"{i}.png")
            split = {3: "val", 4: "test"}.get(i % 5, "train")
            rows.append(json.dumps({"id": f"p{i}", "text": f"a {word}", "image": f"{i}.png", "split": split}))
        (folder / "pairs.jsonl").write_text("\n".join(rows))
    return ["--data", str(folder / "pairs.jsonl"), "--cache", str(world.folder / "cache")]


CASES: dict[str, Callable[[World], Case]] = {
    case.__name__: case
    for case in (index, manifest, remove, migrate, repair, evaluate, ledger, save, train, export, tune)
}


def between(world: World, least: set[str], most: set[str]) -> None:
    """What a reader finds right after the kill."""
    found = world.stored()
    assert least <= found, f"lost: {sorted(least - found)}"
    assert found <= most, f"back again: {sorted(found - most)}"
    faults = [fault for fault in upkeep.verify(world.path) if "index" not in fault.problem]  # sources are as they are
    assert faults == []


def sound(world: World) -> None:
    """What is there when the command ran to its end."""
    assert world.stored() == world.wanted
    assert upkeep.verify(world.path) == []
    left = {path.name for path in world.path.iterdir()} - {"parts.lance", ".parts.lance.lock"}
    assert not left, f"left over: {sorted(left)}"


def run_command(world: World, step: int, command: Sequence[str], codes: Sequence[int] = (-9, 0)) -> int:
    """Run it to its end, or to the step; returns how many steps there were."""
    count = world.folder / "count"
    count.unlink(missing_ok=True)
    start = [sys.executable, "-m", "benchmarks.killed", str(step), str(count), *command]
    done = subprocess.run(start, capture_output=True, text=True, env=_environment(world))
    assert done.returncode in codes, f"{' '.join(command)}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return int(count.read_text()) if count.exists() else 0


def killed_after(world: World, seconds: float, command: Sequence[str]) -> bool:
    """Run it, and kill it so long after it began to work; False where it had ended by then."""
    start = [sys.executable, "-m", "benchmarks.killed", "0", str(world.folder / "count"), *command]
    run = subprocess.Popen(start, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_environment(world))
    assert run.stdout
    assert run.stdout.readline() == "armed\n"
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        run.kill()
    run.communicate()
    return run.returncode < 0


def left_over(world: World) -> list[Path]:
    """What nobody holds any more, anywhere."""
    return [
        path for end in ("partial", "part", "tmp", "old", "next", "mended") for path in world.folder.rglob(f"*.{end}")
    ]


def _environment(world: World) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(world.folder / "tmp"), "OMP_NUM_THREADS": "1"}


def kill(world: World, name: str, known: dict[str, tuple[int, float]]) -> bool:
    """One round of one command; True where it was killed before its end."""
    world.round += 1
    case = CASES[name](world)
    steps, seconds = known.get(name, (40, 1.0))
    if world.chance.random() < 0.5:
        run_command(world, world.chance.randint(1, steps), case.command, (-9, *case.codes))
        killed = not (world.folder / "count").exists()
    else:
        killed = killed_after(world, world.chance.uniform(0, seconds), case.command)
    case.killed()
    start = time.monotonic()
    steps = run_command(world, 0, case.command, (0, 1) if case.made and case.made.exists() else case.codes)
    known[name] = (max(steps, known.get(name, (1, 0))[0]), time.monotonic() - start)
    case.done()
    assert left_over(world) == [], left_over(world)
    return killed


def rounds(kills: int, names: Sequence[str], seed: int = 0) -> Counter[str]:
    """Kill until `kills` commands were, in the usual shares; returns how many of each."""
    chance = random.Random(seed)
    done: Counter[str] = Counter()
    known: dict[str, tuple[int, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), chance)
        while done.total() < kills:
            name = chance.choices(names, [SHARES[n] for n in names])[0]
            done[name] += kill(world, name, known)
            print(f"{done.total()}/{kills} {name}", file=sys.stderr)
    return done


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    start = time.monotonic()
    names = sys.argv[2:] or list(SHARES)
    with ThreadPoolExecutor(WORLDS) as pool:
        shares = [kills // WORLDS + (i < kills % WORLDS) for i in range(WORLDS)]
        done = sum(pool.map(lambda seed: rounds(shares[seed], names, seed), range(WORLDS)), Counter[str]())
    figures = {"kills": done.total(), "minutes": round((time.monotonic() - start) / 60, 1), "commands": dict(done)}
    table = "| command | kills |\n|---|---|\n" + "".join(f"| {name} | {n} |\n" for name, n in sorted(done.items()))
    what = "Commands killed by SIGKILL; each time nothing was lost, doubled or left over, and the next run completed."
    measure.write("kills", what, figures, table)


if __name__ == "__main__":
    main()
