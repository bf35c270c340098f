"""Apps: local processes, built-in images, and images of a container engine."""

from __future__ import annotations

import os
import shlex
import sys
import time
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, TypedDict, Union
from urllib.parse import urlsplit

from .errors import ApiError, AppFailed, EmulatorError
from .http import OWNER, Owner, Response
from .records import Request
from .token import Token

if TYPE_CHECKING:
    # Known to every type checker, and not needed when the program runs.
    from typing_extensions import Unpack

    from .project import Project

Credential = Union[Token, str, Owner, None]
"""A token, a token string, the emulator's owner, or no credential at all."""


class RunOptions(TypedDict, total=False):
    """The options of `App.run`, for functions that pass them on."""

    image: str
    env: Optional[Mapping[str, str]]
    labels: Optional[Mapping[str, str]]
    cwd: Union[str, os.PathLike[str], None]
    replicas: int
    unsecure_http: bool
    spec: Optional[Mapping[str, Any]]
    wait: bool
    timeout: float


# The program's own variables never reach an app.
_PRIVATE_PREFIX = "OVHAI_"
_LOG_LINES = 20


class App:
    """An app of a project. It exists in the emulator from `run` or `serve` on."""

    def __init__(self, project: Project, name: str, labels: Mapping[str, str]) -> None:
        self._project = project
        self._server = project.server
        self._record: Dict[str, Any] = {}
        self.name = name
        self.labels = dict(labels)

    def __repr__(self) -> str:
        return f"App({self.name!r}, id={self._record.get('id')!r})"

    def run(
        self,
        command: Union[str, Sequence[str], None] = None,
        *,
        image: str = "python:3",
        env: Optional[Mapping[str, str]] = None,
        labels: Optional[Mapping[str, str]] = None,
        cwd: Union[str, os.PathLike[str], None] = None,
        replicas: int = 1,
        unsecure_http: bool = False,
        spec: Optional[Mapping[str, Any]] = None,
        wait: bool = True,
        timeout: float = 60.0,
    ) -> App:
        """Runs a command as a local process, or without one the image itself.

        A string is split into words as a shell does; no shell runs. `{port}` in a word stands for
        the port to listen on, which is in the variable `PORT`, too. The process gets this process's
        environment without `OVHAI_…`, and `env`. `spec` adds fields to the app's specification.
        Returns when the app answers, unless `wait` is false; raises `AppFailed` if it never does.
        """
        if self._record:
            raise EmulatorError(f"{self.name} has been run already: make another app")
        self.labels.update(labels or {})
        fields: Dict[str, Any] = {
            "name": self.name,
            "image": image,
            "labels": self.labels,
            "resources": {"cpu": 1},
            "scalingStrategy": {"fixed": {"replicas": replicas}},
            "unsecureHttp": unsecure_http,
            "envVars": [{"name": key, "value": value} for key, value in (env or {}).items()],
        }
        environment: Dict[str, str] = {}
        if command is not None:
            words = shlex.split(command) if isinstance(command, str) else list(command)
            fields["command"] = words
            fields["runtime"] = "process"
            fields["workingDirectory"] = os.fspath(cwd) if cwd is not None else os.getcwd()
            environment = _environment()
        fields.update(spec or {})
        body = {"region": self._project.region, "spec": fields, "environment": environment}
        self._record = self._server.call("POST", "/_emulator/apps", body)
        self._project.remember(self)
        return self.wait(timeout) if wait else self

    def serve(
        self,
        target: str,
        *,
        factory: bool = False,
        python: Optional[str] = None,
        **options: Unpack[RunOptions],
    ) -> App:
        """Serves a WSGI or ASGI callable, named by its import path, such as `package.module:app`.

        It runs in a process of its own with this Python and this process's import path. ASGI needs
        uvicorn there. With `factory` the target is called to get the callable. The options are
        those of `run`.
        """
        flags = ["--factory"] if factory else []
        words = [python or sys.executable, "-m", "ovhai_emulator.serve", *flags, target, "{port}"]
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        options["env"] = {"PYTHONPATH": path, **(options.get("env") or {})}
        return self.run(words, **options)

    def wait(self, timeout: float = 60.0) -> App:
        """Waits until the app answers."""
        deadline, pause = time.monotonic() + timeout, 0.005
        while True:
            state = self.state
            if state == "RUNNING":
                return self
            if state in ("FAILED", "ERROR"):
                raise AppFailed(self._explain(f"{self.name} is {state}"))
            if time.monotonic() > deadline:
                raise AppFailed(self._explain(f"{self.name} is {state} after {timeout:g} s"))
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def _explain(self, what: str) -> str:
        message = (self._record["status"].get("info") or {}).get("message", "")
        lines = self.log().splitlines()[-_LOG_LINES:]
        shown = "\n".join(f"  {line}" for line in lines) or "  (empty)"
        return f"{what}: {message}\nits log:\n{shown}"

    @property
    def is_submitted(self) -> bool:
        """Whether the app exists in the emulator, or did."""
        return bool(self._record)

    @property
    def id(self) -> str:
        """The app's id."""
        if not self._record:
            raise AppFailed(f"{self.name} has not been run: call run() or serve() first")
        return str(self._record["id"])

    @property
    def state(self) -> str:
        """The state now, such as `RUNNING`; `DELETED` once the app does not exist any more."""
        try:
            self._record = self._server.call("GET", self._path)
        except ApiError as error:
            if error.status != 404:
                raise
            return "DELETED"
        return str(self._record["status"]["state"])

    @property
    def url(self) -> str:
        """The app's own address. Not every program resolves `*.localhost`: see `headers`."""
        assert self.id
        return str(self._record["status"]["url"])

    @property
    def host(self) -> str:
        """The value of `Host` that leads to this app."""
        return urlsplit(self.url).netloc

    @property
    def base_url(self) -> str:
        """The emulator's numeric address: with `headers`, every HTTP client reaches the app there."""
        return self._server.url

    def headers(self, token: Credential = OWNER) -> Dict[str, str]:
        """`Host` and `Authorization`, for HTTP clients at `base_url`."""
        headers = {"Host": self.host}
        if isinstance(token, Owner):
            headers["Authorization"] = f"Bearer {self._server.administrator}"
        elif token is not None:
            value = token.value if isinstance(token, Token) else token
            headers["Authorization"] = f"Bearer {value}"
        return headers

    def request(
        self,
        method: str,
        path: str,
        *,
        token: Credential = OWNER,
        headers: Optional[Mapping[str, str]] = None,
        body: Union[bytes, str, None] = None,
        timeout: float = 30.0,
    ) -> Response:
        """Sends a request through the gateway: as the emulator's owner, with a token, or, with
        `token=None`, without a credential."""
        fields = {**self.headers(token), **(headers or {})}
        host = fields.pop("Host")
        return self._server.send(
            method, path, host=host, headers=fields, body=body, timeout=timeout
        )

    def get(self, path: str = "/", *, token: Credential = OWNER, timeout: float = 30.0) -> Response:
        """Sends a GET request; see `request`."""
        return self.request("GET", path, token=token, timeout=timeout)

    def requests(self, *, token: Optional[Token] = None, denied: bool = False) -> List[Request]:
        """The last requests to this app; see `Project.requests`."""
        return self._project.requests(app=self, token=token, denied=denied)

    def count(
        self,
        *,
        token: Optional[Token] = None,
        denied: bool = False,
        decision: Optional[str] = None,
        status: Optional[int] = None,
    ) -> int:
        """The exact number of requests to this app; see `Project.count`."""
        return self._project.count(
            app=self, token=token, denied=denied, decision=decision, status=status
        )

    def log(self) -> str:
        """The app's output so far."""
        path = f"{self._path}/log"
        headers = {"Authorization": f"Bearer {self._server.administrator}"}
        answer = self._server.send("GET", path, headers=headers)
        return answer.text if answer.status == 200 else ""

    def set_labels(self, labels: Mapping[str, Optional[str]]) -> None:
        """Sets labels in one transaction; None removes one."""
        self._server.call("PUT", f"{self._path}/labels", {"labels": dict(labels)})
        for key, value in labels.items():
            if value is None:
                self.labels.pop(key, None)
            else:
                self.labels[key] = value

    def delete(self) -> None:
        """Kills the app's processes and deletes it. Nothing happens if it does not exist."""
        if not self._record:
            return
        try:
            self._server.call("DELETE", f"{self._path}?now=true")
        except ApiError as error:
            if error.status != 404:
                raise

    @property
    def _path(self) -> str:
        return f"{self._project.api_path}/app/{self.id}"


def _environment() -> Dict[str, str]:
    """This process's environment for a local process; what is not UTF-8 can't be sent."""

    def is_text(text: str) -> bool:
        return not any("\ud800" <= character <= "\udfff" for character in text)

    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_PRIVATE_PREFIX) and is_text(name) and is_text(value)
    }
