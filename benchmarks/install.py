"""What a fresh install of the core takes on disk, and what importing the package costs.

Makes an environment in a temporary folder with `pip install .`; needs a package registry.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
import venv
from collections import Counter
from pathlib import Path

from benchmarks import measure

ROOT = measure.HERE.parent
NOT_OURS = ("pip", "setuptools", "pkg_resources", "_distutils_hack")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", ROOT]
        subprocess.run(pip, check=True, capture_output=True)
        where = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        sizes = by_package(Path(where))
        seconds = {
            code: statistics.median(timed([python, "-c", code]) for _ in range(5))
            for code in ("pass", "import duretrieval", "import duretrieval.collection.collection")
        }
    total = sum(sizes.values())
    rows = [f"| {name} | {size:.0f} |" for name, size in sizes.most_common(12)]
    table = "\n".join(["| package | MB |", "|---|---|", f"| all, compiled Python included | {total:.0f} |", *rows])
    table += "\n\n| process | seconds, median of 5 |\n|---|---|\n"
    table += "\n".join(f"| `python -c '{code}'` | {taken:.2f} |" for code, taken in seconds.items())
    figures = {"megabytes": total, "by_package": dict(sizes.most_common(12)), "seconds": seconds}
    measure.write("install", "A fresh install of the core (wanted: under 700 MB)", figures, table)


def by_package(site: Path) -> Counter[str]:
    """MB (10^6 bytes) below each entry of site-packages, pip's own left out."""
    sizes: Counter[str] = Counter()
    for file in site.rglob("*"):
        name = file.relative_to(site).parts[0].split("-")[0].removesuffix(".libs")
        if file.is_file() and name not in NOT_OURS:
            sizes[name] += file.stat().st_size / 1e6  # type: ignore[assignment]
    return sizes


def timed(command: list[object]) -> float:
    start = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
