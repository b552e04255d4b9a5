"""What is told while a library is bound."""

from __future__ import annotations

import fcntl
import io
import logging
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

import hotcell
import hotcell._progress

READING, STARTING = "reading", "starting a worker"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_each_step_is_told_to_a_function(load_grid: Any, capfd: pytest.CaptureFixture[str]) -> None:
    first: list[str] = []
    load_grid(progress=first.append).close()
    assert first[0].startswith(READING) and first[0].endswith("bind.toml")
    assert first[1].startswith("compiling a shim for ") and first[1].endswith(" functions of grid")
    assert first[2:] == [STARTING]
    # What was compiled is found again.
    second: list[str] = []
    load_grid(progress=second.append).close()
    assert second == [first[0], STARTING]
    third: list[str] = []
    load_grid(progress=third.append, cache=False).close()
    assert third == first
    assert capfd.readouterr() == ("", "")


def test_what_the_function_raises_comes_out(load_grid: Any) -> None:
    def told(step: str) -> None:
        if step == STARTING:
            raise KeyError(step)

    with pytest.raises(KeyError, match=STARTING):
        load_grid(progress=told)


def test_logging_has_each_step_and_nobody_else(
    load_grid: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "hotcell"):
        load_grid().close()
    assert [it.name for it in caplog.records] == ["hotcell"] * 3
    assert caplog.records[2].getMessage() == STARTING
    assert capfd.readouterr() == ("", "")


PROGRAM = """
import sys, time
import hotcell, hotcell._progress
hotcell._progress.PATIENCE = float(sys.argv[1])
with hotcell._progress.Progress() as tell:
    tell("reading \u4e00 " + "a" * 200)
    time.sleep(0.2)
    tell("starting")
    tell.clear()
    print("warned", file=sys.stderr)
    tell("opening")
print("done")
"""


def at_a_terminal(patience: float) -> str:
    """What stands on a terminal, of a program whose standard error it is."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", 0) as read:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "latin-1:backslashreplace"}
        program = [sys.executable, "-P", "-c", PROGRAM, str(patience)]
        done = subprocess.run(program, stdout=subprocess.PIPE, stderr=theirs, env=environment, check=True)
        os.close(theirs)
        assert done.stdout == b"done\n"
        said = b""
        try:
            while more := read.read(4096):
                said += more
        except OSError:
            # So Linux says that nobody has the other end.
            pass
    return said.decode()


def test_who_waits_at_a_terminal_is_told_and_nothing_stays() -> None:
    said = at_a_terminal(0.01)
    lines = [it for it in said.split("\r") if it.strip()]
    assert lines[0] == ("hotcell: reading ? " + "a" * 200)[:39]
    assert lines[1:] == ["hotcell: starting ...", "warned", "hotcell: opening ..."]
    assert "\r" + " " * 21 + "\rwarned\r\n" in said, "what it has shown is cleared before"
    assert said.endswith("\r" + " " * 20 + "\r")
    assert at_a_terminal(60.0) == "warned\r\n"


class Bare:
    """A stream with what `print` needs, and no more."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...


class Lies(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_what_stands_for_standard_error_keeps_no_library_from_being_bound(
    load_grid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (None, Bare(), closed, Lies()):
        monkeypatch.setattr(sys, "stderr", stream)
        load_grid().close()


def test_no_line_is_shown_where_logging_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", 0), os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        logger = logging.getLogger("hotcell")
        for level, is_shown in ((logging.INFO, False), (logging.WARNING, True)):
            monkeypatch.setattr(logger, "level", level)
            logger.manager._clear_cache()  # type: ignore[attr-defined]
            with hotcell._progress.Progress() as tell:
                assert (tell._line is not None) == is_shown


def test_a_load_that_fails_leaves_nothing_behind(capfd: pytest.CaptureFixture[str]) -> None:
    steps: list[str] = []
    with pytest.raises(hotcell.Error):
        hotcell.load("no-such-header.h", lib="z", progress=steps.append)
    assert steps == ["reading no-such-header.h"]
    assert capfd.readouterr() == ("", "")
