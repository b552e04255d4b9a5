"""What docs/guide/from-ctypes.md shows beside the programs of the examples."""

from __future__ import annotations

import signal
import subprocess
import sys

import hotcell

DIRECT = """
import ctypes

libc = ctypes.CDLL("libc.so.6")
getattr(libc, "raise")(11)
print("never printed")
"""


def test_a_crash_by_ctypes_ends_the_program() -> None:
    done = subprocess.run([sys.executable, "-c", DIRECT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGSEGV, "")


def test_a_crash_is_an_exception() -> None:
    libc = hotcell.load("signal.h", lib="c")
    try:
        libc.call("raise", 11)
    except hotcell.Crashed as error:
        assert error.cause is not None and error.cause["signal"] == "SIGSEGV"
    assert libc.call("raise", 0) == 0  # another worker, and the same program
    assert libc.generation == 2


def test_a_deadline_ends_a_call() -> None:
    libc = hotcell.load("unistd.h", lib="c", deadline=0.2)
    try:
        libc.pause()
    except TimeoutError as error:
        assert isinstance(error, hotcell.Hung)
    assert libc.getppid() > 0 and libc.generation == 2


def test_many_calls_are_one() -> None:
    z = hotcell.load("zlib.h", lib="z")
    assert list(z.crc32.map(0, [b"a", b"b"])) == [0xE8B7BE43, 0x71BEEFF9]
    with z.pipeline() as calls:
        sums = [calls.send(z.crc32, 0, data) for data in (b"a", b"b")]
    assert [it.result() for it in sums] == [0xE8B7BE43, 0x71BEEFF9]
