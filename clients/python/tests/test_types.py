"""What type checkers know of a generated package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import hotcell

ROOT = Path(__file__).parents[3]
PROGRAM = Path(hotcell.__file__).parent / "bin" / "hotcell"

# Where there is an error it says so: a line that is right, and says that it is wrong, is an error, too.
TYPED = """
from array import array
from typing import assert_type

import hotcell
import numpy
from grid_hotcell import Grid, GridBox, Counter, Point, open


def calls(grid: Grid, memory: bytearray) -> None:
    assert_type(grid.add(1, b=2), int)
    assert_type(grid.name(1), str | None)
    assert_type(grid.norm(Point(x=1.0)), float)
    grid.add("1", 2)  # type: ignore[arg-type]
    grid.add(1)  # type: ignore[call-arg]


def anew(grid: Grid) -> None:
    counter = grid.counter_new("first", 1)
    assert_type(counter, Counter)
    assert_type(counter.restored, int)
    counter.restore()
    grid.box_new(1).restore()  # type: ignore[attr-defined]


def columns(grid: Grid, numbers: numpy.typing.NDArray[numpy.int32]) -> None:
    assert_type(grid.add.map([1, 2], 3), array[int])
    assert_type(grid.add.map(numbers, b=range(3)), array[int])
    assert_type(grid.mean.map([[1.0], numbers]), array[float])
    assert_type(grid.bool.map([True]), list[bool])
    assert_type(grid.divide.map([7], 2), list[tuple[int, int]])
    assert_type(grid.checksum.map([b"a", numbers]), array[int])
    assert_type(grid.norm.map([Point(x=1.0)]), array[float])
    assert_type(grid.mirror.map(numbers), list[Point])
    assert_type(grid.letters.map([["a"], ["b", "c"]]), array[int])
    assert_type(grid.each.map([1], lambda value: value), array[int])
    grid.add.map(["1"], 2)  # type: ignore[list-item]
    grid.letters.map([1])  # type: ignore[list-item]
    grid.nothing.map  # type: ignore[attr-defined]


def memory(grid: Grid, memory: bytearray, numbers: numpy.typing.NDArray[numpy.int32]) -> None:
    assert_type(grid.fill(16, 3), bytes)
    assert_type(grid.fill(memory, 3), int)
    assert_type(grid.ramp(4), array[int])
    assert_type(grid.ramp(numbers), int)
    assert_type(grid.fill.map([8, 9], 3), list[bytes])
    grid.fill("text", 3)  # type: ignore[call-overload]


def in_flight(grid: Grid, box: GridBox) -> None:
    with grid.pipeline() as calls:
        assert_type(calls.send(grid.add, 1, 2), hotcell.Coming[int])
        assert_type(calls.send(grid.fill, 16, 3).result(), bytes)
        assert_type(calls.send(grid.norm, Point(y=2.0)).result(), float)
        assert_type(calls.send(box.sum).result(), int)
        calls.send(grid.add, "1", 2)  # type: ignore[arg-type]


async def awaited(grid: Grid, box: GridBox, memory: bytearray) -> None:
    assert_type(await grid.aio.add(1, 2), int)
    assert_type(await grid.aio.fill(16, 3), bytes)
    assert_type(await grid.aio.fill(memory, 3), int)
    assert_type(await box.aio.sum(), int)
    await grid.aio.add("1", 2)  # type: ignore[arg-type]
    grid.aio.each  # type: ignore[attr-defined]
    grid.aio.ad  # type: ignore[attr-defined]


def objects(grid: Grid) -> None:
    with open(deadline=2.0) as other, other.box_new(3) as box:
        assert_type(other, Grid)
        assert_type(box, GridBox)
        assert_type(box.put.map([1, 2]), list[None])
        assert_type(box.watch(print), None)
    open(dedline=2.0)  # type: ignore[call-arg]
"""


# A NULL ends these lists, and none is in one.
WORDS = """
from slow_hotcell import Slow


def counts(words: list[str]) -> int:
    return len(" ".join(words))


def visits(slow: Slow) -> int:
    return slow.words(counts)
"""


def check(folder: Path, package: str, program: str) -> None:
    """Has mypy look at a package in this folder, and at a program that uses it."""
    typed = folder / "typed.py"
    typed.write_text(program)
    path = os.pathsep.join([str(Path(hotcell.__file__).parents[1]), str(folder / "package")])
    for checked in [["-p", package], [str(typed)]]:
        command = [sys.executable, "-P", "-m", "mypy", "--strict", "--cache-dir", str(folder / "mypy"), *checked]
        environment = {**os.environ, "MYPYPATH": path}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def generate(folder: Path, sources: Path, library: Path) -> None:
    """Generates a package there."""
    for file in [*sources.glob("*.h"), sources / "bind.toml", library]:
        shutil.copy(file, folder)
    words: list[str | Path] = [folder / "bind.toml", "--lang", "python", "--out", folder / "package"]
    subprocess.run([PROGRAM, "gen", *words], check=True, capture_output=True)


def test_calls_of_every_kind_have_types(tmp_path: Path, grid_folder: Path) -> None:
    generate(tmp_path, ROOT / "clients/conformance/grid", grid_folder / "libgrid.so")
    check(tmp_path, "grid_hotcell", TYPED)


def test_texts_that_a_null_ends_are_all_there(tmp_path: Path, slow_folder: Path) -> None:
    generate(tmp_path, ROOT / "clients/python/tests/slow", slow_folder / "libslow.so")
    check(tmp_path, "slow_hotcell", WORDS)
