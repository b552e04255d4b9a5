"""The driver of the crash lab in Python: it makes the calls that the lab asks for, through a generated package, and says what came of
them. README.md in the folder above has what both say."""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import faulty_hotcell

import hotcell

# Options whose times are in milliseconds for the lab, and in seconds here.
TIMES = "_ms"

Order = dict[str, Any]


class Lacks(Exception):
    """The client has no such thing."""


class Driver:
    """What lives as long as this program."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.output = threading.Lock()
        self.libraries: dict[int, Any] = {}
        self.objects: dict[int, Any] = {}
        self.callbacks: dict[int, queue.SimpleQueue[Order]] = {}
        # Calls that the main thread is to make: only there Python hears of a signal.
        self.main: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self.busy = False
        self.calling: int | None = None
        self.bystander: Bystander | None = None

    def hear(self) -> None:
        """Does what the lab says, or has it done: no order waits for another."""
        for line in sys.stdin:
            order = json.loads(line)
            inside = order.get("callback") or order.get("inside")
            if inside:
                self.callbacks[inside].put(order)
            elif order["do"] == "call" and not self.busy:
                self.busy = True
                self.main.put(order)
            elif order["do"] == "call":
                threading.Thread(target=self.call, args=(order,)).start()
            elif order["do"] == "fork":
                self.main.put(order)
            else:
                threading.Thread(target=self.do, args=(order,)).start()
        self.main.put(None)

    def run(self) -> None:
        """Makes calls, on the main thread."""
        while True:
            try:
                order = self.main.get()
                if order is None:
                    os._exit(0)  # the workers end with this process
                if order["do"] == "fork":
                    self.do(order)
                else:
                    self.call(order)
                    self.busy = False
            except KeyboardInterrupt:
                continue  # of a call that was over just then

    def say(self, order: Order, said: dict[str, Any]) -> None:
        line = json.dumps({"id": order["id"], **said}) + "\n"
        with self.output:
            sys.stdout.write(line)
            sys.stdout.flush()

    def do(self, order: Order) -> None:
        """Does what is no call."""
        try:
            said = getattr(self, "do_" + order["do"].replace("-", "_"), self.do_nothing)(order)
        except Exception as error:
            said = {"failed": failed(error)}
        self.say(order, said or {})

    def do_nothing(self, order: Order) -> None:
        raise Lacks(f"the Python client has no `{order['do']}`")

    def do_open(self, order: Order) -> dict[str, Any]:
        number = next(self.numbers)
        self.libraries[number] = faulty_hotcell.open(**options(order["options"]))
        return {"session": number}

    def do_close(self, order: Order) -> None:
        self.libraries.pop(order["session"]).close()

    def do_release(self, order: Order) -> None:
        self.objects.pop(order["object"]).release()

    def do_cancel(self, order: Order) -> None:
        if self.calling == order["call"]:
            signal.raise_signal(signal.SIGINT)

    def do_stats(self, order: Order) -> dict[str, Any]:
        return {"stats": self.libraries[order["session"]].info()}

    def do_state(self, order: Order) -> dict[str, Any]:
        before = os.umask(0o022)
        os.umask(before if order["mask"] is None else order["mask"])
        environment = "\n".join(f"{name}={value}" for name, value in os.environ.items())
        return {"directory": os.getcwd(), "mask": before, "environment": environment}

    def do_bystander(self, order: Order) -> dict[str, Any]:
        if self.bystander is None:
            self.bystander = Bystander()
        return {"right": self.bystander.right, "wrong": self.bystander.wrong}

    def do_goroutines(self, order: Order) -> dict[str, Any]:
        return {"count": None}

    def do_fork(self, order: Order) -> dict[str, Any]:
        """A child that asks for a call in the session that it has inherited, and in one of its own."""
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            inherited = word(lambda: self.libraries[order["session"]].call("faulty_add", 2, 3))

            def own_call() -> Any:
                with faulty_hotcell.open(libraries=[os.environ["LAB_LIBRARY"]]) as library:
                    return library.call("faulty_add", 2, 3)

            os.write(writes, f"{inherited} {word(own_call)}".encode())
            os._exit(0)
        os.close(writes)
        with os.fdopen(reads) as pipe:
            inherited, _, own = pipe.read().partition(" ")
        _, status = os.waitpid(child, 0)
        return {"inherited": inherited, "own": own, "status": status}

    def call(self, order: Order) -> None:
        """Makes a call, on the thread that runs this."""
        begun = time.monotonic_ns()
        around, self.calling = self.calling, order["id"]
        try:
            library = self.libraries[order["session"]]
            if order["within_ms"] is not None:
                library = library.within(order["within_ms"] / 1e3)
            args = [self.value(order, arg) for arg in order["args"]]
            begun = time.monotonic_ns()
            result = library.call(order["function"], *args)
            took = time.monotonic_ns() - begun
            results = () if result is None else result if type(result) is tuple else (result,)
            said: dict[str, Any] = {"values": [self.said(it) for it in results]}
        except (Exception, KeyboardInterrupt) as error:
            took = time.monotonic_ns() - begun
            said = {"failed": failed(error)}
        finally:
            self.calling = around
        self.say(order, {**said, "ns": took})

    def call_back(self, call: Order, args: tuple[Any, ...]) -> Any:
        """Has the lab say what a callback returns, and makes the calls that are to be made in it."""
        number, hears = next(self.numbers), queue.SimpleQueue[Order]()
        self.callbacks[number] = hears
        self.say(call, {"callback": number, "args": [self.said(arg) for arg in args]})
        try:
            while True:
                order = hears.get()
                if order["do"] == "call":
                    self.call(order)
                elif order.get("fail") is not None:
                    raise Raised(order["fail"])
                else:
                    return self.value(call, order["value"])
        finally:
            del self.callbacks[number]

    def value(self, call: Order, given: Any) -> Any:
        """What the lab says, as Python has it."""
        if isinstance(given, list):
            return [self.value(call, item) for item in given]
        if not isinstance(given, dict):
            return given
        (kind, it), *_ = given.items()
        match kind:
            case "int":
                return int(it)
            case "float":
                return float(it)
            case "bytes":
                return bytes.fromhex(it)
            case "repeat":
                return it * given["times"]
            case "object":
                return self.objects[it]
        return lambda *args: self.call_back(call, args)

    def said(self, value: Any) -> Any:
        """A result, as the lab is told it."""
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int):
            return {"int": str(int(value))}
        if isinstance(value, float):
            return {"float": str(value)}
        if isinstance(value, bytes | bytearray):
            return {"bytes": value.hex()}
        if isinstance(value, hotcell.Object):
            number = next(self.numbers)
            self.objects[number] = value
            return {"object": number}
        return [self.said(item) for item in value]


class Raised(Exception):
    """What a callback raises."""


def word(call: Callable[[], Any]) -> str:
    """What came of a call, in a word."""
    try:
        return str(call())
    except hotcell.Error as error:
        return error.kind


def failed(error: BaseException) -> dict[str, Any]:
    """What the lab is told of a call that failed."""
    name = type(error).__name__
    if isinstance(error, Raised):
        # It comes out of the call as itself: that is how a failed callback is told in Python.
        return {"kind": "CallbackFailed", "message": str(error), "text": str(error), "output": "", "shortage": False}
    if not isinstance(error, hotcell.Error):
        why = {KeyboardInterrupt: "given-up", Lacks: "lacks", AttributeError: "impossible"}.get(type(error), "refused")
        return {"why": why, "message": f"{name}: {error}"}
    text = "; ".join([str(error), f"executed: {error.executed}", *getattr(error, "__notes__", []), error.to_json()])
    return {
        "kind": error.kind,
        "message": error.message,
        "text": text,
        "output": error.output,
        "shortage": error.shortage is not None,
    }


def options(given: dict[str, Any]) -> dict[str, Any]:
    """Options as the lab says them, by their names here: times are in seconds."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name.endswith(TIMES):
            name, value = name.removesuffix(TIMES), None if value is None else value / 1e3
        elif isinstance(value, dict) and name not in ("environment", "sandbox"):
            value = options(value)
        found[name] = value
    return found


class Bystander:
    """Somebody else, who calls in a session of their own all the while."""

    def __init__(self) -> None:
        self.right = self.wrong = 0
        self.library = faulty_hotcell.open(libraries=[os.environ["LAB_LIBRARY"]], waiting="economy")
        threading.Thread(target=self.call, daemon=True).start()

    def call(self) -> None:
        for turn in itertools.cycle(range(1000)):
            try:
                right = self.library.add(turn, 7) == turn + 7
            except hotcell.Error:
                right = False
            if right:
                self.right += 1
            else:
                self.wrong += 1
            time.sleep(0.001)


def main() -> None:
    """Runs until the lab says nothing more."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    driver = Driver()
    threading.Thread(target=driver.hear, daemon=True).start()
    driver.run()


if __name__ == "__main__":
    main()
