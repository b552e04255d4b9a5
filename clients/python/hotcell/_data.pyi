"""What the stubs of packages are written with, for type checkers: there is no such module when a program runs."""

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from typing_extensions import Buffer as _Buffer

_T = TypeVar("_T")
_Filled = TypeVar("_Filled")
_Rows = TypeVar("_Rows")
_P = ParamSpec("_P")
_Memory = ParamSpec("_Memory")
_Columns = ParamSpec("_Columns")

class Array(Protocol):
    """An array of NumPy. Before Python 3.12 nothing says to type checkers that it has a buffer, as it has."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...

Buffer: TypeAlias = _Buffer | Array

# What `map` takes: the same for each row, or one for each.
Column: TypeAlias = _T | Sequence[_T]
Numbers: TypeAlias = _T | Sequence[_T] | Buffer
Structures: TypeAlias = _T | Sequence[_T] | Array

class _Maps(Generic[_Columns, _Rows]):
    __name__: str
    __c_name__: str

    def map(self, *columns: _Columns.args, **named: _Columns.kwargs) -> _Rows:
        """Calls it for each row of columns, many at a time. A list is a column, and for a number whatever has a buffer; everything else is
        the same for each row."""

class Function(_Maps[_Columns, _Rows], Generic[_P, _T, _Columns, _Rows]):
    """A function of a library, or of an object."""

    def __call__(self, *args: _P.args, **named: _P.kwargs) -> _T: ...

class Filling(_Maps[_Columns, _Rows], Generic[_P, _T, _Memory, _Filled, _Columns, _Rows]):
    """One that is passed how much there is room for, and gives the data; or memory that it fills, and tells how many elements."""

    @overload
    def __call__(self, *args: _P.args, **named: _P.kwargs) -> _T: ...
    @overload
    def __call__(self, *args: _Memory.args, **named: _Memory.kwargs) -> _Filled: ...

def maps(
    columns: Callable[Concatenate[Any, _Columns], _Rows],
) -> Callable[[Callable[Concatenate[Any, _P], _T]], Function[_P, _T, _Columns, _Rows]]:
    """Says of a function what its `map` takes and gives."""

def fills(
    memory: Callable[Concatenate[Any, _Memory], _Filled],
    columns: Callable[Concatenate[Any, _Columns], _Rows],
) -> Callable[[Callable[Concatenate[Any, _P], _T]], Filling[_P, _T, _Memory, _Filled, _Columns, _Rows]]:
    """The same of one that may be passed memory to fill."""
