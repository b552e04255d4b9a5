"""The compiled shim of a package: the one that came with it, or one that is compiled here, once."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from hotcell import _native, errors
from hotcell._progress import Progress

_COMPILE = "-std=gnu17 -O2 -fno-builtin -fPIC -fvisibility=hidden"
# Everything is resolved when the shim is loaded, and every library is loaded with it.
_LINK = "-shared -Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,--no-as-needed"


def cache_folder() -> Path:
    """Where compiled shims are kept."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # One that is relative is to be ignored.
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "hotcell"


def of_package(folder: Path, variable: str, libraries: list[tuple[str, str | None]]) -> bytes:
    """The shim of the package in a folder."""
    ready = folder / "shim" / "shim.so"
    if ready.is_file():
        return _stamped(folder, ready)
    source, link = _source(folder, variable), _link(variable, libraries)
    place = cache_folder() / "packages" / f"{folder.name}-{_digest(folder, source, link, variable)}.shim"
    kept = _native.kept(place)
    if kept is not None:
        return kept
    with Progress() as tell:
        tell(f"compiling the shim of {folder.name}")
        shim = _compile([*source, *link], variable)
    # Where that is not possible the next one is slower.
    _native.keep(place, shim)
    return shim


def _stamped(folder: Path, ready: Path) -> bytes:
    """A compiled shim, once its stamp fits: it says that the files of the package belong together."""
    shim = ready.read_bytes()
    lines = (folder / "shim" / "shim.stamp").read_text().splitlines()
    stamp = dict(line.split(" ", 1) for line in lines)
    source = (folder / "shim" / "shim.c").read_bytes()
    fingerprint = json.loads((folder / "interface.json").read_text())["fingerprint"]
    own = {
        "interface": fingerprint,
        "machine": os.uname().machine,
        "source": _checksum(source),
        "shim": _checksum(shim),
    }
    for what, value in own.items():
        if stamp.get(what) != value:
            text = (
                f"{ready} does not belong to this package: its {what} is {stamp.get(what)}, and that of the "
                f"package is {value}; run `hotcell build` again"
            )
            raise errors.AbiMismatch({"kind": "AbiMismatch", "message": text, "executed": "no"})
    return shim


def _checksum(data: bytes) -> str:
    """FNV-1a, as in the stamp."""
    hash = 0xCBF29CE484222325
    for byte in data:
        hash = (hash ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{hash:016x}"


def _directories(variable: str) -> list[str]:
    # One that is empty or relative would be another wherever the program is started.
    return [it for it in os.environ.get(variable, "").split(os.pathsep) if os.path.isabs(it)]


def _compiler() -> list[str]:
    return shlex.split(os.environ.get("CC") or "cc")


def _source(folder: Path, variable: str) -> list[str]:
    """What reads the shim's source."""
    command = [*_compiler(), *_COMPILE.split(), "-I", str(folder / "shim")]
    for directory in _directories(variable.removesuffix("_LIB") + "_INCLUDE"):
        command += ["-I", directory]
    interface = json.loads((folder / "interface.json").read_text())
    for define in interface["source"].get("defines", []):
        command.append(f"-D{define}")
    return [*command, str(folder / "shim" / "shim.c")]


def _link(variable: str, libraries: list[tuple[str, str | None]]) -> list[str]:
    """What links it."""
    command = _LINK.split()
    own = _directories(variable)
    for name, built in libraries:
        found = [it for it in [*own, *([built] if built else [])] if Path(it, name).is_file()]
        if found:
            command += ["-L", found[0], "-Xlinker", "-rpath", "-Xlinker", found[0]]
        command.append(f"-l:{name}")
    return command


def _digest(folder: Path, source: list[str], link: list[str], variable: str) -> str:
    """What a shim is compiled of: headers as they are now, macros, and which compiler it is."""
    hashed = hashlib.sha256(_native.__version__.encode())
    hashed.update((folder / "interface.json").read_bytes())
    hashed.update("\0".join([*source, *link]).encode())
    for command in [[*_compiler(), "--version"], [*source, "-E", "-dD", "-P"]]:
        hashed.update(_run(command, variable))
    return hashed.hexdigest()[:32]


def _compile(command: list[str], variable: str) -> bytes:
    """Compiles in a folder that nobody else can know, and gives what came of it."""
    with tempfile.TemporaryDirectory(prefix="hotcell-") as folder:
        out = Path(folder) / "shim.so"
        _run([*command, "-o", str(out)], variable)
        return out.read_bytes()


def _run(command: list[str], variable: str) -> bytes:
    """Runs the compiler, and gives what it prints."""
    try:
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode == 0:
            return done.stdout
        text = done.stderr.decode(errors="replace")
    except OSError as error:
        text = f"the compiler did not start: {error}; install gcc or clang, or name yours in $CC"
    include = variable.removesuffix("_LIB") + "_INCLUDE"
    message = (
        f"the shim could not be compiled: {text}\nIs the header of the library installed? Directories of your "
        f"own go into ${include} and ${variable}. A package of `hotcell build` needs no compiler."
    )
    raise errors.LoadFailed({"kind": "LoadFailed", "message": message, "executed": "no"})
