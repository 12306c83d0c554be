"""Fetch what the benchmarks need into the ignored `.data/`: run once, by a developer, with a network.

python scripts/fetch_data.py
"""

from builtin.packages import debian

DEBIAN = ("tuxpaint-stamps-default",)

if __name__ == "__main__":
    for name in DEBIAN:
        print(debian(name))
