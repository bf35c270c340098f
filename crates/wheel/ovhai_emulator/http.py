"""Requests to the emulator, on connections of their own and without proxies."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple, Union

from .errors import ApiError, EmulatorError


class Owner:
    """The type of `OWNER`."""

    def __repr__(self) -> str:
        return "OWNER"


OWNER = Owner()
"""Stands for the emulator's owner, who may do everything."""


@dataclass(frozen=True)
class Response:
    """An answer; `headers` has lower-case names, and the last of several values."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A running emulator, as its state directory describes it."""

    host: str
    port: int
    administrator: str = field(repr=False)
    regions: Tuple[str, ...]
    state_dir: str
    version: str

    @property
    def url(self) -> str:
        """The root, without a slash at the end."""
        return f"http://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def send(
        self,
        method: str,
        target: str,
        *,
        host: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        body: Union[bytes, str, None] = None,
        timeout: float = 30.0,
    ) -> Response:
        """Sends one request; `host` is the value of `Host`, if it is not the server's own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            fields = {"Host": host or self.authority, "Connection": "close"}
            fields.update(headers or {})
            data = body.encode() if isinstance(body, str) else body
            connection.request(method, target, body=data, headers=fields)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Response(answer.status, names, answer.read())
        except (OSError, http.client.HTTPException) as error:
            why = f"{method} {target}: no answer from {self.authority}: {error}"
            raise EmulatorError(why) from error
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the API or the control API as the owner; the parsed answer, or None without one."""
        headers = {"Authorization": f"Bearer {self.administrator}"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body)
        answer = self.send(method, path, headers=headers, body=data)
        if not 200 <= answer.status < 300:
            raise ApiError(method, path.partition("?")[0], answer.status, _message(answer))
        return answer.json() if answer.body else None


def _message(answer: Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]
