"""What is the same, or nearly: perceptual hashes, neighbours among them, and the sets they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.duplicates.near import near_groups as near_groups
    from duretrieval.duplicates.perceptual import code as code
    from duretrieval.duplicates.perceptual import distance as distance
    from duretrieval.duplicates.union_find import UnionFind as UnionFind
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "near": "near_groups",
            "perceptual": "code distance",
            "union_find": "UnionFind",
        },
    )
