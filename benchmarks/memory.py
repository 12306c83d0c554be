"""Resident memory while indexing 1,000 and 20,000 files: it must not grow with the collection.

Each run is a process of its own, its peak the kernel's (`VmHWM`); the decoding processes are looked at every second.
Linux only.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
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
    from duretrieval.collection.collection import Collection

    seen = [0.0]
    threading.Thread(target=watch, args=[seen], daemon=True).start()
    with Collection.open(collection) as c:
        report = c.add(files)
    rate = report.indexed / report.seconds
    print(json.dumps({"main_mb": status("self", "VmHWM"), "decoder_mb": seen[0], "files_per_second": rate}))


def status(process: str, field: str) -> float:
    """A field of /proc/PROCESS/status in MB; 0 for a process that is gone, or has none."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), 0.0)


def watch(seen: list[float]) -> None:
    """Keep the largest resident size of any child."""
    while True:
        with contextlib.suppress(OSError):  # a thread may end while its children are read
            pids = [
                pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
            ]
            seen[0] = max([seen[0], *(status(pid, "VmRSS") for pid in pids)])
        time.sleep(1)


if __name__ == "__main__":
    index(*map(Path, sys.argv[1:])) if len(sys.argv) > 1 else main()
