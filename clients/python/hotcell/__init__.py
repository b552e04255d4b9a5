"""Call any C library: a crash on the C side is an exception, and the next call works.

    import hotcell

    z = hotcell.load("zlib.h", lib="z")
    z.crc32(0, b"hello")

A generated package (`hotcell gen bind.toml --lang python --out DIR`) gives the same with types and documentation.
"""

from hotcell import errors
from hotcell._error import Frame
from hotcell._load import load
from hotcell._native import Buffer, Coming, Library, Object, Pipeline, Restorable, __version__
from hotcell._structs import Struct
from hotcell._types import Options
from hotcell.errors import *  # noqa: F403

__all__ = [
    "Buffer",
    "Coming",
    "Frame",
    "Library",
    "Object",
    "Options",
    "Pipeline",
    "Restorable",
    "Struct",
    "__version__",
    "errors",
    "load",
    *errors.__all__,
]
