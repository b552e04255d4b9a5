"""Objects, structures and callbacks."""

from __future__ import annotations

import copy
import gc
import pickle
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


def test_constants_and_classes_are_attributes(grid: Any) -> None:
    assert (grid.LIMIT, grid.NAME) == (grid.GRID_LIMIT, grid.GRID_NAME) == (42, "grid")
    assert grid.GridBox is grid.type("GridBox") and isinstance(grid.box_new(1), grid.GridBox)
    assert grid.norm(grid.Point(x=3.0, y=4.0)) == 5.0
    assert issubclass(grid.GridBusyError, grid.GridError) and issubclass(grid.GridError, hotcell.LibraryError)
    with pytest.raises(grid.GridBusyError):
        grid.check(3)
    told = dir(grid)
    assert {"LIMIT", "GridBox", "Point", "GridBusyError", "add", "close"} <= set(told)
    # What else lies beside them is none of it.
    for name in ("__name__x", "classes", "Nothing"):
        with pytest.raises(AttributeError):
            getattr(grid, name)


def test_open_is_no_function_of_the_library(grid: Any) -> None:
    with pytest.raises(TypeError, match="begins another session, and takes options by name; .*(?:`grid_open`|`open_`)"):
        grid.open("/nowhere")


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
    with pytest.raises(TypeError, match=r"takes a GridBox, not int; library\.box_new\(…\) gives one"):
        grid.call("grid_box_sum", 3)


def test_what_takes_an_object_says_how_one_comes_about(grid: Any) -> None:
    """Also one that goes by values, for there is a callback, and one that another object gives."""
    with pytest.raises(TypeError, match=r"takes a GridBox, not str; library\.box_new\(…\) gives one"):
        grid.call("grid_box_watch", "box", print)
    with pytest.raises(TypeError, match=r"takes an Item, not int; \.item\(…\) of a GridBox gives one"):
        grid.call("grid_item_value", 3)


def test_an_object_is_neither_pickled_nor_copied(grid: Any) -> None:
    for use in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a GridBox cannot be pickled or copied: it lives in the worker of its session"):
            use(grid.box_new(1))


def test_a_structure_that_the_library_keeps_is_neither_pickled_nor_copied(grid: Any) -> None:
    with hotcell.load("zlib.h", lib="z") as z:
        stream = z.ZStream(z)
        for use in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="a ZStream cannot be pickled or copied: it lives in the worker of its session"):
                use(stream)
    # One of values alone is a value.
    point = grid.type("Point")(x=1.0, y=2.0)
    other = copy.copy(point)
    assert other == point and other is not point
    other.x = 3.0
    assert point.x == 1.0


def test_a_structure_that_has_not_begun_says_how_it_begins() -> None:
    with hotcell.load("zlib.h", lib="z") as z:
        stream = z.ZStream(z)
        with pytest.raises(hotcell.InvalidArgument, match=r"has not begun: call its \.deflate_init_\(…\) or "):
            stream.deflate(4)
        with pytest.raises(TypeError, match=r"takes a ZStream, not int; make one with ZStream\(library\)"):
            z.call("deflate", 3, 4)
        with pytest.raises(AttributeError, match="ZStream has no field or function `deflate_init`; is it `deflate_init_`"):
            stream.deflate_init  # noqa: B018
        with pytest.raises(AttributeError, match="ZStream has no field or function `nothing`$"):
            stream.nothing  # noqa: B018
        assert not hasattr(stream, "__array__") and stream.next_in is None
        with pytest.raises(AttributeError, match="avail_inn"):
            stream.avail_inn = 3


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

    def see(value: int) -> int:
        seen.append(value)
        return value

    assert grid.each(3, see) == 6
    assert seen == [1, 2, 3]
    with pytest.raises(Own) as raised:
        grid.each(3, fail)
    assert raised.value.args == (1,)
    with pytest.raises(TypeError, match="takes a function"):
        grid.each(3, 5)
    with pytest.raises(hotcell.CallbackFailed, match="takes an integer"):
        grid.each(3, lambda value: "no number")
    with pytest.raises(hotcell.CallbackFailed, match="what the callback `visit` returned is nothing, and is to be a number"):
        grid.each(3, lambda value: None)
    with pytest.raises(KeyboardInterrupt):
        grid.each(3, interrupt)
    assert grid.each(2, lambda value: grid.each(value, lambda inner: grid.add(inner, 1))) == 7


def interrupt(value: int) -> int:
    raise KeyboardInterrupt


def test_callbacks_that_are_kept(grid: Any) -> None:
    seen: list[int] = []
    box = grid.box_new(9)
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


class Watcher:
    """Has an object, and a function of its own is kept with that: a cycle that goes through the library."""

    def __init__(self, grid: Any) -> None:
        self.sums: list[int] = []
        self.box = grid.box_new(3)
        self.box.watch(self.changed)

    def changed(self, sum: int) -> None:
        self.sums.append(sum)


def test_cycles_through_kept_functions_are_found(load_grid: Any) -> None:
    with load_grid(max_objects=40) as grid:
        watchers = []
        for number in range(200):
            watcher = Watcher(grid)
            watcher.box.put(number)
            assert watcher.sums == [number]
            watchers.append(weakref.ref(watcher))
            del watcher
            # All of them at once would be more than the worker may have.
            if number % 20 == 0:
                gc.collect()
        gc.collect()
        assert [it for it in watchers if it() is not None] == []


def test_functions_are_kept_as_long_as_anybody_needs_their_object(load_grid: Any) -> None:
    with load_grid() as grid:
        watcher = Watcher(grid)
        seen, sums, box = weakref.ref(watcher), watcher.sums, watcher.box
        item, other = box.item(1), box.within(1)
        del watcher, box
        gc.collect()
        # The box is there for its item, and for who has it with a deadline.
        other.put(2)
        assert sums == [2] and seen() is not None
        del other
        gc.collect()
        assert seen() is not None and item.value() == 1
        del item
        gc.collect()
        assert seen() is None
        # Without the collector.
        box = grid.box_new(3)
        function = Watcher(grid)
        seen = weakref.ref(function)
        box.watch(function.changed)
        function.box.release()
        del function
        assert seen() is not None
        box.put(5)
        box.release()
        gc.collect()
        assert seen() is None
