"""`map` and pipelines of functions with structures, lists and callbacks, and memory that such calls fill."""

from __future__ import annotations

import array
import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hotcell

POINT = np.dtype([("x", "f8"), ("y", "f8"), ("tag", "i4")])


def points(grid: Any, count: int) -> list[Any]:
    return [grid.type("Point")(x=3.0 * at, y=4.0 * at, tag=at) for at in range(count)]


def test_structures_are_columns(grid: Any) -> None:
    norms = grid.norm.map(points(grid, 1500))
    assert isinstance(norms, array.array) and norms.typecode == "d"
    assert norms.tolist() == [5.0 * at for at in range(1500)]
    # As dictionaries, and one for all rows.
    assert grid.norm.map([{"x": 3.0, "y": 4.0}, {"y": 2.0}]).tolist() == [5.0, 2.0]
    mirrored = grid.mirror.map(points(grid, 3))
    assert [(it.x, it.y, it.tag) for it in mirrored] == [(0.0, 0.0, 0), (4.0, 3.0, -1), (8.0, 6.0, -2)]
    assert {type(it) for it in mirrored} == {grid.type("Point")}
    with pytest.raises(TypeError, match="takes a list or an array"):
        grid.norm.map({"x": 1.0})


def test_structured_arrays_are_columns_and_structures(grid: Any) -> None:
    column = np.array([(3.0, 4.0, 1), (6.0, 8.0, 2)], dtype=POINT)
    assert grid.norm.map(column).tolist() == [5.0, 10.0]
    assert grid.norm(column[1]) == 10.0
    # A list of structures: 3 and 4 from the first to the second.
    assert grid.path(column) == 7.0
    assert grid.path.map([column, column[:1]]).tolist() == [7.0, 0.0]
    aligned = np.array([(3.0, 4.0, 1)], dtype=np.dtype(POINT.descr, align=True))
    assert grid.norm.map(aligned).tolist() == [5.0]
    with pytest.raises(hotcell.InvalidArgument, match="colour"):
        grid.norm.map(np.array([(1.0, 2)], dtype=[("x", "f8"), ("colour", "i4")]))


def test_lists_are_columns(grid: Any) -> None:
    assert grid.letters.map([["a", "bc"], [], ["xyz"]]).tolist() == [3, 0, 3]
    assert grid.add.map(range(3), 10).tolist() == [10, 11, 12]
    assert grid.mean.map([[1.0, 2.0], np.array([4.0])]).tolist() == [1.5, 4.0]


def test_a_row_that_fails_says_which(grid: Any) -> None:
    rows: list[Any] = [{"x": 1.0}] * 3
    wrongs: list[Callable[[], Any]] = [lambda: grid.add.map([1, "2"], 1), lambda: grid.length.map(["a", 1])]
    with pytest.raises(hotcell.InvalidArgument, match="point.x. takes a number") as raised:
        grid.norm.map([*rows, {"x": "text"}])
    assert raised.value.__notes__ == ["in row 3 of map()"]
    for wrong in wrongs:
        with pytest.raises(TypeError) as refused:
            wrong()
        assert refused.value.__notes__ == ["in row 1 of map()"]
    with pytest.raises(hotcell.InvalidArgument, match="no field"):
        grid.norm.map([*rows, {"z": 1.0}])
    with pytest.raises(hotcell.LibraryError) as failed:
        grid.fill.map([8, 8, 2], 3)
    assert failed.value.__notes__ == ["in row 2 of map()"]


def test_callbacks_and_changed_structures_are_called_one_by_one(grid: Any) -> None:
    assert grid.each.map([1, 2, 3], lambda value: value).tolist() == [1, 3, 6]
    functions = [lambda value: value, lambda value: 10 * value]
    assert grid.each.map(2, functions).tolist() == [3, 30]

    def fails(value: int) -> int:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as raised:
        grid.each.map([0, 1], fails)
    assert raised.value.__notes__ == ["in row 1 of map()"]
    column = np.array([(3.0, 4.0, 1), (6.0, 8.0, 2)], dtype=POINT)
    assert grid.grid_move.map(column, [1.0, 2.0]) == [None, None]
    assert column["x"].tolist() == [4.0, 8.0]
    moved = points(grid, 2)
    grid.grid_move.map(moved, 0.5)
    assert [it.x for it in moved] == [0.5, 3.5]


def test_structures_and_lists_go_through_a_pipeline(grid: Any) -> None:
    with grid.pipeline() as calls:
        norms = [calls.send(grid.norm, point) for point in points(grid, 20)]
        mirrored = calls.send(grid.mirror, {"x": 1.0, "tag": 7})
        letters = calls.send(grid.letters, ["a", "bc"])
        path = calls.send(grid.path, points(grid, 3))
        refused = calls.send(grid.check, 3)
        assert [it.result() for it in norms] == [5.0 * at for at in range(20)]
        assert (mirrored.result().y, mirrored.result().tag) == (1.0, -7)
        assert letters.result() == 3 and path.result() == 14.0
        with pytest.raises(hotcell.LibraryError):
            refused.result()
    with grid.pipeline() as calls, pytest.raises(TypeError, match="changes a structure.*by itself"):
        calls.send(grid.grid_move, points(grid, 1)[0], 1.0)


def test_an_awaited_call_fills_memory(grid: Any) -> None:
    async def run() -> None:
        room = bytearray(b"-" * 8)
        waits = grid.aio.fill(room, 3)
        with pytest.raises(BufferError):
            room.extend(b"it is lent")
        assert await waits == 3
        assert room == b"xxx-----"
        room.extend(b"it is free again")
        numbers = np.zeros(4, dtype=np.int32)
        assert await grid.aio.ramp(numbers) == 4 and numbers.tolist() == [-1, 2, 5, 8]
        with pytest.raises(TypeError, match="cannot be written"):
            await grid.aio.fill(b"12345678", 3)
        with pytest.raises(TypeError, match="format `i`"):
            await grid.aio.ramp(np.zeros(4))
        room = bytearray(8)
        with pytest.raises(hotcell.LibraryError):
            await grid.aio.fill(room, 100)
        assert room == bytes(8)

    asyncio.run(run())


def test_a_call_that_is_given_up_lets_go_of_memory(load_grid: Any) -> None:
    room = bytearray(8)

    async def run(grid: Any) -> None:
        # Behind a call that does not come back.
        hangs = asyncio.ensure_future(grid.within(1).aio.hang())
        await asyncio.sleep(0.1)
        fills = asyncio.ensure_future(grid.aio.fill(room, 3))
        await asyncio.sleep(0.1)
        fills.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fills
        with pytest.raises(hotcell.Hung):
            await hangs
        assert await grid.aio.add(1, 2) == 3

    with load_grid(deadline=5) as grid:
        asyncio.run(run(grid))
    room.extend(b"it is free")
    assert room == bytes(8) + b"it is free"


def test_a_number_of_numpy_is_a_size(grid: Any) -> None:
    assert grid.fill(np.int64(5), 3) == b"xxx" == grid.fill(np.uint8(5), 3)
    assert grid.ramp(np.int32(2)).tolist() == [-1, 2]
