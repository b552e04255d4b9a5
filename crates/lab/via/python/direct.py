"""What happens today in Python: a program that calls the faulty library directly, by ctypes, one scenario a run.

It says and does what direct.c does: functions of numbers are called from here, and so is what has to do with callbacks; the rest are
that program's own scenarios, which are called from here as a library.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable

# The next call was right, or was not.
LIVES, WRONG = 77, 78

Visit = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


def jump_out(library: ctypes.CDLL) -> str:
    """Has the library jump over the frames of this program's callback."""
    ended = 0

    @Visit
    def visit(user: int | None, number: int) -> int:
        nonlocal ended
        seen: int = library.faulty_inner(number)
        ended += 1
        return seen

    total = library.faulty_outer(visit, None)
    return f"{total}, and {ended} of its callbacks ended"


def recurse(library: ctypes.CDLL) -> str:
    """Calls the library in its own callback, and so on."""

    @Visit
    def visit(user: int | None, number: int) -> int:
        return int(library.faulty_outer(visit, None)) + number

    return str(library.faulty_outer(visit, None))


def throw_through(library: ctypes.CDLL) -> str:
    """Raises in a callback; then once more."""

    @Visit
    def visit(user: int | None, number: int) -> int:
        raise RuntimeError("the program's own failure")

    caught = 0
    for _ in range(2):
        try:
            library.faulty_locked(visit, None)
        except RuntimeError:
            caught += 1
    return f"and caught {caught} of 2"


def call_back_in_thread(library: ctypes.CDLL) -> str:
    """Is called back from a thread of the library."""
    here, there = threading.get_ident(), []

    @Visit
    def visit(user: int | None, number: int) -> int:
        there.append(threading.get_ident())
        return number

    library.faulty_call_back_in_thread(visit, None)
    return "in order" if there == [here] else "when the program's function had run on a foreign thread"


SCENARIOS: dict[str, Callable[[ctypes.CDLL], str]] = {
    "jump_out": jump_out,
    "recurse": recurse,
    "throw_through": throw_through,
    "call_back_in_thread": call_back_in_thread,
}


def main() -> int:
    """Runs the scenario that the words name."""
    path, *words = sys.argv[1:]
    library = ctypes.CDLL(path)
    name = words[0]
    if name in SCENARIOS:
        print("began", flush=True)
        print("returned", SCENARIOS[name](library), flush=True)
    elif library.is_scenario(name.encode()):
        given = ["", *words]
        array = (ctypes.c_char_p * (len(given) + 1))(*[word.encode() for word in given], None)
        return int(library.direct(len(given), array))
    else:
        print("began", flush=True)
        print("returned", library[f"faulty_{name}"](*[int(word) for word in words[1:]]), flush=True)
    return LIVES if library.faulty_add(2, 3) == 5 else WRONG


if __name__ == "__main__":
    sys.exit(main())
