"""Resident memory while indexing 1,000 and 20,000 files: it must not grow with the collection.

Each run is a process of its own; its peak is the operating system's (`ru_maxrss`), decoding processes apart.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import measure

SIZES = (1_000, 20_000)


def main() -> None:
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        originals = Path(folder) / "originals"
        measure.photographs(originals, 200, size=(320, 240))
        pictures = [file.read_bytes() for file in sorted(originals.iterdir())]
        for n in SIZES:
            files = Path(folder) / str(n)
            files.mkdir()
            for i in range(n):  # bytes after the end of a JPEG are ignored, and make its content unlike any other's
                (files / f"{i:06}.jpg").write_bytes(pictures[i % len(pictures)] + i.to_bytes(4, "big"))
            command = [sys.executable, "-m", "benchmarks.memory", str(files), str(Path(folder) / f"collection-{n}")]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            peaks[n] = json.loads(done.stdout.splitlines()[-1])
    ratio = peaks[SIZES[1]]["main_mb"] / peaks[SIZES[0]]["main_mb"]
    rows = [
        f"| {n:,} | {p['main_mb']:.0f} | {p['decoder_mb']:.0f} | {p['files_per_second']:.0f} |"
        for n, p in peaks.items()
    ]
    head = ["| files | peak MB | peak MB of the largest decoding process | files a second |", "|---|---|---|---|"]
    tail = ["", f"20,000 / 1,000: {ratio:.2f} (wanted: at most 1.15)"]
    figures = {"peaks": {str(n): p for n, p in peaks.items()}, "ratio": ratio}
    measure.write("memory", "Memory while indexing", figures, "\n".join([*head, *rows, *tail]))


def index(files: Path, collection: Path) -> None:
    from duretrieval.collection import Collection

    with Collection.open(collection) as c:
        report = c.add(files)
    scale = 1 / 1024 if os.uname().sysname != "Darwin" else 1 / 1024**2
    peaks = [resource.getrusage(who).ru_maxrss * scale for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    rate = report.indexed / report.seconds
    print(json.dumps({"main_mb": peaks[0], "decoder_mb": peaks[1], "files_per_second": rate}))


if __name__ == "__main__":
    index(*map(Path, sys.argv[1:])) if len(sys.argv) > 1 else main()
