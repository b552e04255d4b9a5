"""What ends the future of a call, in its loop."""

from __future__ import annotations

import asyncio
from typing import Any


def finish(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    """Gives a future its result, unless nobody waits for it any more."""
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
