"""Where the executable is."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Iterator

from .errors import EmulatorError

VARIABLE = "OVHAI_EMULATOR_BINARY"
_NAME = "ovhai"


def executable() -> str:
    """The path of `ovhai`: `OVHAI_EMULATOR_BINARY`, else the wheel's own, else that of `PATH`."""
    given = os.environ.get(VARIABLE)
    if given:
        if not os.access(given, os.X_OK):
            raise EmulatorError(f"{VARIABLE}: {given} is missing, or is not executable")
        return given
    for path in _installed():
        if os.access(path, os.X_OK):
            return str(path)
    found = shutil.which(_NAME)
    if found:
        return found
    raise EmulatorError(
        f"the executable {_NAME} is missing: reinstall ovhai-emulator, or set {VARIABLE}"
    )


def _installed() -> Iterator[Path]:
    """Where installers put a wheel's scripts."""
    yield Path(sysconfig.get_path("scripts")) / _NAME
    yield Path(sys.prefix) / "bin" / _NAME
    # `pip install --user` and `pip install --target DIRECTORY`
    scheme = f"{os.name}_user"
    if scheme in sysconfig.get_scheme_names():
        yield Path(sysconfig.get_path("scripts", scheme)) / _NAME
    packages = Path(__file__).resolve().parent.parent
    yield packages / "bin" / _NAME
    # A directory of packages that is on PYTHONPATH: `lib/python3.12/site-packages`.
    yield packages.parent.parent.parent / "bin" / _NAME
