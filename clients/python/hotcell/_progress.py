"""What is told of work that takes its time: to a function, to `logging`, and to who waits at a terminal."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_log = logging.getLogger("hotcell")

# How long nobody needs to be told anything, in seconds.
PATIENCE = 0.5


class Progress:
    """Tells steps. Each goes to `logging` at the level INFO, and to the function, if there is one; else to standard error, where that is
    a terminal, `logging` tells nobody, and the work takes longer than a moment. Nothing of it stays there."""

    def __init__(self, told: Callable[[str], object] | None = None) -> None:
        self._told = told
        self._line: _Line | None = None

    def __enter__(self) -> Progress:
        logs = _log.isEnabledFor(logging.INFO) and _log.hasHandlers()
        if self._told is None and not logs:
            self._line = _Line.of(sys.stderr)
        return self

    def __call__(self, step: str) -> None:
        _log.info("%s", step)
        if self._told is not None:
            self._told(step)
        if self._line is not None:
            self._line.say(step)

    def clear(self) -> None:
        """Somebody else is about to write there."""
        if self._line is not None:
            self._line.say("")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.end()


class _Line:
    """The last line of a terminal, as long as it is needed. The work is not worse for what goes wrong with it."""

    @staticmethod
    def of(out: TextIO | None) -> _Line | None:
        """One of a stream that is a terminal, and can be asked how wide it is."""
        try:
            return _Line(out) if out is not None and out.isatty() else None
        except Exception:
            return None

    def __init__(self, out: TextIO) -> None:
        self._out = out
        # A longer line would be two, of which the first stayed.
        self._room = max(os.get_terminal_size(out.fileno()).columns - 1, 0)
        self._lock = threading.Lock()
        self._step = ""
        self._shown: int | None = None
        self._over = False
        self._timer = threading.Timer(PATIENCE, self._begin)
        self._timer.daemon = True
        self._timer.start()

    def say(self, step: str) -> None:
        with self._lock:
            self._step = step
            if self._shown is not None:
                self._write(step)

    def end(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._shown:
                self._write("")

    def _begin(self) -> None:
        with self._lock:
            if not self._over:
                self._write(self._step)

    def _write(self, step: str) -> None:
        # Of ASCII each character is a column, in every encoding.
        text = f"hotcell: {step} ..." if step else ""
        text = text.encode("ascii", "replace").decode("ascii")[: self._room]
        blank = " " * (self._shown or 0)
        try:
            self._out.write(f"\r{blank}\r{text}")
            self._out.flush()
        except Exception:
            # It may have been closed meanwhile.
            pass
        self._shown = len(text)
