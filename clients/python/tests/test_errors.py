"""Exceptions: one hierarchy, with all that is known of a failed call."""

from __future__ import annotations

import json
import pickle
import time
from typing import Any

import pytest

import hotcell


def test_a_crash_says_everything(grid: Any) -> None:
    with pytest.raises(hotcell.Crashed) as raised:
        grid.crash()
    error = raised.value
    assert isinstance(error, hotcell.Fault) and isinstance(error, hotcell.Error)
    assert (error.library, error.function) == ("grid", "grid_crash")
    assert error.executed == "maybe" and error.fault and error.retry == "idempotent"
    assert error.cause is not None and error.cause["signal"] == "SIGSEGV"
    assert error.call_site is not None and "test_errors.py" in error.call_site
    assert error.call_id > 0 and error.generation > 0
    assert abs(error.time_unix_ms / 1000 - time.time()) < 60
    assert "SIGSEGV" in str(error)
    told = json.loads(error.to_json())
    assert told["kind"] == "Crashed" and told["cause"]["signal"] == "SIGSEGV" and told["code"] == 1
    assert grid.add(1, 2) == 3


def test_a_crash_has_the_frames_of_c(grid: Any) -> None:
    with pytest.raises(hotcell.Crashed) as raised:
        grid.crash()
    first = raised.value.frames()[0]
    assert first.function == "grid_crash" and "grid" in first.module and first.offset > 0
    assert str(first).startswith("grid_crash") and f"+{first.offset:#x})" in str(first)
    again = pickle.loads(pickle.dumps(raised.value))
    assert again.frames() == raised.value.frames()
    with pytest.raises(hotcell.LibraryError) as reported:
        grid.check(3)
    assert reported.value.frames() == []


def test_what_the_library_reports_has_a_class_of_its_own(grid: Any) -> None:
    with pytest.raises(hotcell.LibraryError) as raised:
        grid.check(3)
    error = raised.value
    assert (error.symbol, error.library_code, error.errno) == ("GRID_BUSY", 3, 11)
    assert type(error).__name__ == "GridBusyError"
    assert type(error).__mro__[1].__name__ == "GridError"
    assert not isinstance(error, hotcell.Fault)


def test_exceptions_go_through_pickle(grid: Any) -> None:
    with pytest.raises(hotcell.Crashed) as raised:
        grid.abort()
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is hotcell.Crashed
    assert again.__dict__ == raised.value.__dict__ and str(again) == str(raised.value)


def test_what_pickle_cannot_take_goes_as_what_is_above_it(grid: Any) -> None:
    with pytest.raises(hotcell.LibraryError) as raised:
        grid.check(3)
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is hotcell.LibraryError  # nobody else can import what load() made
    assert (again.symbol, again.library_code, str(again)) == ("GRID_BUSY", 3, str(raised.value))
    left = hotcell.LibraryError({"message": "left", "outputs": {"box": grid.box_new(1), "count": 3}})
    again = pickle.loads(pickle.dumps(left))
    assert again.outputs["count"] == 3 and again.outputs["box"].startswith("<")


def test_a_hang_is_a_timeout_too(grid: Any) -> None:
    with pytest.raises(TimeoutError) as raised:
        grid.hang()
    assert isinstance(raised.value, hotcell.Hung)
    with pytest.raises(ValueError, match="no time"):
        grid.within(0)
    assert grid.add(1, 2) == 3  # a worker is there: to start one takes longer than the next call has
    with pytest.raises(hotcell.Hung):
        grid.within(0.05).hang()


def test_all_kinds_have_a_class() -> None:
    kinds = [getattr(hotcell.errors, name) for name in hotcell.errors.__all__]
    codes = [kind.code for kind in kinds if kind.code]
    assert len(codes) == len(set(codes)) == len(kinds) - 2
    assert all(issubclass(kind, hotcell.Error) for kind in kinds)


def test_what_cannot_be_loaded_says_why(tmp_path: Any) -> None:
    with pytest.raises(hotcell.Error, match="no-such-header.h"):
        hotcell.load("no-such-header.h", lib="z")
    with pytest.raises(hotcell.Error):
        hotcell.load("zlib.h", lib="no-such-library")
    with pytest.raises(TypeError, match="which library"):
        hotcell.load("zlib.h")
    for name in ("include_dirs", "library_dirs", "defines"):
        lists: Any = {name: "/usr"}
        with pytest.raises(TypeError, match=rf"{name} is a list: \['/usr'\]"):
            hotcell.load("zlib.h", lib="z", **lists)
    with pytest.raises(TypeError, match="there is no option `nope`"):
        hotcell.load("zlib.h", lib="z", nope=1)
    with pytest.raises(ValueError, match="sandbox"):
        hotcell.load("zlib.h", lib="z", sandbox="none")
    for deadline, said in ((1e300, "is 1e300, and longer than any time"), (0, "is 0.0, and no time in seconds above 0")):
        with pytest.raises(ValueError, match=f"`deadline` {said}"):
            hotcell.load("zlib.h", lib="z", deadline=deadline)


def test_options_that_are_tables(load_grid: Any) -> None:
    with load_grid(
        limits={"memory": 256 << 20, "cpu": None},
        recycle={"every": 0.01, "calls": 5, "age": None},
        restart={"faults": 3, "pause": 0.5},
        sandbox={"profile": "compute", "write_xor_execute": True},
    ) as grid:
        patience = time.monotonic() + 20
        # In seconds: it is looked a hundred times in one.
        while grid.info()["recycled"] == 0:
            assert grid.grid_add(2, 3) == 5
            assert time.monotonic() < patience, "no worker was replaced"
        assert grid.info()["faults"] == {}
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"limits": {"memry": 1}}, "memry"),
        ({"limits": {"memory": "1G"}}, "options: limits.memory: invalid type"),
        ({"sandbox": {"profile": "files", "read": "/etc"}}, "options: sandbox.read: invalid type"),
        ({"recycle": {"every": -1.0}}, "no time in milliseconds"),
        ({"recycle": {"every_ms": 10}}, "there is no `every_ms`: times are in seconds"),
        ({"restart": {"faults": "many"}}, "many"),
        ({"sandbox": {"nope": 1}}, "nope"),
    ]
    for wrong, said in wrongs:
        with pytest.raises(ValueError, match=said):
            load_grid(**wrong)
    with pytest.raises(OverflowError, match="^option `limits`: memory: -1 is not from 0 to 18446744073709551615$"):
        load_grid(limits={"memory": -1})


def test_a_library_that_was_closed(load_grid: Any) -> None:
    grid = load_grid()
    add = grid.add
    pid = grid.worker_pid
    assert pid is not None
    grid.close()
    grid.close()
    with pytest.raises(hotcell.InvalidArgument, match="closed"):
        grid.add(1, 2)
    assert add(1, 2) == 3  # a function that somebody has keeps its session
    assert "closed" in repr(grid)
