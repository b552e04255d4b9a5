"""The options of a session, for type checkers."""

from __future__ import annotations

import os
from typing import Any, Literal, TypedDict


class Limits(TypedDict, total=False):
    """What a worker may have: bytes, numbers, and CPU time in seconds. `None` is no limit."""

    descriptors: int
    stack: int
    data: int | None
    address_space: int | None
    cpu: float | None
    threads: int | None
    memory: int | None
    temporary: int | None


class Recycle(TypedDict, total=False):
    """When a worker is replaced though it has not failed; `None` is never."""

    every: float
    calls: int | None
    age: float | None
    memory: int | None
    memory_for: float
    descriptors: int | None
    threads: int | None
    leaked: int | None
    patience: float | None
    probe: float | None


class Restart(TypedDict, total=False):
    """When a library that ends its workers again and again is given no other one for a while."""

    faults: int
    within: float
    pause: float
    longest_pause: float


class Options(TypedDict, total=False):
    """How a session runs its library; times are in seconds."""

    deadline: float
    start_deadline: float
    cancel_grace: float
    worker: str | os.PathLike[str]
    libraries: list[str]
    directory: str | os.PathLike[str]
    environment: dict[str, str]
    sandbox: Literal["basic", "compute", "files", "network", "custom"] | dict[str, Any]
    control_groups: list[str | os.PathLike[str]]
    guard: Literal["none", "sampled", "all"]
    waiting: Literal["latency", "balanced", "economy"]
    callers: int
    spares: int
    max_input: int
    max_output: int
    max_objects: int
    max_callbacks: int
    limits: Limits
    recycle: Recycle
    restart: Restart
