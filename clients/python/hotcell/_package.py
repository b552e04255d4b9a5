"""What makes a package of its data: classes when it is imported, functions when it is opened."""

from __future__ import annotations

import enum
import json
import threading
from pathlib import Path
from typing import Any

from hotcell import _native, _shim, errors
from hotcell._structs import Struct


def define(namespace: dict[str, Any], *, libraries: list[tuple[str, str | None]], variable: str) -> None:
    """Fills the namespace of a generated package, whose data lie beside its file."""
    folder = Path(namespace["__file__"]).parent
    interface, names = (folder / "interface.json").read_text(), (folder / "names.json").read_text()
    classes(namespace, json.loads(names))
    places = [(name, None if at is None else str(folder.parent / at)) for name, at in libraries]

    lock = threading.Lock()

    def shim() -> bytes:
        # Threads that open the package first compile it once: the second finds what the first has kept.
        with lock:
            return _shim.of_package(folder, variable, places)

    package = _native.Package(interface, names, shim, namespace, places, variable)

    def open(**options: Any) -> _native.Library:
        """Opens a session: starts a worker that has the library."""
        return package.open(**options)

    open.__module__ = namespace["__name__"]
    namespace["open"] = open
    namespace["__all__"] = [name for name in namespace if not name.startswith("_")]


def classes(namespace: dict[str, Any], names: dict[str, Any]) -> None:
    """Makes the classes that these names are of."""
    module = namespace["__name__"]

    def make(name: str, bases: tuple[type, ...], doc: str, **own: Any) -> type:
        made = type(name, bases, {"__slots__": (), "__doc__": doc, "__module__": module, **own})
        namespace[name] = made
        return made

    # For type checkers, a class whose name is not known before is none.
    make_enum: Any = enum.IntEnum
    make(names["library"], (_native.Library,), "A session with the library.")
    for it in names["objects"].values():
        base = _native.Restorable if it.get("restores") else _native.Object
        make(it["name"], (base,), it["doc"])
    for it in names["structs"].values():
        fields = tuple(name for _, name, _ in it["fields"])
        make(it["name"], (Struct,), it["doc"], __slots__=fields, _fields=fields, _resident=it["resident"])
    for it in names["enums"].values():
        members = make_enum(it["name"], [tuple(member) for member in it["members"]], module=module)
        members.__doc__ = it["doc"]
        namespace[it["name"]] = members
    error = make(names["error"], (errors.LibraryError,), "An error that the library reports itself.")
    for symbol, it in names["errors"].items():
        make(it["name"], (error,), f"The library reports `{symbol}`.")
    for name, value in names["constants"].items():
        namespace[name] = value["value"]


def at_run_time(names: str, library: str) -> dict[str, Any]:
    """The namespace of a library that is bound when the program runs."""
    namespace: dict[str, Any] = {"__name__": f"hotcell.loaded.{library}"}
    classes(namespace, json.loads(names))
    return namespace
