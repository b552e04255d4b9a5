"""Objects that are made anew when their worker has ended."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

import hotcell


def crash(grid: Any) -> None:
    with pytest.raises(hotcell.Crashed):
        grid.abort()


def test_only_objects_of_such_types_say_so(grid: Any) -> None:
    counter, box = grid.counter_new("first", 1), grid.box_new(1)
    assert isinstance(counter, hotcell.Restorable) and not isinstance(box, hotcell.Restorable)
    assert counter.restored == 0
    assert "grid_counter_new" in (type(counter).__doc__ or "")
    assert not hasattr(box, "restored") and not hasattr(box, "restore")
    # A subclass of a class in Rust has its collector and its references, too.
    watched = weakref.ref(counter)
    del counter
    gc.collect()
    assert watched() is None


def test_what_does_not_wait_makes_none_anew_and_is_told_so(grid: Any) -> None:
    counter = grid.counter_new("first", 10)
    same = counter.within(5.0)
    assert same == counter and type(same) is type(counter)

    def awaited() -> Any:
        async def next() -> Any:
            return await counter.aio.next()

        return asyncio.run(next())

    def sent() -> Any:
        with grid.pipeline() as calls:
            return calls.send(counter.next).result()

    for call in (awaited, sent):
        crash(grid)
        before = counter.restored
        with pytest.raises(hotcell.StaleHandle):
            call()
        assert counter.restored == before
        same.restore()
        assert counter.restored == same.restored == before + 1
        assert call() == 11
    counter.step(7)
    crash(grid)
    # What `map` sends together is a batch.
    with pytest.raises(hotcell.StaleHandle):
        counter.step.map([3, 4])
    assert same.next() == 17
    # What was set in a batch is not set again: to go on without it would be another object.
    counter.step.map([3, 4])
    crash(grid)
    with pytest.raises(hotcell.StaleHandle, match="batch"):
        counter.next()


def test_one_that_was_released_is_not(grid: Any) -> None:
    with grid.counter_new("first", 1) as counter:
        pass
    with pytest.raises(hotcell.StaleHandle, match="was released"):
        counter.restore()
    with pytest.raises(hotcell.StaleHandle, match="was released"):
        counter.restored
