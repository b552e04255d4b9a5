"""The native module."""

import builtins
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self, Unpack

from hotcell._types import Options

__version__: str

class Library:
    """A session with a library: its functions are attributes. It ends with `close()`, at the end of a `with`, or when nobody has
    it, its functions and its objects any more."""

    def close(self) -> None:
        """Ends the session, when its objects and functions have gone, too. Calling this again does nothing."""

    def open(self, **options: Unpack[Options]) -> Self:
        """Another session with the same library: for a process that was forked, or for other options."""

    def within(self, seconds: float) -> Self:
        """The same library, for calls with this deadline, in seconds."""

    def buffer(self, bytes: int) -> Buffer:
        """Memory of the session, which the library reads where it lies."""

    def call(self, c_name: str, /, *args: Any) -> Any:
        """Calls a function by its name in C, with the object that it is a method of where C has it."""

    def type(self, name: str) -> Any:
        """A class of objects or structures by its name."""

    def info(self) -> dict[str, Any]:
        """What is known of the session: its worker, calls and faults."""

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker; None after a fault, until the next call."""

    @property
    def generation(self) -> int:
        """Which worker serves, from 1: another number after every fault."""

    @property
    def aio(self) -> Aio:
        """The functions as coroutines."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: builtins.type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

class Stack:
    """The stack of a call that crashed or hung, as it was."""

    def frames(self) -> list[tuple[str, int, str | None, str | None, int | None]]: ...

class Object:
    """An object of a library. It is released with `release()`, at the end of a `with`, or when nobody has it any more."""

    def release(self) -> None:
        """Lets go of the object: the library releases it, if it is the application's. Calling this again does nothing."""

    def within(self, seconds: float) -> Self:
        """The same object, for calls with this deadline, in seconds."""

    @property
    def aio(self) -> Aio:
        """The functions of this object as coroutines."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: builtins.type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

class Buffer:
    """Memory of a session: `memoryview(buffer)` and `numpy.frombuffer(buffer, …)` write into it."""

    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

class Aio:
    """Functions as coroutines."""

    def __getattr__(self, name: str) -> Callable[..., Any]: ...

class Package:
    """A package, for the Python that defines its classes."""

    def __init__(
        self,
        interface: str,
        names: str,
        shim: Callable[[], builtins.bytes],
        namespace: dict[str, Any],
        libraries: list[tuple[str, str | None]],
        variable: str,
    ) -> None: ...
    def open(self, **options: Unpack[Options]) -> Library: ...

def kept(place: Path) -> builtins.bytes | None: ...
def keep(place: Path, shim: builtins.bytes) -> bool: ...
def load(
    source: list[Path],
    lib: str | None,
    include_dirs: Sequence[str | PathLike[str]],
    library_dirs: Sequence[str | PathLike[str]],
    defines: list[str],
    cache: Path | None,
    define: Callable[[str, str], dict[str, Any]],
    named: dict[str, Any] | None,
    /,
) -> Any: ...
