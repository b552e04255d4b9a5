"""Libraries that the tests call: compiled here, and bound by their contracts."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hotcell

ROOT = Path(__file__).parents[3]

# A shell starts what runs in the background with SIGINT ignored, and Python raises nothing for it then.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def grid_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled library of the conformance grid."""
    folder = tmp_path_factory.mktemp("grid")
    source = ROOT / "clients/conformance/grid/grid.c"
    soname = "-Wl,-soname,libgrid.so"
    flags = ["-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", soname]
    subprocess.run(["cc", *flags, "-o", str(folder / "libgrid.so"), str(source), "-lm"], check=True)
    return folder


@pytest.fixture(scope="session")
def slow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled library that takes its time."""
    folder = tmp_path_factory.mktemp("slow")
    source = ROOT / "clients/python/tests/slow/slow.c"
    flags = ["-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-Wl,-soname,libslow.so"]
    subprocess.run(["cc", *flags, "-o", str(folder / "libslow.so"), str(source)], check=True)
    return folder


@pytest.fixture
def slow(slow_folder: Path) -> Iterator[Any]:
    """A session with that."""
    contract = ROOT / "clients/python/tests/slow/bind.toml"
    with hotcell.load(contract, library_dirs=[slow_folder], deadline=5) as library:
        yield library


@pytest.fixture(scope="session")
def load_grid(grid_folder: Path) -> Any:
    """What opens a session with it."""

    def load(**options: Any) -> Any:
        contract = ROOT / "clients/conformance/grid/bind.toml"
        return hotcell.load(contract, library_dirs=[grid_folder], **options)

    return load


@pytest.fixture(scope="session")
def shared_grid(load_grid: Any) -> Iterator[Any]:
    with load_grid() as grid:
        yield grid


@pytest.fixture
def grid(shared_grid: Any) -> Any:
    """A session with it, which other tests have used, and may have ended the worker of."""
    return shared_grid
