"""The measured library in a worker, through the package that is made of it."""

import sys
import time
from array import array
from contextlib import contextmanager
from pathlib import Path

from program import CALLBACKS, CRC, DATA, EACH, LIBRARY, ROWS, SUM, LeftOut, check, measure, serve, two

# How long the end of a worker is waited for.
PATIENCE = 5


def about():
    try:
        import hotcell
    except ImportError as error:
        raise LeftOut(f"there is no module `hotcell`, which the client for Python installs: {error}") from None
    # Its package is of the version of who asks.
    if hotcell.__version__ != sys.argv[2]:
        raise LeftOut(f"the module `hotcell` is {hotcell.__version__}, and the command that measures {sys.argv[2]}")
    return f"hotcell {hotcell.__version__}"


@contextmanager
def session(ask):
    """A worker of its own for each sample. Where a CPU is said for it both sides poll, else all options are as by default."""
    import measured_hotcell

    polling = {"waiting": "latency", "callers": 1} if ask["far"] is not None else {}
    with measured_hotcell.open(libraries=[str(Path(LIBRARY, "libhotcell_measured.so"))], **polling) as library:
        worker = library.worker_pid
        yield library, worker
    del library
    # What is measured next has the machine for itself.
    end = time.perf_counter() + PATIENCE
    while Path(f"/proc/{worker}").exists() and time.perf_counter() < end:
        time.sleep(0.001)


def add(ask):
    with session(ask) as (library, worker):
        check(library.add(1, 2), SUM)
        return measure(ask, two(library.add, 1, 2), worker=worker)


def crc32(ask):
    with session(ask) as (library, worker):
        check(library.crc32(0, DATA), CRC)
        return measure(ask, two(library.crc32, 0, DATA), worker=worker)


def callback(ask):
    with session(ask) as (library, worker):
        check(library.each(CALLBACKS, half), EACH)
        return measure(ask, two(library.each, CALLBACKS, half), each=CALLBACKS, worker=worker)


def half(number):
    return number // 2


def map_add(ask):
    column = array("i", range(ROWS))
    with session(ask) as (library, worker):
        check(list(library.add.map(column, 1)), list(range(1, ROWS + 1)))
        return measure(ask, two(library.add.map, column, 1), each=ROWS, worker=worker)


def map_crc32(ask):
    column = [DATA] * ROWS
    with session(ask) as (library, worker):
        check(list(library.crc32.map(0, column)), [CRC] * ROWS)
        return measure(ask, two(library.crc32.map, 0, column), each=ROWS, worker=worker)


if __name__ == "__main__":
    figures = {"add": add, "crc32.1k": crc32, "callback": callback}
    serve(about, {**figures, "map.add": map_add, "map.crc32.1k": map_crc32})
