"""What is kept of compiled shims is code: only what is one's own, and whole, is used."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from subprocess import run

import pytest

import hotcell
from hotcell import _native, _shim


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    place = tmp_path / "a/hotcell/packages/x.shim"
    assert _native.kept(place) is None
    assert _native.keep(place, b"shim")
    assert _native.kept(place) == b"shim"
    folders = [place.parent, place.parents[1], place.parents[2]]
    assert [stat.S_IMODE(it.stat().st_mode) for it in folders] == [0o700] * 3
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert [it.name for it in place.parent.iterdir()] == ["x.shim"]


@pytest.mark.parametrize("how", ["folder", "link", "file", "cut", "changed", "fifo", "owner", "folders_owner"])
def test_what_others_may_have_written_is_not_read(tmp_path: Path, how: str) -> None:
    place = tmp_path / "own/x.shim"
    assert _native.keep(place, b"shim")
    kept = place.read_bytes()
    if how == "folder":
        place.parent.chmod(0o777)
        assert not _native.keep(place, b"other")
        assert place.read_bytes() == kept
    elif how == "link":
        place.rename(tmp_path / "other")
        place.symlink_to(tmp_path / "other")
    elif how == "file":
        place.chmod(0o666)
    elif how == "cut":
        place.write_bytes(kept[:-1])
    elif how == "changed":
        place.write_bytes(kept[:-1] + b"P")
    elif how == "fifo":
        place.unlink()
        os.mkfifo(place, 0o600)
    elif os.getuid() == 0:
        os.chown(place if how == "owner" else place.parent, 12345, 12345)
    else:
        pytest.skip("only root gives files away")
    assert _native.kept(place) is None


def test_a_relative_cache_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert _shim.cache_folder() == Path("~/.cache/hotcell").expanduser()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert _shim.cache_folder() == tmp_path / "hotcell"
    assert not _native.keep(Path("relative/x.shim"), b"shim")
    assert not Path("relative").exists()


def package(folder: Path) -> Path:
    """What there is of a package for its shim."""
    made = folder / "tiny_hotcell"
    (made / "shim").mkdir(parents=True)
    (made / "interface.json").write_text('{"source": {}}')
    (made / "shim/shim.c").write_text("int tiny(void) { return 1; }\n")
    return made


def test_a_shim_is_compiled_where_nobody_else_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    of_all = tmp_path / "hotcell/packages"
    of_all.mkdir(parents=True)
    of_all.chmod(0o777)
    shim = _shim.of_package(package(tmp_path), "TINY_LIB", [])
    assert shim.startswith(b"\x7fELF") and list(of_all.iterdir()) == []
    of_all.chmod(0o700)
    assert _shim.of_package(tmp_path / "tiny_hotcell", "TINY_LIB", []).startswith(b"\x7fELF")
    assert len(list(of_all.iterdir())) == 1
    # Now nothing is compiled.
    monkeypatch.setattr(_shim, "_compile", None)
    assert _shim.of_package(tmp_path / "tiny_hotcell", "TINY_LIB", []).startswith(b"\x7fELF")


def test_threads_that_compile_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder, made = package(tmp_path), []
    work = [threading.Thread(target=lambda: made.append(_shim.of_package(folder, "TINY_LIB", []))) for _ in range(6)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert len(made) == 6 and len(set(made)) == 1
    assert len(list((tmp_path / "hotcell/packages").iterdir())) == 1


def test_what_was_loaded_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for _ in range(2):
        with hotcell.load("zlib.h", lib="z") as z:
            assert z.crc32(0, b"hello") == 907060870
    assert len(list((tmp_path / "hotcell/shims").iterdir())) == 1


@pytest.fixture
def mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a library whose header includes another, which has a macro that the contract passes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    texts = {
        "bind.toml": """hotcell = 1
library = "mode"
headers = ["mode.h"]
link = ["libmode.so"]
[function.mode_of]
params.mode = { fixed = "MODE" }
""",
        "mode.h": '#include "value.h"\nint mode_of(int value, int mode);\nstatic inline int mode_inline(void) { return MODE; }\n',
        "value.h": "#define MODE 1\n",
        "mode.c": "int mode_of(int value, int mode) { return 10 * value + mode; }\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    run(["cc", "-shared", "-fPIC", "-o", "libmode.so", "mode.c"], cwd=tmp_path, check=True)
    return tmp_path


def calls(folder: Path) -> tuple[int, int, int]:
    """What two functions give, and how many shims are kept."""
    with hotcell.load(folder / "bind.toml") as mode:
        numbers = mode.mode_of(4), mode.mode_inline()
    return *numbers, len(list((folder / "cache/hotcell/shims").iterdir()))


def test_a_header_that_changed_is_compiled_again(mode: Path) -> None:
    assert [calls(mode), calls(mode)] == [(41, 1, 1)] * 2
    # It is as long as before, and as old.
    value = mode / "value.h"
    before = value.stat()
    value.write_text("#define MODE 2\n")
    os.utime(value, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [calls(mode), calls(mode)] == [(42, 2, 2)] * 2
    # One of this name that is found before it.
    (mode / "other").mkdir()
    (mode / "other/value.h").write_text("#define MODE 3\n")
    with hotcell.load(mode / "bind.toml", include_dirs=[mode / "other"]) as library:
        assert library.mode_of(4) == 42
    value.unlink()
    with hotcell.load(mode / "bind.toml", include_dirs=[mode / "other"]) as library:
        assert library.mode_of(4) == 43


def test_another_compiler_compiles_again(mode: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = mode / "compiler"
    for version in ["1", "2", "2"]:
        compiler.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {version}\nexec cc "$@"\n')
        compiler.chmod(0o755)
        monkeypatch.setenv("CC", str(compiler))
        assert calls(mode) == (41, 1, int(version))
    compiler.write_text('#!/bin/sh\nexec cc -DMODE=9 "$@"\n')
    (mode / "value.h").write_text("#ifndef MODE\n#define MODE 1\n#endif\n")
    assert calls(mode)[0] == 49


def test_a_package_compiles_again_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TINY_INCLUDE", str(tmp_path))
    made = package(tmp_path)
    (made / "shim/shim.c").write_text('#include "tiny.h"\nint tiny(void) { return TINY; }\n')
    shims = []
    for number in [1, 2, 2]:
        (tmp_path / "tiny.h").write_text(f"#define TINY {number}\n")
        shims.append(_shim.of_package(made, "TINY_LIB", []))
    assert shims[0] != shims[1] and shims[1] == shims[2]
    assert len(list((tmp_path / "cache/hotcell/packages").iterdir())) == 2
