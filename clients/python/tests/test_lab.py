"""The crash lab, with calls of Python: `hotcell lab --via python`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from processes import descendants

import hotcell

# Of every group some that go through the client in a way of their own.
SHARE = """M1 M3 M5 M8 M11 M14 F1 F6 F9 F17 F18 F19 S1 S10 H2 H5 E3 E4 E5 E6 R1 R5 R8 B1 B5 B7 N1 N2 C1 C4 C5 C6 C8 C10
    X2 X6 V1 V2 V8 V10""".split()

# Rows that no program in Python can have.
NOT_IN_PYTHON = ["R7", "V13"]


PROGRAM = Path(hotcell.__file__).parent / "bin" / "hotcell"


def lab(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    # `python3` is this one.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, **variables}
    command: list[str | Path] = [PROGRAM, "lab", "--via", "python", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def state(process: int) -> str:
    """A letter, as proc(5) has them; Z where it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def executes(process: int, script: str) -> bool:
    try:
        return script.encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_rows_are_in_python_as_they_are_in_rust() -> None:
    ended = lab("--format", "json", *SHARE, *NOT_IN_PYTHON)
    rows: dict[str, Any] = {row["id"]: row for row in json.loads(ended.stdout)}
    assert sorted(rows) == sorted([*SHARE, *NOT_IN_PYTHON])
    for id, row in rows.items():
        if id in NOT_IN_PYTHON:
            assert "skipped" in row, row
            continue
        assert row["ok"] and row["next_call_ok"] and row["bystander_ok"], row
        assert not any(row["leaked"].values()), row
    assert ended.returncode == 0, ended.stderr
    # It is a callback of ctypes that lost what it raised, and the client in Python that tells of it.
    assert rows["F17"]["direct"] == "returns and caught 0 of 2"
    assert rows["F19"]["got"].startswith("given up: KeyboardInterrupt")


def test_a_python_without_the_package_is_told() -> None:
    ended = lab("M1", PYTHONPATH="")
    assert ended.returncode == 113, ended
    assert "No module named 'hotcell'" in ended.stderr
    assert "in it the package `hotcell` of the same version" in ended.stderr


def test_programs_end_with_a_lab_that_is_killed(tmp_path: Path) -> None:
    # It loops, and no signal but one that cannot be blocked ends it.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "TMPDIR": str(tmp_path)}
    killed = subprocess.Popen([PROGRAM, "lab", "--via", "python", "S8"], env=environment, stdout=subprocess.DEVNULL)
    try:
        patience = time.monotonic() + 60
        started: list[int] = []
        while not any(executes(process, "direct.py") and state(process) != "Z" for process in started):
            assert killed.poll() is None and time.monotonic() < patience, "the program was not seen"
            killed.send_signal(signal.SIGCONT)
            time.sleep(0.005)
            # Nobody ends it while the lab stands still.
            killed.send_signal(signal.SIGSTOP)
            while killed.poll() is None and state(killed.pid) != "T":
                time.sleep(0.001)
            started = descendants(killed.pid)
    finally:
        killed.kill()
        killed.wait()
    while any(state(process) != "Z" for process in started):
        assert time.monotonic() < patience, "a program is left"
        time.sleep(0.005)
