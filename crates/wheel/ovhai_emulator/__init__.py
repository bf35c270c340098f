"""OVHcloud AI Deploy for tests: starts the emulator, runs apps in it, and asks it what it saw.

    from ovhai_emulator import Emulator

    with Emulator() as emulator:
        app = emulator.run("python3 -m http.server {port}", labels={"group": "A"})
        reader = emulator.token(role="read", selector="group=A")
        assert app.get("/", token=reader).status == 200

The pytest plugin (`ovhai_emulator.pytest_plugin`) offers the same as fixtures: `ovhai_emulator`
for the session, `ovhai` and `app` for each test.
"""

from __future__ import annotations

from .app import App, RunOptions
from .binary import executable
from .emulator import Emulator, running
from .errors import ApiError, AppFailed, EmulatorError
from .http import OWNER, Owner, Response
from .project import Project
from .records import Request, Total
from .token import Token

__all__ = [
    "OWNER",
    "ApiError",
    "App",
    "AppFailed",
    "Emulator",
    "EmulatorError",
    "Owner",
    "Project",
    "Request",
    "Response",
    "RunOptions",
    "Token",
    "Total",
    "executable",
    "running",
]
