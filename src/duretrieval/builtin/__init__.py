"""The model that comes with the package: `FOLDER` is an ordinary model folder (see `model.py`).

`scripts/build_builtin.py` made it; `model/README.md` is its card.
"""

from pathlib import Path

__all__ = ["FOLDER"]

FOLDER = Path(__file__).parent / "model"
