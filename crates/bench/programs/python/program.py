"""How programs of `hotcell bench` answer: a line of JSON asks for a figure, a line has the nanoseconds of a call."""

import json
import os
import statistics
import sys
import time
import traceback
from contextlib import contextmanager
from itertools import repeat

# The folder with the library, as it is called directly.
LIBRARY = sys.argv[1] if len(sys.argv) > 1 else ""

CALLBACKS = 1000
ROWS = 10_000
DATA = bytes([0x5A]) * 1024

# What the calls give, by the library's own description.
SUM = 3
CRC = 0xA9DA8AA6
EACH = sum(number // 2 for number in range(CALLBACKS))


class LeftOut(Exception):
    """This machine cannot have the figures of a program."""


def serve(about, figures):
    """Answers until there is nobody to answer. `about` tells what is measured, or raises `LeftOut`."""
    # What others print is not an answer.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(**answer):
        print(json.dumps(answer), file=out, flush=True)

    try:
        tell(about=about())
    except LeftOut as reason:
        tell(left_out=str(reason))
        return
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            tell(nanoseconds=figures[ask["figure"]](ask))
        except Exception:  # noqa: BLE001
            tell(failed=traceback.format_exc())


def measure(ask, block, each=1):
    """Nanoseconds of a call, in the block in the middle: the clock is read between blocks only."""
    calls = ask["calls"]
    # Caches and pages first.
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


@contextmanager
def pinned(ask, process=None):
    """This thread on the CPU of who calls, and all threads of a process on that of who answers, where the figure says so."""
    if ask["near"] is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {ask["near"]})
    try:
        if ask["far"] is not None and process is not None:
            for thread in os.listdir(f"/proc/{process}/task"):
                os.sched_setaffinity(int(thread), {ask["far"]})
        yield
    finally:
        os.sched_setaffinity(0, before)
