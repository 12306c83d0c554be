"""Write model.toml and README.md of the embedded default anew, after its glossary or its figures changed.

    python scripts/seal_builtin.py [FOLDER]

Needs neither torch nor a network; the weights stay as `scripts/build_builtin.py` made them.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from builtin.card import ROOT, seal


def main(folder: Path) -> None:
    card = tomllib.loads((folder / "model.toml").read_text(encoding="utf-8"))
    options = {Path(entry["options"]["file"]).stem: entry["options"] for entry in card["aligners"]}
    seal(folder, options, card["lowest_cosine_with_original"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "src/duretrieval/builtin/model")
