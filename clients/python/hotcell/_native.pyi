"""The native module."""

import asyncio
import builtins
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from typing_extensions import ParamSpec, Self, Unpack

from hotcell._types import Options

__version__: str

_P = ParamSpec("_P")
_T = TypeVar("_T")

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

    def pipeline(self) -> Pipeline:
        """Begins a pipeline: calls that are sent without waiting for each."""

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
    def aio(self) -> Any:
        """The functions, to be awaited."""

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
    def aio(self) -> Any:
        """The functions of this object, to be awaited."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: builtins.type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

class Restorable(Object):
    """An object that is made anew when its worker has ended: by the next call with it that waits, as its contract says."""

    @property
    def restored(self) -> int:
        """How often it was made anew. What calls had done with it, other than to configure it, was lost each time."""

    def restore(self) -> None:
        """Sees to it that the object is there in the worker that serves. Calls that wait do that by themselves; those of a pipeline,
        of `map` and of `aio` do not."""

class Buffer:
    """Memory of a session: `memoryview(buffer)` and `numpy.frombuffer(buffer, …)` write into it."""

    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

class Pipeline:
    """Calls that are sent one after the other, and executed in that order, while Python goes on. Eight are in flight at most: the
    next one waits for the first. At the end of a `with` none is. It stays on its thread."""

    def send(self, function: Callable[_P, _T], /, *args: _P.args, **named: _P.kwargs) -> Coming[_T]:
        """Sends a call of a function of this session, such as `library.crc32` or `object.method`."""

    def settle(self) -> None:
        """Waits for all calls in flight, and keeps what they give. Behind it the worker is free for others."""

    @property
    def in_flight(self) -> int:
        """How many calls were sent whose reply nobody has looked at."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: builtins.type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

class Coming(Generic[_T]):
    """What a call of a pipeline is going to give."""

    def result(self) -> _T:
        """What the call gives, or raises. Waits for it, where it has not come, and for those in front of it."""

class Aio:
    """Functions, to be awaited."""

    def __getattr__(self, name: str) -> Callable[..., asyncio.Future[Any]]: ...

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
    calls: tuple[Callable[[str, str], dict[str, Any]], Callable[[str], None]],
    named: dict[str, Any] | None,
    /,
) -> Any: ...
