"""How programs of `hotcell bench` answer: a line of JSON asks for a figure, a line has the nanoseconds of a call."""

import json
import os
import statistics
import sys
import threading
import time
import traceback
from itertools import repeat

# The folder with the library, as it is called directly.
LIBRARY = sys.argv[1] if len(sys.argv) > 1 else ""

# How long calls go on before they are measured: until both sides run where they stay.
WARM = 0.02

CALLBACKS = 1000
ROWS = 10_000
DATA = bytes([0x5A]) * 1024

# What the calls give, by the library's own description.
SUM = 3
CRC = 0xA9DA8AA6
EACH = sum(number // 2 for number in range(CALLBACKS))


class LeftOut(Exception):
    """This machine cannot have the figures of a program."""


answers = None


def tell(**answer):
    print(json.dumps(answer), file=answers, flush=True)


def serve(about, figures):
    """Answers until there is nobody to answer. `about` tells what is measured, or raises `LeftOut`."""
    global answers
    # What others print is not an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        tell(about=about())
    except LeftOut as reason:
        tell(left_out=str(reason))
        return
    for line in iter(sys.stdin.readline, ""):
        ask = json.loads(line)
        try:
            tell(nanoseconds=figures[ask["figure"]](ask))
        except Exception:  # noqa: BLE001
            tell(failed=traceback.format_exc())


def measure(ask, block, *, each=1, worker=None):
    """Nanoseconds of a call, in the block in the middle: the clock is read between blocks only."""
    pin(ask, worker)
    calls = ask["calls"]
    end = time.perf_counter() + WARM
    block(calls)
    while time.perf_counter() < end:
        block(calls)
    samples = []
    started = time.perf_counter_ns()
    end = started + ask["seconds"] * 1e9
    for _ in range(ask["blocks"]):
        block(calls)
        now = time.perf_counter_ns()
        samples.append((now - started) / calls)
        if now >= end:
            break
        started = now
    return statistics.median(samples) / each


def two(call, first, second):
    """Blocks of calls with two arguments, written out: what passes arguments on would cost more than a call."""

    def block(calls):
        function, a, b = call, first, second
        for _ in repeat(None, calls):
            function(a, b)

    return block


def three(call, first, second, third):
    """The same with three."""

    def block(calls):
        function, a, b, c = call, first, second, third
        for _ in repeat(None, calls):
            function(a, b, c)

    return block


def check(found, expected):
    """A figure of wrong results is none."""
    if found != expected:
        raise AssertionError(f"a call gave {found!r} instead of {expected!r}")


def pin(ask, worker):
    """Has this thread, and a worker, put where the figure says, until it is answered."""
    if ask["near"] is None:
        return
    tell(thread=threading.get_native_id(), worker=worker)
    if not json.loads(sys.stdin.readline())["pinned"]:
        raise RuntimeError("it may not be pinned")
