"""Generated packages: the programs of the examples print what they should, and type checkers agree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hotcell

ROOT = Path(__file__).parents[3]
PROGRAM = Path(hotcell.__file__).parent / "bin" / "hotcell"
LIBRARIES = ["zlib", "sqlite3", "png"]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of some examples; one of them with a shim that is compiled already."""
    folder = tmp_path_factory.mktemp("packages")
    for command, library in [("build", "zlib"), ("gen", "sqlite3"), ("build", "png")]:
        contract = ROOT / "examples" / library / "bind.toml"
        run: list[str | Path] = [PROGRAM, command, contract, "--lang", "python", "--out", folder / library]
        subprocess.run(run, check=True, capture_output=True)
    return folder


def environment(packages: Path) -> dict[str, str]:
    places = [str(Path(hotcell.__file__).parents[1]), *(str(packages / library) for library in LIBRARIES)]
    path = os.pathsep.join(places)
    return {**os.environ, "PYTHONPATH": path, "MYPYPATH": path, "XDG_CACHE_HOME": str(packages / "cache")}


def python(packages: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", *words]
    return subprocess.run(command, env=environment(packages), capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("library", LIBRARIES)
def test_programs_of_examples(packages: Path, library: str) -> None:
    folder = ROOT / "examples" / library
    done = python(packages, folder / "program.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (folder / "expected.txt").read_text()


def test_type_checkers_agree(packages: Path) -> None:
    names = [word for library in LIBRARIES for word in ("-p", f"{library}_hotcell")]
    done = python(packages, "-m", "mypy", "--strict", "--cache-dir", packages / "mypy", *names)
    assert done.returncode == 0, done.stdout
    for library in LIBRARIES:
        program = ROOT / "examples" / library / "program.py"
        done = python(packages, "-m", "mypy", "--strict", "--cache-dir", packages / "mypy", program)
        assert done.returncode == 0, done.stdout


def test_a_compiled_shim_needs_no_compiler_and_belongs_to_its_package(packages: Path) -> None:
    without = "import os; os.environ['CC'] = '/nowhere/cc'; import zlib_hotcell as z; print(z.open().crc32(0, b'a'))"
    assert python(packages, "-c", without).stdout == "3904355907\n"
    other = without.replace("zlib_hotcell", "sqlite3_hotcell")
    failed = python(packages, "-c", other)
    assert "hotcell.errors.LoadFailed" in failed.stderr and "did not start" in failed.stderr
    shim = packages / "zlib/zlib_hotcell/shim/shim.so"
    good = shim.read_bytes()
    try:
        shim.write_bytes(good + b"x")
        failed = python(packages, "-c", without)
        assert "AbiMismatch" in failed.stderr and "does not belong to this package" in failed.stderr
    finally:
        shim.write_bytes(good)


def test_a_package_with_a_shim_is_for_its_machine(packages: Path, tmp_path: Path) -> None:
    wheels = []
    for library in LIBRARIES:
        # What builds the wheel writes beside the package.
        made = shutil.copytree(packages / library, tmp_path / library)
        words = ["-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir"]
        done = python(packages, *words, tmp_path / "wheels" / library, made)
        assert done.returncode == 0, done.stderr
        wheels += [it.name for it in (tmp_path / "wheels" / library).iterdir()]
    # Two have their shims, and one has not.
    machine = os.uname().machine
    assert wheels == [
        f"zlib_hotcell-0.1.0-py3-none-linux_{machine}.whl",
        "sqlite3_hotcell-0.1.0-py3-none-any.whl",
        f"png_hotcell-0.1.0-py3-none-linux_{machine}.whl",
    ]


def test_what_a_package_says_of_itself(packages: Path) -> None:
    text = """
import inspect, pickle, zlib_hotcell as z
assert z.Zlib.__doc__ and z.ZStream.deflate.__doc__.splitlines()[-1] == "C: int deflate(z_streamp strm, int flush);"
assert str(inspect.signature(z.ZStream.deflate)) == "(self, /, flush)"
assert "ZlibError" in z.__all__ and "open" in z.__all__
import pydoc
with z.open() as library:
    told = pydoc.render_doc(library.crc32, renderer=pydoc.plaintext)
    assert "crc32(crc, buf)" in told and "C: " in told, told
    assert repr(library.aio.crc32) == "<<hotcell function crc32(crc, buf) of zlib>, to be awaited>"
    assert str(inspect.signature(library.aio.crc32)) == "(crc, buf)"
    assert "by columns" in repr(library.crc32.map) and "no call in flight" in repr(library.pipeline())
try:
    z.open().uncompress(10, b"nonsense")
except z.ZlibError as error:
    assert type(pickle.loads(pickle.dumps(error))) is z.ZlibError
"""
    done = python(packages, "-c", text)
    assert done.returncode == 0, done.stderr


def test_what_the_generator_refuses(tmp_path: Path) -> None:
    contract = ROOT / "examples/zlib/bind.toml"
    base: list[Any] = [PROGRAM, "gen", contract, "--lang", "python", "--out", tmp_path / "out"]
    for words, expect in [
        (["--name", "class"], "reserved word of Python"),
        (["--name", "my-zlib"], "letters, digits and `_`"),
        (["--runtime", '"0.1"'], "is for packages of other languages"),
    ]:
        done = subprocess.run([*base, *words], capture_output=True, text=True, check=False)
        assert done.returncode != 0 and expect in done.stderr, done.stderr
        assert not (tmp_path / "out").exists()
