"""What all errors of calls have."""

from __future__ import annotations

import json
import pickle
import sys
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from hotcell._native import Stack


class Frame(NamedTuple):
    """Where the thread was in C that ended the worker, or where a function there returns to."""

    module: str
    """The file that the code is from."""
    offset: int
    """Where in it."""
    function: str | None
    """The function, as far as the module's file says it."""
    file: str | None
    """The source file."""
    line: int | None

    def __str__(self) -> str:
        place = f" at {self.file}" if self.file else ""
        line = f":{self.line}" if self.file and self.line else ""
        return f"{self.function or '??'}{place}{line} ({self.module}+{self.offset:#x})"


class Error(Exception):
    """A failed call. The class says what happened, the attributes everything else that is known of it."""

    kind: ClassVar[str] = ""
    """The kind, the same in every language."""
    code: ClassVar[int] = 0
    """The kind as a number, which never changes."""
    retry: ClassVar[str] = "never"
    """When the same call may be made again: `never`, `idempotent` (if the function is), `later`."""

    message: str
    """In words, without library and function."""
    library: str
    function: str
    """The function in C; empty when no call was involved."""
    call_id: int
    """Unique in this process; 0 when no call was involved."""
    generation: int
    """Which worker of the session it was, from 1."""
    time_unix_ms: int
    """When it was noticed."""
    call_site: str | None
    """Where Python called: `file:line`."""
    executed: str
    """Whether the library executed the call: `no`, `maybe` or `yes`."""
    tries: int
    """How often the call was made."""
    fault: bool
    """Whether a worker died or broke the protocol."""
    advice: str
    """What to do about it."""
    cause: dict[str, Any] | None
    """What is known beyond the kind: signal and address, exit status, limit, system call, the argument …"""
    refused: Any
    """What the sandbox refused the library, perhaps the reason."""
    shortage: Any
    """That the library was refused memory, perhaps the reason."""
    outputs: dict[str, Any]
    """What the call gave all the same, by the names of the parameters."""
    output: str
    """The end of what the worker printed."""

    def __init__(self, info: dict[str, Any] | str = "") -> None:
        given = {"message": info} if isinstance(info, str) else dict(info)
        text = given.pop("text", given.get("message", ""))
        super().__init__(text)
        self._stack: Stack | None = given.pop("stack", None)
        self._frames: list[Frame] | None = None
        if (frames := given.pop("frames", None)) is not None:
            self._frames = [Frame(*each) for each in frames]
        self._info = {"text": text, **given}
        known: dict[str, Any] = {
            "message": text,
            "library": "",
            "function": "",
            "call_id": 0,
            "generation": 0,
            "time_unix_ms": 0,
            "call_site": None,
            "executed": "no",
            "tries": 1,
            "fault": isinstance(self, Fault),
            "advice": "",
            "cause": None,
            "refused": None,
            "shortage": None,
            "outputs": {},
            "output": "",
        }
        # Kind, code and retry are the class's.
        known.update((name, value) for name, value in given.items() if name in known)
        self.__dict__.update(known)

    def to_json(self) -> str:
        """All of it as JSON, as every language has it."""
        own = {name: self.__dict__[name] for name in self._names() if name in self.__dict__}
        return json.dumps({"kind": self.kind, "code": self.code, "retry": self.retry, **own}, default=_plain)

    def frames(self) -> list[Frame]:
        """Where the thread was in C that ended the worker, the innermost first: of a call that crashed, or had to be ended because it hung. Empty
        where the worker left no stack. The files of the libraries are read now, for functions, files and lines."""
        if self._frames is None:
            found = self._stack.frames() if self._stack is not None else []
            self._frames, self._stack = [Frame(*each) for each in found], None
        return self._frames

    @staticmethod
    def _names() -> list[str]:
        return [name for name in Error.__annotations__ if name not in ("kind", "code", "retry")]

    def __reduce__(self) -> tuple[Any, ...]:
        # What cannot go along, such as an object of the library, goes as it is shown.
        # The stack stays in this process: its frames go instead.
        frames = [tuple(each) for each in self.frames()]
        return _importable(type(self)), (_portable({**self._info, "frames": frames}),)


class Fault(Error):
    """The worker died, or broke the protocol. The next call runs on another one."""


class Reported:
    """What an error has that the library reports itself."""

    cause: dict[str, Any] | None

    @property
    def symbol(self) -> str | None:
        """The name of its code in the library's header."""
        return (self.cause or {}).get("symbol")

    @property
    def library_code(self) -> int | None:
        """What the function returned, or the code that the contract asks for."""
        return (self.cause or {}).get("code")

    @property
    def errno(self) -> int:
        """`errno` right after the call; 0 when it was not set."""
        return int((self.cause or {}).get("errno") or 0)


def _importable(kind: type[Error]) -> type[Error]:
    """The class itself, or the nearest above it that another process can import: `hotcell.load` makes classes that it cannot."""
    for each in kind.__mro__:
        found = getattr(sys.modules.get(each.__module__), each.__name__, None)
        if isinstance(found, type) and issubclass(found, Error) and found is each:
            return found
    return Error


def _portable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _portable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_portable(each) for each in value)
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001
        return repr(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": len(value), "hex": bytes(value).hex()}
    return str(value)
