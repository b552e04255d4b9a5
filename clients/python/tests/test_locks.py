"""Nobody waits for Python's lock who need not, nothing is kept for ever, and what a callback raised is heard."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import hotcell

RELEASED = """
import faulthandler, sys, threading, time, hotcell
grid = hotcell.load(sys.argv[1], library_dirs=[sys.argv[2]])
box = grid.box_new(3)
box.release()
faulthandler.dump_traceback_later(20, exit=True)
sys.setswitchinterval(1e-6)
end, told = time.monotonic() + 2, [0] * 3

def work(number):
    while time.monotonic() < end:
        try:
            box.sum()
        except hotcell.StaleHandle:
            told[number] += 1

threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert all(told), told
"""


def test_threads_may_use_an_object_that_was_released(grid_folder: Path) -> None:
    contract = Path(__file__).parents[2] / "conformance/grid/bind.toml"
    command = [sys.executable, "-P", "-c", RELEASED, str(contract), str(grid_folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def longest_gap() -> Iterator[list[float]]:
    """How long another thread of Python did not run at most."""
    gaps, over = [0.0], threading.Event()

    def tick() -> None:
        last = time.monotonic()
        while not over.is_set():
            time.sleep(0.005)
            now = time.monotonic()
            gaps[0], last = max(gaps[0], now - last), now

    thread = threading.Thread(target=tick)
    thread.start()
    yield gaps
    over.set()
    thread.join()


def test_other_threads_run_while_an_object_is_released(slow: Any) -> None:
    node: Any = slow.node_new()
    with longest_gap() as gaps:
        began = time.monotonic()
        del node
        assert time.monotonic() - began > 0.8  # the library took its second
    assert gaps[0] < 0.6


def test_an_object_keeps_its_place_in_a_set(grid: Any) -> None:
    box = grid.box_new(1)
    places = {box: 1}
    box.release()
    assert places.pop(box) == 1
    other = grid.box_new(1)
    other.release()
    assert hash(other) == hash(other)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_callback_is_not_lost(slow: Any, kind: type[BaseException]) -> None:
    def visit(value: int) -> int:
        raise kind

    with pytest.raises(kind) as raised:
        slow.within(0.5).each(visit)
    assert isinstance(raised.value.__cause__, hotcell.Hung)

    def fail(value: int) -> int:
        raise LookupError(value)

    with pytest.raises(hotcell.Hung) as hung:
        slow.within(0.5).each(fail)
    assert isinstance(hung.value.__context__, LookupError)


def freed(make: Callable[[], weakref.ref[Any]]) -> bool:
    watched = make()
    gc.collect()
    return watched() is None


def test_cycles_through_functions_are_found(load_grid: Any) -> None:
    def of_aio() -> weakref.ref[Any]:
        grid = load_grid()
        grid.own = grid.aio
        return weakref.ref(grid)

    def of_aio_function() -> weakref.ref[Any]:
        grid = load_grid()
        grid.own = grid.aio.add
        grid.other = [grid.own, grid]
        return weakref.ref(grid)

    def of_method() -> weakref.ref[Any]:
        grid = load_grid()
        box = grid.box_new(1)

        class Holder(type(box)):  # type: ignore[misc]
            """Has a dictionary."""

        point = grid.type("Point")()
        point.x = box.sum
        holder = Holder()
        holder.box, holder.put = box, type(box).put.__get__(holder)
        return weakref.ref(holder)

    assert freed(of_aio)
    assert freed(of_aio_function)
    assert freed(of_method)


class Local:
    """Lives as long as the frame that has it."""


def test_what_a_kept_callback_raised_comes_out_of_its_call_alone(grid: Any) -> None:
    box = grid.box_new(9)
    seen: list[weakref.ref[Local]] = []

    def fail(total: int) -> None:
        local = Local()
        seen.append(weakref.ref(local))
        raise LookupError(total)

    box.watch(fail)
    with pytest.raises(LookupError, match="1"):
        box.put(1)

    async def run() -> None:
        with pytest.raises(LookupError, match="3"):
            await box.aio.put(2)
        # Of two at a time each has its own.
        made = await asyncio.gather(box.aio.put(1), box.aio.put(1), return_exceptions=True)
        assert sorted(error.args[0] for error in made if isinstance(error, LookupError)) == [4, 5]

    asyncio.run(run())
    assert len(seen) == 4
    # The thread that tells a loop what came lets go of it a moment later.
    end = time.monotonic() + 30
    while any(it() is not None for it in seen) and time.monotonic() < end:
        time.sleep(0.01)
        gc.collect()
    assert [it for it in seen if it() is not None] == []
    with pytest.raises(hotcell.Error) as raised:
        grid.each(1, lambda value: "no number")
    assert not isinstance(raised.value.__context__, LookupError)


def test_a_map_hears_signals(grid: Any) -> None:
    import signal

    numbers = list(range(3_000_000))
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            grid.add.map(numbers, 1)
            raise AssertionError(f"all rows went in {time.monotonic() - began} s")
    finally:
        timer.join()


def test_truth_values_are_ones_and_zeros(grid: Any) -> None:
    from array import array

    with pytest.raises(OverflowError):
        grid.bool.map(array("B", [2, 1]))
    others = memoryview(bytearray([0, 1, 2, 255])).cast("?")
    assert list(grid.bool.map(others)) == [False, True, True, True]


def test_names_that_clash(slow: Any) -> None:
    assert slow.slow_match(3) == slow.slow_match(self_=3) == 3
    assert slow.sum(slow.type("Pair")(self_=1, library_=2)) == 3
    stream = slow.type("Stream")(slow)
    stream.init()
    assert (stream.end, callable(stream.end_)) == (5, True)
    stream.end_()
