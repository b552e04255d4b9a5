"""What procfs says of processes."""

from __future__ import annotations

from pathlib import Path


def children(process: int) -> list[int]:
    """Those that any thread of this process has started. A thread that ends meanwhile leaves its own to another."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def descendants(process: int) -> list[int]:
    """Children, and theirs."""
    return [found for child in children(process) for found in [child, *descendants(child)]]
