"""What may be passed as data, for type checkers: there is no such module when a program runs."""

from typing import Any, Protocol

from typing_extensions import Buffer as _Buffer

class Array(Protocol):
    """An array of NumPy. Before Python 3.12 nothing says to type checkers that it has a buffer, as it has."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...

Buffer = _Buffer | Array
