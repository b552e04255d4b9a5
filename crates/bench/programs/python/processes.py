"""The measured library in another process of Python, by multiprocessing: a pipe, and a pool of one."""

import multiprocessing
import platform
from contextlib import contextmanager

from direct_ctypes import load
from program import CRC, DATA, LIBRARY, SUM, check, measure, serve


def about():
    return f"multiprocessing of Python {platform.python_version()}, by {multiprocessing.get_start_method()}"


def answer_add(connection, folder):
    """In the other process."""
    call = load(folder).measured_add
    while True:
        a, b = connection.recv()
        connection.send(call(a, b))


def answer_crc32(connection, folder):
    """In the other process."""
    call = load(folder).measured_crc32
    while True:
        crc, data = connection.recv()
        connection.send(call(crc, data, len(data)))


@contextmanager
def piped(answer):
    """A call over a pipe, to another process that answers."""
    near, far = multiprocessing.Pipe()
    process = multiprocessing.Process(target=answer, args=(far, LIBRARY), daemon=True)
    process.start()
    far.close()

    def block(calls, message):
        send, receive = near.send, near.recv
        for _ in range(calls):
            send(message)
            receive()

    def call(message):
        near.send(message)
        return near.recv()

    try:
        yield call, block
    finally:
        process.terminate()
        process.join()
        near.close()


def pipe(ask, answer, message, expected):
    with piped(answer) as (call, block):
        check(call(message), expected)
        return measure(ask, lambda calls: block(calls, message))


library = None


def begin(folder):
    """In each process of a pool."""
    global library
    library = load(folder)


def pool_add(a, b):
    return library.measured_add(a, b)


def pool_crc32(crc, data):
    return library.measured_crc32(crc, data, len(data))


def pool(ask, function, arguments, expected):
    with multiprocessing.Pool(1, begin, (LIBRARY,)) as processes:
        check(processes.apply(function, arguments), expected)

        def block(calls):
            apply = processes.apply
            for _ in range(calls):
                apply(function, arguments)

        return measure(ask, block)


if __name__ == "__main__":
    serve(
        about,
        {
            "pipe.add": lambda ask: pipe(ask, answer_add, (1, 2), SUM),
            "pipe.crc32.1k": lambda ask: pipe(ask, answer_crc32, (0, DATA), CRC),
            "pool.add": lambda ask: pool(ask, pool_add, (1, 2), SUM),
            "pool.crc32.1k": lambda ask: pool(ask, pool_crc32, (0, DATA), CRC),
        },
    )
