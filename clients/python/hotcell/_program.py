"""The command `hotcell`, which came with the package."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Becomes the program."""
    program = Path(__file__).parent / "bin" / "hotcell"
    if not program.is_file():
        sys.exit(f"hotcell: {program} is not there: this package was built without it")
    os.execv(program, [str(program), *sys.argv[1:]])
