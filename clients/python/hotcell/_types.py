"""The options of a session, for type checkers."""

from __future__ import annotations

import os
from typing import Literal, TypedDict


class Options(TypedDict, total=False):
    """How a session runs its library; times are in seconds."""

    deadline: float
    start_deadline: float
    cancel_grace: float
    worker: str | os.PathLike[str]
    libraries: list[str]
    directory: str | os.PathLike[str]
    environment: dict[str, str]
    sandbox: Literal["basic", "compute", "files", "network", "custom"]
    guard: Literal["none", "sampled", "all"]
    waiting: Literal["latency", "balanced", "economy"]
    callers: int
    spares: int
    max_input: int
    max_output: int
    max_objects: int
    max_callbacks: int
