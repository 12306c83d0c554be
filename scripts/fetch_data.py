"""Fetch what the benchmarks need into the ignored `.data/`: run once, by a developer, with a network.

python scripts/fetch_data.py
"""

from pathlib import Path

import fetch_demo
from builtin.packages import debian

DEMO = Path(__file__).parents[1] / ".data" / "demo-media"
DEBIAN = ("tuxpaint-stamps-default",)

if __name__ == "__main__":
    for name in DEBIAN:
        print(debian(name))
    fetch_demo.main(DEMO)
