"""The program beside this folder without Hotcell: zlib in this process, by ctypes."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_ulong, c_void_p

zlib = ctypes.CDLL("libz.so.1")

BEST_COMPRESSION, NO_FLUSH, FINISH, STREAM_END = 9, 0, 4, 1
PIECE = 16 << 10


class ZStream(ctypes.Structure):
    """Copied from zlib.h by hand. A field too few, and zlib writes behind the end of it."""

    _fields_ = [
        ("next_in", c_void_p),
        ("avail_in", c_uint),
        ("total_in", c_ulong),
        ("next_out", c_void_p),
        ("avail_out", c_uint),
        ("total_out", c_ulong),
        ("msg", c_char_p),
        ("state", c_void_p),
        ("zalloc", c_void_p),
        ("zfree", c_void_p),
        ("opaque", c_void_p),
        ("data_type", c_int),
        ("adler", c_ulong),
        ("reserved", c_ulong),
    ]


# Without these lines ctypes takes every argument and result for an `int`: what is longer is cut off.
zlib.crc32.argtypes, zlib.crc32.restype = [c_ulong, c_char_p, c_uint], c_ulong
zlib.zlibVersion.restype = c_char_p
zlib.zError.argtypes, zlib.zError.restype = [c_int], c_char_p
zlib.uncompress.argtypes = [c_void_p, POINTER(c_ulong), c_char_p, c_ulong]
zlib.deflateInit_.argtypes = [POINTER(ZStream), c_int, c_char_p, c_int]
zlib.deflate.argtypes = [POINTER(ZStream), c_int]
zlib.deflateEnd.argtypes = [POINTER(ZStream)]


class ZlibError(Exception):
    def __init__(self, function: str, code: int) -> None:
        super().__init__(f"zlib: {function}: LibraryError: {zlib.zError(code).decode()} (code {code})")


def checked(function: str, code: int) -> int:
    if code < 0:
        raise ZlibError(function, code)
    return code


def uncompress(length: int, packed: bytes) -> bytes:
    out, size = ctypes.create_string_buffer(length), c_ulong(length)
    checked("uncompress", zlib.uncompress(out, byref(size), packed, len(packed)))
    return out.raw[: size.value]


def deflate(data: bytes) -> bytes:
    """Compresses data in pieces, as if it came from a socket."""
    packed = bytearray()
    stream = ZStream()
    version, size = zlib.zlibVersion(), ctypes.sizeof(ZStream)
    checked("deflateInit_", zlib.deflateInit_(byref(stream), BEST_COMPRESSION, version, size))
    try:
        out = ctypes.create_string_buffer(PIECE)
        for start in range(0, len(data), PIECE):
            flush = NO_FLUSH if start + PIECE < len(data) else FINISH
            # zlib keeps these addresses: both buffers have to stay where they are, and alive.
            piece = ctypes.create_string_buffer(data[start : start + PIECE], min(PIECE, len(data) - start))
            stream.next_in, stream.avail_in = ctypes.addressof(piece), len(piece)
            while True:
                stream.next_out, stream.avail_out = ctypes.addressof(out), PIECE
                status = checked("deflate", zlib.deflate(byref(stream), flush))
                packed += out.raw[: PIECE - stream.avail_out]
                if status == STREAM_END or (flush == NO_FLUSH and stream.avail_out > 0):
                    break
    finally:
        zlib.deflateEnd(byref(stream))
    return bytes(packed)


def log() -> bytes:
    """Lines as a service writes them."""
    lines = (
        f"{request:05} GET /catalogue/items/{request % 97} 200 {request * 7 % 31} ms\n" for request in range(5_000)
    )
    return "".join(lines).encode()


def main() -> None:
    data = log()
    print(f"a log of {len(data)} bytes, checksum {zlib.crc32(0, data, len(data)):08x}")

    packed = bytearray(deflate(data))
    print(f"smaller than a third: {str(len(packed) * 3 < len(data)).lower()}")

    restored = uncompress(len(data), bytes(packed))
    print(f"restored: {str(restored == data).lower()}")

    packed[100] ^= 0xFF
    try:
        uncompress(len(data), bytes(packed))
        print("taken for intact")
    except ZlibError as error:
        print(f"damaged: {error}")


if __name__ == "__main__":
    main()
