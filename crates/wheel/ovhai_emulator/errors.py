"""What goes wrong, with the reason and the next step in its message."""

from __future__ import annotations


class EmulatorError(Exception):
    """The emulator did not start, does not answer, or an operation failed."""


class ApiError(EmulatorError):
    """The emulator refused a call."""

    def __init__(self, method: str, path: str, status: int, message: str) -> None:
        super().__init__(f"{method} {path}: {status}: {message}")
        self.status = status
        self.message = message


class AppFailed(EmulatorError):
    """An app did not become ready. The message ends with the last lines of its log."""
