"""Objects, structures and callbacks."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import hotcell


def test_an_object_is_released_once(grid: Any) -> None:
    with grid.box_new(3) as box:
        box.put(4)
        assert box.sum() == 4
        assert "lent" not in repr(box)
    with pytest.raises(hotcell.StaleHandle, match="released"):
        box.sum()
    box.release()
    assert "released" in repr(box)
    made = grid.box_new(1)
    watched = weakref.ref(made)
    del made
    gc.collect()
    assert watched() is None


def test_methods_are_bound_and_not(grid: Any) -> None:
    box = grid.box_new(3)
    put = box.put
    put(4)
    type(box).put(box, 5)
    assert box.sum() == 9
    with pytest.raises(TypeError):
        type(box).put(7, 5)
    with pytest.raises(TypeError):
        type(box).put()
    with pytest.raises(TypeError, match="object of the library"):
        grid.call("grid_box_sum", 3)


def test_objects_of_other_sessions_and_types_are_refused(grid: Any, load_grid: Any) -> None:
    box = grid.box_new(1)
    item = box.item(4)
    assert item.value() == 4
    with pytest.raises(hotcell.WrongHandleType):
        grid.call("grid_box_sum", item)
    with load_grid() as other:
        with pytest.raises(hotcell.UnknownHandle):
            other.call("grid_box_sum", box)
        theirs = other.box_new(1)
    assert theirs.sum() == 0  # an object keeps its session
    assert box == box and box != item and hash(box) == hash(box)


def test_an_object_of_a_worker_that_has_gone(grid: Any) -> None:
    box = grid.box_new(1)
    with pytest.raises(hotcell.Crashed):
        grid.abort()
    with pytest.raises(hotcell.StaleHandle):
        box.sum()


def test_structures(grid: Any) -> None:
    point = grid.type("Point")(x=1.0, y=2.0)
    grid.grid_move(point, 0.5)
    assert (point.x, point.y, point.tag) == (1.5, 2.0, 1)
    assert grid.mirror({"x": 1.0, "y": 2.0, "tag": 3}) == grid.type("Point")(x=2.0, y=1.0, tag=-3)
    assert "x=1.5" in repr(point)
    with pytest.raises(TypeError, match="has no field `z`"):
        grid.type("Point")(z=1)
    with pytest.raises(hotcell.InvalidArgument):
        grid.norm({"z": 1.0})
    with pytest.raises((TypeError, hotcell.InvalidArgument)):
        grid.norm(3)
    with pytest.raises(hotcell.InvalidArgument):
        grid.norm({"x": "one"})
    nested: list[Any] = []
    nested.append(nested)
    with pytest.raises(ValueError, match="nested"):
        grid.path(nested)


def test_callbacks_come_back_as_themselves(grid: Any) -> None:
    class Own(Exception):
        pass

    def fail(value: int) -> int:
        raise Own(value)

    seen: list[int] = []
    assert grid.each(3, lambda value: seen.append(value) or value) == 6
    assert seen == [1, 2, 3]
    with pytest.raises(Own) as raised:
        grid.each(3, fail)
    assert raised.value.args == (1,)
    with pytest.raises(TypeError, match="takes a function"):
        grid.each(3, 5)
    with pytest.raises(hotcell.CallbackFailed, match="takes an integer"):
        grid.each(3, lambda value: "no number")
    with pytest.raises(KeyboardInterrupt):
        grid.each(3, interrupt)
    assert grid.each(2, lambda value: grid.each(value, lambda inner: grid.add(inner, 1))) == 7


def interrupt(value: int) -> int:
    raise KeyboardInterrupt


def test_callbacks_that_are_kept(grid: Any) -> None:
    box, seen = grid.box_new(9), []
    box.watch(seen.append)
    box.put(2)
    box.put(3)
    assert seen == [2, 5]

    def fail(value: int) -> None:
        raise LookupError(value)

    box.watch(fail)
    with pytest.raises(LookupError, match="9"):
        box.put(4)
    held = weakref.ref(fail)
    box.release()
    del box, fail
    assert grid.add(1, 1) == 2
    gc.collect()
    assert held() is None


def test_lists_of_texts_that_a_null_ends(slow: Any) -> None:
    lists: list[list[str] | None] = []

    def visit(words: list[str] | None) -> int:
        lists.append(words)
        return len(words or [])

    assert slow.words(visit) == 2
    assert lists[:2] == [["one", "zwölf"], []] and not lists[2]
