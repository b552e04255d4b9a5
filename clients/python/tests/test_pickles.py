"""What pickle and copy make of functions and structures, and how functions are mapped over processes all the same."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import pytest

import hotcell

ADVICE = "Pass a function of your own, from the top of a module, which calls it there with a library that each process opens"

library: Any = None


def opens(contract: Path, folder: Path) -> None:
    """What a pool runs in each of its processes."""
    global library
    library = hotcell.load(contract, library_dirs=[folder])


def adds(a: int, b: int) -> int:
    return int(library.add(a, b))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_opens_the_library_in_each_process(grid_folder: Path, method: str) -> None:
    contract = Path(__file__).parents[2] / "conformance/grid/bind.toml"
    context = multiprocessing.get_context(method)
    with context.Pool(2, initializer=opens, initargs=(contract, grid_folder)) as pool:
        assert pool.starmap_async(adds, [(1, 2), (3, 4)]).get(timeout=600) == [3, 7]


def test_functions_say_what_to_do_where_they_are_pickled(grid: Any) -> None:
    box = grid.box_new(3)
    for function, why in [
        (grid.add, r"add\(\) cannot be pickled: its session belongs to its process"),
        (grid.add.map, r"add\(\) cannot be pickled: its session"),
        (grid.aio.add, r"add\(\) cannot be pickled: its session"),
        (box.sum, r"sum\(\) cannot be pickled: its GridBox lives in the worker of a session"),
        (box.sum.map, r"sum\(\) cannot be pickled: its GridBox"),
        (box.aio.sum, r"sum\(\) cannot be pickled: its GridBox"),
        (type(box).sum, r"sum\(\) cannot be pickled: its session"),
    ]:
        with pytest.raises(TypeError, match=f"{why}.*{ADVICE}"):
            pickle.dumps(function)
    with multiprocessing.get_context("fork").Pool(1) as pool, pytest.raises(TypeError, match=ADVICE):
        pool.starmap_async(grid.add, [(1, 2)]).get(timeout=600)
    assert grid.add(1, 2) == 3


def test_a_copy_is_the_function_itself(grid: Any) -> None:
    assert copy.copy(grid.add) is grid.add and copy.deepcopy([grid.add])[0] is grid.add
    assert copy.copy(grid.aio.add).__name__ == "add" and copy.deepcopy([grid.aio.add])[0].__name__ == "add"
    held = {"add": grid.add, "map": grid.add.map}
    assert copy.deepcopy(held)["map"]([1], 2).tolist() == [3]


def test_copies_of_structures_have_all_that_they_had(grid: Any) -> None:
    class Own(grid.type("Point")):  # type: ignore[misc]
        name = "own"

    point = Own(x=1, y=2)
    point.label = "here"
    point.me = point
    for copied in (copy.copy(point), copy.deepcopy(point)):
        assert type(copied) is Own and (copied.x, copied.y, copied.label) == (1, 2, "here")
    assert copy.deepcopy(point).me is not point


def test_a_library_may_be_named_by_a_path(grid_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "sum.h").write_text("int grid_add(int a, int b);\n")
    with hotcell.load(tmp_path / "sum.h", lib=grid_folder / "libgrid.so") as loaded:
        assert loaded.grid_add(1, 2) == 3
