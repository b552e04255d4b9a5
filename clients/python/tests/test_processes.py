"""Threads, signals, forks, and the end of Python."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from processes import children

import hotcell


def test_twenty_threads(grid: Any) -> None:
    def work(number: int) -> list[int]:
        return [grid.add(number, at) for at in range(200)]

    with ThreadPoolExecutor(20) as pool:
        for number, sums in enumerate(pool.map(work, range(20))):
            assert sums == [number + at for at in range(200)]


def test_other_threads_run_while_one_waits(load_grid: Any) -> None:
    with load_grid(deadline=5) as grid:
        counted, over = 0, threading.Event()

        def wait() -> None:
            with pytest.raises(hotcell.Hung):
                grid.hang()
            over.set()

        thread = threading.Thread(target=wait)
        thread.start()
        while not over.is_set():
            counted += 1
        thread.join()
        assert counted > 1000


def test_threads_that_call_each_other_s_way(grid: Any) -> None:
    """Callbacks take the lock of Python while other threads wait for the worker."""

    def work(number: int) -> int:
        return sum(grid.each(5, lambda value: grid.add(value, number)) for _ in range(20))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [20 * (15 + 5 * number) for number in range(8)]


def test_an_interrupt_ends_a_call(load_grid: Any) -> None:
    with load_grid(deadline=60) as grid:
        slow = grid.within(60)
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt) as raised:
            slow.hang()
        timer.join()
        assert isinstance(raised.value.__cause__, hotcell.Cancelled)
        assert grid.add(1, 2) == 3
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            slow.each(1_000_000_000, lambda value: 0)
        timer.join()
        assert grid.add(1, 2) == 3


def test_an_interrupt_ends_the_wait_for_a_turn(load_grid: Any) -> None:
    with load_grid(deadline=60) as grid:
        waits: list[Callable[[], Any]] = [
            lambda: grid.add(1, 2),
            lambda: grid.upper("text"),
            lambda: grid.add.map([1, 2], 3),
            lambda: grid.each(3, lambda value: 0),
            lambda: grid.pipeline().send(grid.add, 1, 2),
        ]
        for wait in waits:
            thread, over = hold_the_worker(grid)
            timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt) as raised:
                wait()
            timer.join()
            assert isinstance(raised.value.__cause__, hotcell.Cancelled)
            assert raised.value.__cause__.executed == "no" and thread.is_alive()
            over.set()
            thread.join()
        assert grid.add(1, 2) == 3 and grid.generation == 1


STARTS = """
#include <stdlib.h>
#include <unistd.h>
int one(void) { return 1; }
__attribute__((constructor)) static void start(void) { while (getenv("STARTS_FOR_EVER")) pause(); }
"""


@pytest.fixture
def starts(tmp_path: Path) -> Any:
    """A library that is loaded for ever where the environment says so."""
    (tmp_path / "starts.c").write_text(STARTS)
    (tmp_path / "starts.h").write_text("int one(void);")
    library = str(tmp_path / "libstarts.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, str(tmp_path / "starts.c")], check=True)
    with hotcell.load(tmp_path / "starts.h", lib=library) as starts:
        yield starts


def test_an_interrupt_ends_the_wait_for_a_worker(starts: Any) -> None:
    assert starts.one() == 1
    before = set(children(os.getpid()))

    def opens() -> None:
        with pytest.raises(KeyboardInterrupt) as raised:
            starts.open(environment={"STARTS_FOR_EVER": "1"}, start_deadline=3600)
        assert isinstance(raised.value.__cause__, hotcell.Cancelled)

    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    opens()
    timer.join()
    end = time.monotonic() + 20
    # Sessions of other tests, which the collector finds meanwhile, may end theirs.
    while set(children(os.getpid())) - before:
        assert time.monotonic() < end, "the worker goes on"
        time.sleep(0.05)
    assert starts.one() == 1
    with starts.open() as other:
        assert other.one() == 1


def hold_the_worker(grid: Any) -> tuple[threading.Thread, threading.Event]:
    """Another thread that is in a call, until it is told to end."""
    held, over = threading.Event(), threading.Event()

    def visit(value: int) -> int:
        held.set()
        assert over.wait(30)
        return 0

    thread = threading.Thread(target=lambda: grid.each(1, visit))
    thread.start()
    assert held.wait(30)
    return thread, over


def test_a_handler_may_call_the_library_that_its_thread_waits_for(load_grid: Any) -> None:
    with load_grid(deadline=60) as grid:
        thread, over = hold_the_worker(grid)
        made = []

        def handle(*_: Any) -> None:
            over.set()
            made.append(grid.add(1, 2))

        before = signal.signal(signal.SIGUSR1, handle)
        timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        try:
            timer.start()
            assert grid.add(3, 4) == 7 and made == [3]
        finally:
            timer.join()
            signal.signal(signal.SIGUSR1, before)
            thread.join()


def test_a_signal_that_raises_nothing_ends_nothing(load_grid: Any) -> None:
    heard = []
    before = signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
    try:
        with load_grid() as grid:
            timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGUSR1))
            timer.start()
            with pytest.raises(hotcell.Hung):
                grid.hang()
            timer.join()
        assert heard == [1]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_header_that_takes_all_memory_is_an_exception(
    grid: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTCELL_READER_MIB", "300")
    (tmp_path / "endless.h").write_text('#include "/dev/zero"\n')
    with pytest.raises(hotcell.LimitExceeded, match="endless.h` needs more than 300 MiB of memory, and was ended"):
        hotcell.load(tmp_path / "endless.h", lib="z")
    monkeypatch.delenv("HOTCELL_READER_MIB")
    (tmp_path / "deep.h").write_text(f"enum {{ NUMBER = {'- ' * 2_000_000} 1 }};\n")
    with pytest.raises(hotcell.LoadFailed, match="the compiler's parser crashed .SIG.*needs more than 1 GiB of stack"):
        hotcell.load(tmp_path / "deep.h", lib="z")
    assert grid.add(1, 2) == 3
    with hotcell.load("zlib.h", lib="z") as z:
        assert z.crc32(0, b"hello") == zlib.crc32(b"hello")


def in_child(run: Any) -> int:
    """Runs something in a forked child; its exit status."""
    child = os.fork()
    if child == 0:
        try:
            run()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001
            print(repr(error), file=sys.stderr)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_is_told_so_and_may_open_its_own(grid: Any) -> None:
    box = grid.box_new(1)

    def run() -> None:
        for call in [lambda: grid.add(1, 2), box.sum, lambda: grid.each(1, lambda value: value)]:
            with pytest.raises(hotcell.ForkedClient):
                call()
        box.release()
        with grid.open() as own:
            assert own.add(1, 2) == 3
        # Headers are read by a process of its own, for a child as well.
        with hotcell.load("zlib.h", lib="z") as z:
            assert z.crc32(0, b"hello") == zlib.crc32(b"hello")

    assert in_child(run) == 0
    assert grid.add(1, 2) == 3 and box.sum() == 0


def test_memory_of_a_session_is_not_the_child_s(grid: Any) -> None:
    buffer = grid.buffer(64)

    def child() -> None:
        with pytest.raises(BufferError, match="forked"):
            memoryview(buffer)

    assert in_child(child) == 0
    assert len(memoryview(buffer)) == 64


def add_in_fork(number: int) -> int:
    with shared["grid"].open() as own:
        return int(own.add(number, 1))


def add_in_spawn(number: int) -> int:
    with hotcell.load("zlib.h", lib="z") as z:
        return int(z.crc32(number, b"a"))


shared: dict[str, Any] = {}


def test_multiprocessing(grid: Any) -> None:
    shared["grid"] = grid
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(add_in_fork, range(4)).get(timeout=60) == [1, 2, 3, 4]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        sums = pool.map_async(add_in_spawn, range(2)).get(timeout=60)
    assert sums == [zlib.crc32(b"a", number) for number in range(2)]


def program(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-X", "dev", "-c", text]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_python_ends_with_open_objects() -> None:
    done = program(
        """
