"""What nobody has made, and what is over: each use of it says so, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import hotcell


def test_what_is_not_made_by_itself_says_what_makes_it(grid: Any) -> None:
    box = grid.GridBox
    says = r"a GridBox comes out of a call, and is not made by itself: library\.box_new\(…\) gives one"
    ways: list[Callable[[], Any]] = [box, lambda: box(1), lambda: box(held=None), lambda: box.__new__(box), lambda: box(object())]
    for make in ways:
        with pytest.raises(TypeError, match=says):
            make()
    # One of a class of somebody's own is none of the library's.
    own = type("Own", (box,), {})()
    with pytest.raises(hotcell.StaleHandle, match="the object was released, or did not come out of a call"):
        own.sum()
    for kind in (hotcell.Object, hotcell.Restorable):
        with pytest.raises(TypeError, match=f"an? {kind.__name__} comes out of a call, and is not made by itself$"):
            kind()
    for library in (hotcell.Library, type(grid)):
        with pytest.raises(TypeError, match=r"a session is opened, .*: hotcell\.load\(…\) opens one, and open\(\) of a package"):
            library()
    kinds: list[Any] = [hotcell.Pipeline, hotcell.Buffer, hotcell.Coming]
    for other in kinds:
        with pytest.raises(TypeError):
            other()


def test_what_is_closed_says_so(grid: Any) -> None:
    library = grid.open()
    box, pipeline, add = library.box_new(1), library.pipeline(), library.add
    with pipeline:
        assert pipeline.send(add, 1, 2).result() == 3
    box.release()
    library.close()
    library.close()
    uses: list[Callable[[], Any]] = [
        library.info, library.open, library.pipeline, lambda: library.buffer(8), lambda: library.within(1), lambda: library.add,
        lambda: library.call("grid_add", 1, 2), lambda: library.type("GridBox"), lambda: library.worker_pid, lambda: library.generation,
        lambda: library.aio.add(1, 2), library.__enter__,
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(hotcell.InvalidArgument, match="the library was closed"):
            use()
    with pytest.raises(hotcell.StaleHandle, match="the object was released"):
        box.sum()
    with pytest.raises(hotcell.StaleHandle, match=r"^sum\(\): `box` \(grid_box \*\): the object was released"):
        grid.call("grid_box_sum", box)
    with pytest.raises(hotcell.StaleHandle, match="the object was released"), box:
        raise AssertionError("it is there no more")
    assert "closed" in repr(library) and "released" in repr(box)
    # A function that somebody has keeps its session.
    assert add(1, 2) == 3


def test_what_is_none_says_what_is_taken(grid: Any) -> None:
    with grid.pipeline() as pipeline, pytest.raises(TypeError, match="takes a function of a library, not NoneType"):
        pipeline.send(None)
    uses: list[Callable[[], Any]] = [
        lambda: grid.within(None), lambda: grid.buffer(None), lambda: grid.add(None, 1), lambda: grid.add.map(None, None),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(TypeError):
            use()
    with pytest.raises(TypeError, match="takes a GridBox|must not be None"):
        grid.call("grid_box_sum", None)
