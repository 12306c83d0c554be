"""Bytes to arrays: recognise a file, decode it within limits, cut it into parts.

Everything here is light to import; a decoder is loaded by the first file that needs it.
"""

from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.decoder import decode
from duretrieval.media.folders import Source, digest, stamp, walk
from duretrieval.media.limits import Limits
from duretrieval.media.manifest import Row, read_manifest
from duretrieval.media.pool import DecoderPool
from duretrieval.media.signature import Kind, sniff

__all__ = [
    "Chunk",
    "Cursor",
    "DecoderPool",
    "Kind",
    "Limits",
    "Row",
    "Source",
    "decode",
    "digest",
    "read_manifest",
    "sniff",
    "stamp",
    "walk",
]
