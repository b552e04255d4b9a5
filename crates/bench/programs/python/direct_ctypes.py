"""The measured library in this process, through ctypes, with the types of arguments and results set."""

import ctypes
import platform
from pathlib import Path

from program import CALLBACKS, CRC, DATA, EACH, LIBRARY, SUM, check, measure, serve, three, two

VISIT = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int32)


def load(folder):
    """The library, as a program of ctypes has it."""
    library = ctypes.CDLL(str(Path(folder, "libhotcell_measured.so")))
    library.measured_add.argtypes = [ctypes.c_int, ctypes.c_int]
    library.measured_add.restype = ctypes.c_int
    library.measured_crc32.argtypes = [ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t]
    library.measured_crc32.restype = ctypes.c_uint32
    library.measured_each.argtypes = [ctypes.c_int32, VISIT, ctypes.c_void_p]
    library.measured_each.restype = ctypes.c_int64
    return library


def add(ask):
    call = load(LIBRARY).measured_add
    check(call(1, 2), SUM)
    return measure(ask, two(call, 1, 2))


def crc32(ask):
    call = load(LIBRARY).measured_crc32
    check(call(0, DATA, len(DATA)), CRC)
    return measure(ask, three(call, 0, DATA, len(DATA)))


def callback(ask):
    call, visit = load(LIBRARY).measured_each, VISIT(lambda _, number: number // 2)
    check(call(CALLBACKS, visit, None), EACH)
    return measure(ask, three(call, CALLBACKS, visit, None), each=CALLBACKS)


if __name__ == "__main__":
    serve(
        lambda: f"{platform.python_implementation()} {platform.python_version()}",
        {"add": add, "crc32.1k": crc32, "callback": callback},
    )