import hotcell, threading
z = hotcell.load("zlib.h", lib="z")
print(z.worker_pid, flush=True)
class Late:
    def __del__(self):
        print(z.crc32(0, b"hello"), flush=True)
late = Late()
cycle = [late, z]
cycle.append(cycle)
"""
    )
    assert done.returncode == 0, done.stderr
    assert "Fatal" not in done.stderr
    pid = int(done.stdout.split()[0])
    for _ in range(100):
        if not os.path.exists(f"/proc/{pid}"):
            return
        time.sleep(0.05)
    raise AssertionError("the worker lives on")


def test_python_ends_while_a_thread_waits() -> None:
    done = program(
        """
import hotcell, threading, time
z = hotcell.load("zlib.h", lib="z")
def work():
    while True:
        z.crc32(0, bytes(1000))
threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
"""
    )
    assert done.returncode == 0, done.stderr


def resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_nothing_is_left_behind(grid: Any) -> None:
    """A reference that is kept in each call would be seen in its count, or in megabytes."""
    big, text, numbers = bytes(5000), "x" * 5000, [1, 2, 3]
    room = bytearray(100)

    def once() -> None:
        grid.checksum(big)
        grid.length(text)
        grid.total(numbers)
        grid.fill(room, 50)
        grid.reverse(big)
        grid.add(a=70000, b=80000)
        grid.add.map([100000], 1)
        grid.upper(text[:100])
        box = grid.box_new(1)
        box.put(1)
        bound = box.sum
        bound()
        grid.each(1, lambda value: value)
        grid.norm({"x": 1.0})
        wrongs: list[Callable[[], Any]]
        wrongs = [lambda: grid.add(1, "x"), lambda: grid.length("a\0"), lambda: grid.check(3)]
        for wrong in wrongs:
            with pytest.raises(Exception):
                wrong()

    function, box_type = grid.__dict__["checksum"], type(grid.box_new(1))

    def counts() -> list[int]:
        function = grid.__dict__["checksum"]
        # What was caught holds its frames, and those what they had, until cycles are collected.
        gc.collect()
        return [sys.getrefcount(it) for it in (big, text, numbers, room, type(function), box_type)]

    for _ in range(300):
        once()
    before, memory = counts(), resident()
    for _ in range(1500):
        once()
    assert [now - then for then, now in zip(before, counts(), strict=True)] == [0] * len(before)
    assert resident() - memory < 4 << 20


def test_calls_are_awaited(grid: Any) -> None:
    async def run() -> None:
        assert await grid.aio.add(1, 2) == 3
        sums = await asyncio.gather(*(grid.aio.add(number, 1) for number in range(50)))
        assert sums == list(range(1, 51))
        with pytest.raises(hotcell.Crashed):
            await grid.aio.abort()
        with pytest.raises(OverflowError):
            await grid.aio.i8(1000)
        box = await grid.aio.box_new(3)
        await box.aio.put(5)
        assert await box.aio.sum() == 5
        assert await grid.aio.checksum(data=b"abc") == grid.checksum(b"abc")
        task = asyncio.ensure_future(grid.within(1).aio.hang())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await grid.aio.add(2, 2) == 4

    asyncio.run(run())
    with pytest.raises(RuntimeError, match="no running event loop"):
        grid.aio.add(1, 2)
