"""The class that the structures of every package extend."""

from __future__ import annotations

from typing import Any, ClassVar


class Struct:
    """A structure: its fields are attributes. What is None is zero, empty or NULL in C.

    One that the library keeps between calls is made for a library, `Stream(library)`: its object is there from the first call that
    begins it, and is released with `release()`, at the end of a `with`, or when nobody has the structure any more.
    """

    # Each class has places for its fields, and for nothing else: what is misspelt is not set.
    __slots__ = ("__weakref__", "_library", "_object")

    _fields: ClassVar[tuple[str, ...]] = ()
    _resident: ClassVar[bool] = False
    _object: Any
    _library: Any

    def __new__(cls, /, *_args: Any, **_fields: Any) -> Struct:
        new = super().__new__(cls)
        new._object = new._library = None
        for name in cls._fields:
            setattr(new, name, None)
        return new

    def __init__(self, /, *library: Any, **fields: Any) -> None:
        if len(library) != self._resident:
            takes = "the library, and fields by name" if self._resident else "fields by name"
            raise TypeError(f"{type(self).__name__}() takes {takes}")
        if library:
            self._library = library[0]
        for name, value in fields.items():
            if name not in self._fields:
                raise TypeError(f"{type(self).__name__} has no field `{name}`; it has {', '.join(self._fields)}")
            setattr(self, name, value)

    def release(self) -> None:
        """Lets go of the object that the library keeps, if there is one."""
        held, self._object = self._object, None
        if held is not None:
            held.release()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.release()

    def __getattr__(self, name: str) -> Any:
        # Only of what is not there.
        import difflib

        known = [each for each in (*self._fields, *dir(type(self))) if not each.startswith("_")]
        near = difflib.get_close_matches(name, known, 3)
        what = f"; is it {' or '.join(f'`{each}`' for each in near)}?" if near else ""
        raise AttributeError(f"{type(self).__name__} has no field or function `{name}`{what}")

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A copy would have the same object of the library, and release it a second time.
        if self._resident:
            raise TypeError(f"a {type(self).__name__} cannot be pickled or copied: it lives in the worker of its session")
        return super().__reduce_ex__(protocol)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        same = self._object is None or self._object == getattr(other, "_object", None)
        return same and all(getattr(self, name) == getattr(other, name) for name in self._fields)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({fields})"
