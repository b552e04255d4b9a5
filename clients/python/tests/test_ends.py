"""The end of Python, while threads of the runtime and threads that it does not wait for are at work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONTRACT = Path(__file__).parents[3] / "clients/conformance/grid/bind.toml"

BEGIN = """
import asyncio, sys, threading, time
import hotcell
grid = hotcell.load(sys.argv[1], library_dirs=[sys.argv[2]], deadline=50)
told = []

def tell(number):
    told.append(number)
    return [0 for _ in range(500)][0]

def until_told():
    end = time.monotonic() + 30
    while len(told) < 20 and time.monotonic() < end:
        time.sleep(0.01)
    print(len(told) >= 20, flush=True)

def beside(work):
    threading.Thread(target=work, daemon=True).start()
"""

AWAITED = """
async def run():
    return await grid.aio.add(1, 2)
print(asyncio.run(run()))
"""

AWAITED_IN_THREADS = """
async def run():
    while True:
        told.append(await grid.aio.add(1, 2))
for _ in range(3):
    beside(lambda: asyncio.run(run()))
until_told()
"""

CALLBACKS_IN_THREADS = """
for _ in range(3):
    beside(lambda: grid.each(1_000_000_000, tell))
until_told()
"""

ERRORS_IN_THREADS = """
def run():
    while True:
        try:
            grid.check(3)
        except hotcell.Error:
            told.append(1)
def maps():
    while True:
        grid.add.map(list(range(3000)), 1)
def objects():
    while True:
        grid.box_new(3).put(4)
for work in (run, maps, objects):
    beside(work)
until_told()
"""

CONVERSIONS_IN_THREADS = """
class Number:
    def __index__(self):
        tell(1)
        return 7
    def __float__(self):
        tell(1)
        return 0.5
class Several:
    def __iter__(self):
        tell(1)
        yield 1
class Fields(dict):
    def items(self):
        tell(1)
        return super().items()
def numbers():
    while True:
        grid.add(Number(), 1)
        grid.f64(Number())
        grid.add.map([Number()] * 10, 1)
def lists():
    while True:
        grid.total(Several())
def structures():
    while True:
        grid.norm(Fields(x=1.0))
for work in (numbers, lists, structures):
    beside(work)
until_told()
"""

SESSIONS_IN_THREADS = """
def opens():
    while True:
        with grid.open() as other:
            # A start takes its time where a machine is busy.
            told.extend([other.add(1, 2)] * 10)
def loads():
    while True:
        hotcell.load(sys.argv[1], library_dirs=[sys.argv[2]]).close()
for work in (opens, loads):
    beside(work)
until_told()
"""

KEPT = """
box = grid.box_new(4)
box.listen(tell)
beside(lambda: box.tell(1_000_000))
until_told()
"""

KEPT_AND_AWAITED = """
box = grid.box_new(4)
box.listen(tell)
async def run():
    task = asyncio.ensure_future(box.aio.tell(1_000_000))
    await asyncio.to_thread(until_told)
asyncio.run(run())
"""

KEPT_AND_SLOW = """
box = grid.box_new(4)
def changed(sum):
    told.extend(range(20))
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        pass
    print("through", flush=True)
box.watch(changed)
async def run():
    task = asyncio.ensure_future(box.aio.put(1))
    await asyncio.to_thread(until_told)
asyncio.run(run())
"""

LATE = """
import atexit
def late():
    try:
        asyncio.run(run())
    except RuntimeError as error:
        print(error)
atexit.register(late)
"""


def ends(text: str, folder: Path) -> str:
    """What a program printed, which has ended as it should."""
    command = [sys.executable, "-P", "-c", text, str(CONTRACT), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    assert "Fatal" not in done.stderr and "panicked" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("last", ["", "grid.close()"])
def test_python_ends_right_after_awaited_calls(grid_folder: Path, last: str) -> None:
    """The thread that told the loop was still in Python then, and was ended there, in some of ten programs."""
    for _ in range(10):
        assert ends(BEGIN + AWAITED + last, grid_folder) == "3\n"


@pytest.mark.parametrize("work", [AWAITED_IN_THREADS, CALLBACKS_IN_THREADS, ERRORS_IN_THREADS])
def test_python_ends_while_threads_are_at_work(grid_folder: Path, work: str) -> None:
    for _ in range(5):
        assert ends(BEGIN + work, grid_folder) == "True\n"


@pytest.mark.parametrize("work", [CONVERSIONS_IN_THREADS, SESSIONS_IN_THREADS])
def test_python_ends_while_threads_are_in_arguments_and_sessions(grid_folder: Path, work: str) -> None:
    for _ in range(5):
        assert ends(BEGIN + work, grid_folder) == "True\n"


@pytest.mark.parametrize("work", [KEPT, KEPT_AND_AWAITED])
def test_python_ends_while_the_library_calls_it(grid_folder: Path, work: str) -> None:
    for _ in range(5):
        assert ends(BEGIN + work, grid_folder) == "True\n"


def test_the_end_waits_for_a_callback_that_runs(grid_folder: Path) -> None:
    assert sorted(ends(BEGIN + KEPT_AND_SLOW, grid_folder).split()) == ["True", "through"]


def test_no_call_is_awaited_once_python_ends(grid_folder: Path) -> None:
    # What was registered first runs last.
    assert ends(LATE + BEGIN + AWAITED, grid_folder) == "3\nadd() cannot be awaited: Python is ending\n"
