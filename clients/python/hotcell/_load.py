"""`hotcell.load`: a library is bound when the program runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hotcell import _native, _package, _shim
from hotcell._progress import Progress

_Place = str | os.PathLike[str]


def load(
    source: _Place | Sequence[_Place],
    lib: _Place | None = None,
    *,
    include_dirs: Sequence[_Place] = (),
    library_dirs: Sequence[_Place] = (),
    defines: Sequence[str] = (),
    cache: bool = True,
    progress: Callable[[str], object] | None = None,
    **options: Any,
) -> Any:
    """Binds a library, and opens a session with it.

    `source` is a header (`"zlib.h"`), a list of them, or a contract (`"bind.toml"`), which names its library itself. `lib` is the
    library: `"z"`, `"libz.so.1"`, or a path. The other options are those of every session. What a header does not say is not
    bound: asking for such a function says why, and the line of a contract that would help. Constants and classes are attributes, too:
    `z.BEST_SPEED`, `z.ZStream(z)`. Constants and functions have their names in C, too.

    It needs libclang and a C compiler. The compiled shim is kept for the next time, in `$XDG_CACHE_HOME/hotcell`; `cache=False` does
    without. `progress` is called with what is done next, such as "reading zlib.h". Without it that is shown where standard error is a
    terminal, once it takes longer than a moment; `logging.getLogger("hotcell")` has it at INFO, and then alone.
    """
    listed = isinstance(source, Sequence) and not isinstance(source, str)
    sources = [os.fspath(it) for it in source] if listed else [os.fspath(source)]  # type: ignore[arg-type,union-attr]
    contract = len(sources) == 1 and sources[0].endswith(".toml")
    if contract and lib is not None:
        raise TypeError("a contract names its library itself: leave `lib` out")
    if not contract and lib is None:
        raise TypeError("which library is it? lib=\"z\" for libz, or a path")
    for name, several in {"include_dirs": include_dirs, "library_dirs": library_dirs, "defines": defines}.items():
        if isinstance(several, (str, os.PathLike)):
            raise TypeError(f"{name} is a list: [{os.fspath(several)!r}]")
    kept = _shim.cache_folder() / "shims" if cache else None
    with Progress(progress) as tell:
        return _native.load(
            [Path(it) for it in sources],
            None if lib is None else os.fspath(lib),
            list(include_dirs),
            list(library_dirs),
            list(defines),
            kept,
            (_package.at_run_time, tell),
            options,
        )
