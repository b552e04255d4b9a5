"""Calls in flight."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import hotcell


def test_calls_are_sent_before_their_results_are_taken(grid: Any) -> None:
    with grid.pipeline() as calls:
        sums = [calls.send(grid.add, number, b=1) for number in range(30)]
        text = calls.send(grid.upper, "grün")
        data = calls.send(grid.fill, 16, 3)
        assert 0 < calls.in_flight <= 8
        assert text.result() == grid_of_its_own(grid, "upper", "grün")
        # In any order, and as often as one likes.
        assert [it.result() for it in reversed(sums)] == list(range(30, 0, -1))
        assert sums[3].result() == 4
        assert repr(sums[3]) == "<hotcell result of add(), done>"
    assert calls.in_flight == 0
    assert data.result() == grid.fill(16, 3)


def grid_of_its_own(grid: Any, name: str, *args: Any) -> Any:
    """What a call by itself gives, in another session: that of a thread with calls in flight is refused."""
    with grid.open() as other:
        return getattr(other, name)(*args)


def test_objects_go_through_a_pipeline(grid: Any) -> None:
    with grid.pipeline() as calls:
        made = calls.send(grid.box_new, 5)
        box = made.result()
        put = [calls.send(box.put, number) for number in (2, 3)]
        total = calls.send(box.sum)
        assert [it.result() for it in put] == [None, None] and total.result() == 5
    box.release()
    with grid.pipeline() as calls, pytest.raises(hotcell.StaleHandle):
        calls.send(box.sum)


def test_each_call_fails_for_itself(load_grid: Any) -> None:
    patience = time.monotonic() + 60
    while not each_fails_for_itself(load_grid):
        assert time.monotonic() < patience, "no call is sent before the crash in front of it is known"


def each_fails_for_itself(load_grid: Any) -> bool:
    """Whether the last call was on its way when the one in front of it crashed, and not sent to the next worker."""
    with load_grid() as grid:
        with grid.pipeline() as calls:
            first = calls.send(grid.check, 0)
            refused = calls.send(grid.check, 2)
            crash = calls.send(grid.crash)
            behind = calls.send(grid.add, 1, 2)
            with pytest.raises(hotcell.LibraryError) as error:
                refused.result()
            assert error.value.library_code == 2
            assert first.result() is None
            with pytest.raises(hotcell.Crashed):
                crash.result()
            told = [sum_or_loss(behind) for _ in range(2)]
            assert calls.send(grid.add, 1, 2).result() == 3
        assert grid.generation == 2
    assert told in ([3, 3], ["maybe", "maybe"])
    return bool(told[0] != 3)


def sum_or_loss(call: Any) -> Any:
    """What it gave, or whether it was executed when its worker was lost."""
    try:
        return call.result()
    except hotcell.WorkerLost as lost:
        return lost.executed


def test_a_thread_with_calls_in_flight_has_the_worker(grid: Any) -> None:
    calls = grid.pipeline()
    coming = calls.send(grid.add, 1, 2)
    with pytest.raises(hotcell.Unavailable, match="not finished"):
        grid.add(3, 4)
    calls.settle()
    assert grid.add(3, 4) == 7 and coming.result() == 3
    told: list[Any] = []

    def elsewhere() -> None:
        for use in (lambda: calls.send(grid.add, 1, 2), calls.settle, coming_later.result):
            try:
                use()
            except RuntimeError as error:
                told.append(str(error))

    coming_later = calls.send(grid.add, 5, 6)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(told) == 3 and all("belongs to the thread" in text for text in told)
    assert coming_later.result() == 11


def test_an_interrupt_gives_up_what_is_in_flight(load_grid: Any) -> None:
    with load_grid(deadline=60) as grid:
        calls = grid.within(60).pipeline()
        hangs, behind = calls.send(grid.hang), calls.send(grid.add, 1, 2)
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt) as raised:
            hangs.result()
        timer.join()
        assert isinstance(raised.value.__cause__, hotcell.Cancelled)
        with pytest.raises(hotcell.Error):
            behind.result()
        # Again it is the call's own error, and the pipeline goes on with others.
        with pytest.raises(hotcell.Cancelled):
            hangs.result()
        assert calls.send(grid.add, 1, 2).result() == 3
        assert grid.add(1, 2) == 3


@contextmanager
def interrupted_soon() -> Iterator[None]:
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        yield
    timer.join()


def test_an_interrupt_comes_out_of_settle_and_of_the_end_of_a_with(load_grid: Any) -> None:
    with load_grid(deadline=60) as grid:
        calls = grid.within(60).pipeline()
        sent = [calls.send(grid.add, 1, 2), calls.send(grid.check, 2), calls.send(grid.hang)]
        with interrupted_soon():
            calls.settle()
        # It was of none of them alone.
        assert sent[0].result() == 3
        for it, kind in ((sent[1], hotcell.LibraryError), (sent[2], hotcell.Cancelled)):
            with pytest.raises(kind):
                it.result()
        assert calls.in_flight == 0 and calls.send(grid.add, 1, 2).result() == 3
        with interrupted_soon(), grid.within(60).pipeline() as calls:
            calls.send(grid.hang)
        assert grid.add(1, 2) == 3


def test_a_pipeline_that_is_dropped_in_flight_gives_the_interrupt_back(load_grid: Any) -> None:
    with load_grid(deadline=60) as grid:
        calls = grid.within(60).pipeline()
        calls.send(grid.hang)
        with interrupted_soon():
            del calls
            time.sleep(0)
        assert grid.add(1, 2) == 3


def is_gone(process: int) -> bool:
    """Whether a process ends that nobody needs any more."""
    until = time.monotonic() + 20
    while os.path.exists(f"/proc/{process}"):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def in_thread(run: Any) -> Any:
    """What a thread gives that ends then."""
    given = []
    thread = threading.Thread(target=lambda: given.append(run()))
    thread.start()
    thread.join()
    return given.pop()


def result_behind_its_thread(coming: Any) -> Any:
    """The result of a call that was in flight as its thread ended: that ends a moment after Python has said so."""
    until = time.monotonic() + 20
    while True:
        try:
            return coming.result()
        except RuntimeError:
            assert time.monotonic() < until
            time.sleep(0.01)


def test_results_outlive_their_thread_and_the_worker_does_not_outlive_its_session(load_grid: Any) -> None:
    grid = load_grid()
    process = grid.worker_pid

    def settled() -> Any:
        with grid.pipeline() as calls:
            return [calls.send(grid.add, number, 1) for number in range(3)]

    def in_flight() -> Any:
        calls = grid.pipeline()
        return [calls.send(grid.add, number, 2) for number in range(3)]

    assert [it.result() for it in in_thread(settled)] == [1, 2, 3]
    assert [result_behind_its_thread(it) for it in in_thread(in_flight)] == [2, 3, 4]
    grid.close()
    assert is_gone(process)


def test_what_another_thread_drops_in_flight_its_own_lets_go_of(load_grid: Any) -> None:
    grid = load_grid()
    process = grid.worker_pid
    held: list[Any] = []
    sent, dropped = threading.Event(), threading.Event()

    def send_and_call() -> Any:
        calls = grid.pipeline()
        held.extend([calls, calls.send(grid.add, 1, 2)])
        del calls
        sent.set()
        assert dropped.wait(30)
        return grid.add(3, 4)

    given: list[Any] = []
    thread = threading.Thread(target=lambda: given.append(send_and_call()))
    thread.start()
    assert sent.wait(30)
    held.clear()
    dropped.set()
    thread.join()
    assert given == [7]
    grid.close()
    assert is_gone(process)


def test_the_collector_finds_what_a_failed_result_holds(grid: Any) -> None:
    class Local:
        pass

    def fails() -> Any:
        local = Local()
        with grid.pipeline() as calls:
            coming = calls.send(grid.check, 2)
        with pytest.raises(hotcell.LibraryError):
            coming.result()
        return weakref.ref(local), weakref.ref(coming)

    held = fails()
    gc.collect()
    assert [it() for it in held] == [None, None]


def test_what_kept_callbacks_raise_comes_out_of_their_calls(grid: Any) -> None:
    box = grid.box_new(3)

    def fail(total: int) -> None:
        if total != 3:
            raise LookupError(f"the sum is {total}")

    box.watch(fail)
    with grid.pipeline() as calls:
        puts = [calls.send(box.put, number) for number in (1, 2, 9)]
        for at, total in ((2, 12), (0, 1)):
            with pytest.raises(LookupError, match=f"the sum is {total}$"):
                puts[at].result()
        assert puts[1].result() is None
    held = weakref.ref(fail)
    box.release()
    del box, fail, calls, puts
    assert grid.add(1, 1) == 2
    gc.collect()
    assert held() is None


def test_what_kept_callbacks_raise_is_told_apart_by_what_it_is(grid: Any) -> None:
    box, raised = grid.box_new(4), []

    def fail(total: int) -> None:
        raised.append(SystemExit(7) if total == 6 else ValueError())
        raise raised[-1]

    box.watch(fail)
    with grid.pipeline() as calls:
        puts = [calls.send(box.put, 1), calls.send(box.put, 1)]
    for at in (1, 0):
        with pytest.raises(ValueError) as error:
            puts[at].result()
        assert error.value is raised[at]
    # What ends a program does not wait until somebody asks for its call.
    with pytest.raises(SystemExit), grid.pipeline() as calls:
        calls.send(box.put, 4)
    box.release()


def test_what_cannot_be_in_a_pipeline_says_so(grid: Any, load_grid: Any) -> None:
    calls = grid.pipeline()
    with load_grid() as other:
        refused: list[tuple[Callable[[], Any], type[Exception], str]] = [
            (lambda: calls.send(grid.each, 3, print), TypeError, "each.. cannot be in a pipeline"),
            (lambda: calls.send(grid.add.map, [1], 2), TypeError, "cannot be in a pipeline"),
            (lambda: calls.send(zlib.crc32, b""), TypeError, "takes a function of a library, not"),
            (lambda: calls.send(other.add, 1, 2), ValueError, "of another session"),
            (lambda: calls.send(grid.add, 1), TypeError, "misses b"),
            (lambda: calls.send(grid.add, 1, 1 << 40), OverflowError, "`b`"),
            (lambda: calls.send(grid.fill, bytearray(4), 2), ValueError, "pass a size"),
        ]
        for send, kind, expect in refused:
            with pytest.raises(kind, match=expect):
                send()
    assert calls.in_flight == 0 and grid.add(1, 2) == 3
