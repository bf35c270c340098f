"""Tokens of apps."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .errors import ApiError
from .http import Server


class Token:
    """A token, with its string."""

    def __init__(self, server: Server, root: str, record: Mapping[str, Any]) -> None:
        self._server = server
        self._root = root
        self.id: str = record["id"]
        self.name: str = record["spec"]["name"]
        self.role: str = record["spec"]["role"]
        self.selector: Optional[str] = record["spec"].get("labelSelector")
        self.value: str = record["status"]["value"]

    def __repr__(self) -> str:
        # Without the string, which would end up in the reports of failed tests.
        return f"Token({self.name!r}, role={self.role!r}, selector={self.selector!r})"

    def regenerate(self) -> None:
        """Replaces the token string; the previous one is void from now on."""
        answer = self._server.call("POST", f"{self._root}/token/{self.id}/renew")
        self.value = answer["status"]["value"]

    def delete(self) -> None:
        """Deletes the token. Nothing happens if it does not exist."""
        try:
            self._server.call("DELETE", f"{self._root}/token/{self.id}")
        except ApiError as error:
            if error.status != 404:
                raise
