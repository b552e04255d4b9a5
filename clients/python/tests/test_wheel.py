"""What is installed: the wheel says what it is, and has what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import hotcell

WHEEL = distribution("hotcell")


def test_a_wheel_says_what_it_is() -> None:
    said = WHEEL.metadata
    assert (said["Name"], said["Version"]) == ("hotcell", hotcell.__version__)
    assert said["Requires-Python"] == ">=3.11" and said["License-Expression"] == "MIT OR Apache-2.0"
    assert "Typing :: Typed" in (said.get_all("Classifier") or [])
    assert said["Description-Content-Type"].startswith("text/markdown") and "# Hotcell for Python" in str(said)
    assert WHEEL.requires is None
    tag = next(line for line in (WHEEL.read_text("WHEEL") or "").splitlines() if line.startswith("Tag: "))
    assert tag.startswith("Tag: cp311-abi3-manylinux_2_") and tag.endswith(os.uname().machine)


def test_a_wheel_has_module_programs_types_and_licences() -> None:
    files = {str(file): Path(str(file.locate())) for file in WHEEL.files or []}
    for name in ["_native.abi3.so", "_native.pyi", "_data.pyi", "py.typed", "errors.py"]:
        assert files[f"hotcell/{name}"].is_file(), name
    for name in ["hotcell", "hotcell-worker"]:
        assert os.access(files[f"hotcell/bin/{name}"], os.X_OK), name
    licences = {Path(name).name: file for name, file in files.items() if "/licenses/" in name}
    assert set(licences) == {"LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY.txt"}
    others = licences["THIRD-PARTY.txt"].read_text()
    assert "pyo3 0." in others and "libloading" in others and "THE SOFTWARE IS PROVIDED" in others
    assert not [name for name in files if "tests" in name]


def test_the_command_is_there() -> None:
    (command,) = WHEEL.entry_points
    assert (command.group, command.name) == ("console_scripts", "hotcell")
    program = f"import sys; sys.argv = ['hotcell', '--version']; from {command.module} import {command.attr}; main()"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"hotcell {hotcell.__version__}\n"
