"""`python -m ovhai_emulator …` is `ovhai …`."""

from __future__ import annotations

import os
import sys

from .binary import executable

if __name__ == "__main__":
    program = executable()
    os.execv(program, [program, *sys.argv[1:]])
