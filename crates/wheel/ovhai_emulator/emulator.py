"""An emulator of one's own, in a process of its own."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import tempfile
from typing import IO, Optional, Sequence, Tuple
from urllib.parse import urlsplit

from .binary import executable
from .errors import EmulatorError
from .http import Server
from .project import Project

# Says where the emulator is, and runs until this process closes its standard input: at its end,
# whatever way it comes, so that no emulator outlives the tests.
_SESSION = """printf '%s\\n' "$OVHAI_STATE_DIR"; exec cat > /dev/null"""


class Emulator(Project):
    """An emulator that keeps its state in memory, listens on a free port of 127.0.0.1, and ends with
    this object, or with this process if it is killed.

    `options` are those of `ovhai emulator exec`, such as `["--quota", "unlimited"]`; their variables
    count, too, such as `OVHAI_ENGINE`. Use it as a context manager, or call `stop`.
    """

    def __init__(self, options: Sequence[str] = (), *, timeout: float = 30.0) -> None:
        self._process, self._errors, state_dir = _start(options)
        self._timeout = timeout
        try:
            super().__init__(_server(state_dir))
        except BaseException:
            self.stop()
            raise

    def clean(self) -> None:
        """Stops the emulator, which takes its apps and tokens along."""
        self.stop()

    def stop(self) -> None:
        """Stops the emulator and its apps, and waits until they have ended."""
        process = self._process
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()
        try:
            process.wait(self._timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._errors.close()

    @property
    def pid(self) -> int:
        """The process that the emulator's life depends on."""
        return self._process.pid


def _start(options: Sequence[str]) -> Tuple[subprocess.Popen[bytes], IO[bytes], str]:
    command = [executable(), "emulator", "exec", *options, "--", "/bin/sh", "-c", _SESSION]
    errors = tempfile.TemporaryFile()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        # Ctrl-C ends the tests first, which then stop it.
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    line = process.stdout.readline().rstrip(b"\n")
    if line:
        return process, errors, os.fsdecode(line)
    process.stdin.close()
    process.stdout.close()
    code = process.wait()
    errors.seek(0)
    said = errors.read().decode("utf-8", "replace").strip()
    errors.close()
    raise EmulatorError(f"the emulator did not start (exit code {code})\n{said}")


def _server(state_dir: str) -> Server:
    path = os.path.join(state_dir, "emulator.json")
    with open(path, encoding="utf-8") as file:
        running = json.load(file)
    address = urlsplit(f"//{running['address']}")
    host = address.hostname or ""
    return Server(
        # The owner's bearer counts over loopback only, also where the emulator listens elsewhere.
        host=host if ipaddress.ip_address(host).is_loopback else "127.0.0.1",
        port=address.port or 0,
        administrator=running["administrator"],
        regions=tuple(running["regions"]),
        state_dir=state_dir,
        version=running["version"],
    )


def running(state_dir: Optional[str] = None) -> Project:
    """The emulator that runs in a state directory; by default in that of `OVHAI_STATE_DIR`, which
    `ovhai emulator exec` sets. It goes on after this process."""
    directory = state_dir or os.environ.get("OVHAI_STATE_DIR")
    if not directory:
        raise EmulatorError("OVHAI_STATE_DIR is not set: run this below ovhai emulator exec")
    try:
        return Project(_server(directory))
    except (OSError, ValueError, KeyError) as error:
        raise EmulatorError(f"no emulator runs in {directory}: {error}") from error
