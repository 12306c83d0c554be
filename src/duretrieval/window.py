"""What a package hands on, loaded when it is first asked for.

A package's `__init__` is its window: `from duretrieval.align import Cca` is all that anybody outside needs to know.
Importing a package must stay cheap, so names come by PEP 562, and the imports that type checkers read stand beside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def window(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package.

    names: module, as seen from the package (or from `duretrieval`, where it begins with a dot), to the names that it
    hands on, with spaces between them.

        if TYPE_CHECKING:
            from duretrieval.align.cca import Cca as Cca  # and so on: what type checkers see
        else:
            __getattr__, __dir__, __all__ = window(__name__, {"cca": "Cca", "chain": "Chain Sum"})
    """
    homes = {name: module for module, listed in names.items() for name in listed.split()}
    listed = sorted(homes)

    def __getattr__(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        found = getattr(import_module(f"duretrieval{home}" if home.startswith(".") else f"{package}.{home}"), name)
        setattr(sys.modules[package], name, found)  # the next time costs nothing
        return found

    return __getattr__, lambda: sorted({*vars(sys.modules[package]), *listed}), listed
