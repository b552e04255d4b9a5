"""The runner of the conformance grid: clients/conformance/README.md says what it must do."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

import hotcell

CASES = Path(__file__).parents[2] / "conformance" / "cases"


def all_cases() -> list[Any]:
    found = []
    for file in sorted(CASES.glob("*.json")):
        group = json.loads(file.read_text())
        assert group["format"] == 1
        name = group["group"]
        found += [pytest.param(name, case, id=f"{name}: {case['name']}") for case in group["cases"]]
    assert found
    return found


class Raised(Exception):
    """What the callback `fail` raises."""


class Case:
    """The steps of a case, with what they have saved."""

    def __init__(self, grid: Any) -> None:
        self.grid = grid
        self.saved: dict[str, Any] = {}
        self.noted: list[int] = []
        self.source_left = bytes(range(10))
        self.sunk = b""

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        times = value.get("times", 1)
        match next(iter(value)):
            case "int":
                return int(value["int"])
            case "float":
                return float(value["float"])
            case "bytes":
                return bytes.fromhex(value["bytes"]) * times
            case "repeat":
                return value["repeat"] * times
            case "object":
                return self.saved[value["object"]]
            case "callback":
                return getattr(self, value["callback"])
            case "struct":
                fields = {name: self.value(field) for name, field in value["fields"].items()}
                return self.type_of(value["struct"])(**fields)
        raise AssertionError(f"an unknown value: {value}")

    def type_of(self, name: str) -> Any:
        assert name == "grid_point"
        return self.grid.type("Point")

    def double(self, value: int) -> int:
        return 2 * value

    def fail(self, value: Any) -> int:
        raise Raised(value)

    def nested(self, value: int) -> int:
        return int(self.grid.grid_add(value, 1))

    def note(self, value: int) -> None:
        self.noted.append(value)

    def source(self, room: int) -> bytes:
        given, self.source_left = self.source_left[:room], self.source_left[room:]
        return given

    def sink(self, data: bytes) -> int:
        self.sunk += data
        return len(data)

    def call(self, step: dict[str, Any], args: list[Any]) -> Any:
        """A function by its name in C: one of the library, or of the object that it is a method of."""
        return self.grid.call(step["call"], *args)

    def run(self, step: dict[str, Any]) -> None:
        if "restore" in step:
            self.restore(step)
        else:
            self.run_call(step)
        for name, times in step.get("restored", {}).items():
            assert self.saved[name].restored == times

    def restore(self, step: dict[str, Any]) -> None:
        """Has an object made anew, where it has to be."""
        if "error" in step:
            with pytest.raises(hotcell.Error) as raised:
                self.saved[step["restore"]].restore()
            self.check_error(raised.value, step["error"])
        else:
            self.saved[step["restore"]].restore()

    def run_call(self, step: dict[str, Any]) -> None:
        args = [self.value(arg) for arg in step["args"]]
        if "error" in step:
            with pytest.raises(hotcell.Error) as raised:
                self.call(step, args)
            self.check_error(raised.value, step["error"])
            return
        if "refused" in step:
            refusals = (TypeError, OverflowError, ValueError, hotcell.Error)
            with pytest.raises(refusals) as refused:
                self.call(step, args)
            if isinstance(refused.value, hotcell.Error):
                assert refused.value.executed == "no"
            return
        if step.get("failed") == "callback":
            with pytest.raises(Raised):
                self.call(step, args)
            return
        result = self.call(step, args)
        if "save" in step:
            self.saved[step["save"]] = result
        if "returns" in step:
            expected = [self.value(value) for value in step["returns"]]
            got = [] if not expected else list(result) if len(expected) > 1 else [result]
            assert expected or result is None
            assert len(got) == len(expected)
            for given, wanted in zip(got, expected, strict=True):
                self.check(given, wanted)
        for name, wanted in step.get("changed", {}).items():
            assert name == "point"
            self.check(args[0], self.value(wanted))
        if "sunk" in step:
            assert self.sunk == self.value(step["sunk"])
        if "noted" in step:
            assert self.noted == [self.value(value) for value in step["noted"]]

    def check(self, got: Any, wanted: Any) -> None:
        if isinstance(wanted, float) and math.isnan(wanted):
            assert math.isnan(got)
        elif isinstance(wanted, list):
            assert list(got) == wanted
        else:
            assert type(got) is type(wanted), (got, wanted)
            assert got == wanted

    def check_error(self, error: hotcell.Error, expected: dict[str, Any]) -> None:
        assert error.kind == expected["kind"], error
        assert isinstance(error, getattr(hotcell.errors, expected["kind"]))
        for key in ("executed", "fault"):
            if key in expected:
                assert getattr(error, key) == expected[key], error
        cause = error.cause or {}
        for key, wanted in expected.get("cause", {}).items():
            assert cause[key] == wanted, error


@pytest.mark.parametrize(("group", "case"), all_cases())
def test_case(grid: Any, group: str, case: dict[str, Any]) -> None:
    running = Case(grid)
    for step in case["steps"]:
        running.run(step)
    if file := os.environ.get("HOTCELL_CONFORMANCE"):
        with open(file, "a", encoding="utf-8") as out:
            out.write(f"{group}\t{case['name']}\n")
