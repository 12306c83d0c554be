"""Bytes to arrays: recognise a file, decode it within limits, cut it into parts.

Everything here is light to import; a decoder is loaded by the first file that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.media.chunk import Chunk as Chunk
    from duretrieval.media.chunk import Cursor as Cursor
    from duretrieval.media.decoder import decode as decode
    from duretrieval.media.folders import Source as Source
    from duretrieval.media.folders import digest as digest
    from duretrieval.media.folders import stamp as stamp
    from duretrieval.media.folders import walk as walk
    from duretrieval.media.limits import Limits as Limits
    from duretrieval.media.manifest import Row as Row
    from duretrieval.media.manifest import read_manifest as read_manifest
    from duretrieval.media.pool import DecoderPool as DecoderPool
    from duretrieval.media.signature import Kind as Kind
    from duretrieval.media.signature import sniff as sniff
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "chunk": "Chunk Cursor",
            "decoder": "decode",
            "folders": "Source digest stamp walk",
            "limits": "Limits",
            "manifest": "Row read_manifest",
            "pool": "DecoderPool",
            "signature": "Kind sniff",
        },
    )
