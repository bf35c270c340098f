"""Apps and tokens that belong together, such as those of one test."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Type, TypeVar, Union
from urllib.parse import urlencode

from .app import App, RunOptions
from .binary import executable
from .errors import EmulatorError
from .http import Server
from .records import Request, Total
from .token import Token

if TYPE_CHECKING:
    from typing_extensions import Unpack

Self = TypeVar("Self", bound="Project")

_PAGE = 1000
_PAUSE = 0.002
_SETTLES = 1.0


def _filters(app: Optional[App], token: Optional[Token], denied: bool) -> Dict[str, str]:
    filters = {}
    if app is not None:
        filters["app"] = app.id
    if token is not None:
        filters["token"] = token.id
    if denied:
        filters["denied"] = "true"
    return filters


class Project:
    """Apps and tokens in a region of a running emulator. `clean` deletes what was made here."""

    def __init__(
        self,
        server: Server,
        *,
        region: Optional[str] = None,
        labels: Optional[Mapping[str, str]] = None,
    ) -> None:
        self.server = server
        self.region = region or server.regions[0]
        self.labels: Dict[str, str] = dict(labels or {})
        """Labels of every app that is made here."""
        self.apps: List[App] = []
        """The apps that were run here, the deleted ones included."""
        self.tokens: List[Token] = []
        """The tokens that were made here."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.clean()

    @property
    def url(self) -> str:
        """The emulator's address: console, control API, and the API of the first region."""
        return self.server.url

    @property
    def api_path(self) -> str:
        """The path of the region's API."""
        return f"/regions/{self.region}/v1"

    @property
    def api_url(self) -> str:
        """The base URL of the region's API for SDKs, without `/v1`."""
        return f"{self.server.url}/regions/{self.region}"

    @property
    def administrator(self) -> str:
        """The bearer of the emulator's owner, who may do everything."""
        return self.server.administrator

    @property
    def selector(self) -> str:
        """The label selector of exactly the apps that are made here; empty without `labels`."""
        return ",".join(f"{key}={value}" for key, value in self.labels.items())

    def project(self) -> Project:
        """A new project in the same emulator, whose apps have a label of their own."""
        return Project(self.server, region=self.region, labels={"project": uuid.uuid4().hex[:12]})

    def app(
        self, name: Optional[str] = None, *, labels: Optional[Mapping[str, str]] = None
    ) -> App:
        """An app that does not run yet."""
        return App(self, name or f"app-{uuid.uuid4().hex[:8]}", {**self.labels, **(labels or {})})

    def run(
        self,
        command: Union[str, Sequence[str], None] = None,
        *,
        name: Optional[str] = None,
        **options: Unpack[RunOptions],
    ) -> App:
        """Makes an app and runs it: `App.run`."""
        return self.app(name).run(command, **options)

    def serve(
        self,
        target: str,
        *,
        name: Optional[str] = None,
        factory: bool = False,
        python: Optional[str] = None,
        **options: Unpack[RunOptions],
    ) -> App:
        """Makes an app of a WSGI or ASGI callable: `App.serve`."""
        return self.app(name).serve(target, factory=factory, python=python, **options)

    def token(
        self,
        name: Optional[str] = None,
        *,
        role: str = "read",
        selector: Optional[str] = None,
    ) -> Token:
        """Makes a token of the role `read` or `operator`; without a selector, for all apps."""
        spec: Dict[str, Any] = {
            "name": name or f"token-{uuid.uuid4().hex[:8]}",
            "role": {"read": "ai_training_read", "operator": "ai_training_operator"}.get(role, role),
        }
        if selector:
            spec["labelSelector"] = selector
        path = f"{self.api_path}/token"
        token = Token(self.server, self.api_path, self.server.call("POST", path, spec))
        self.tokens.append(token)
        return token

    def requests(
        self,
        *,
        app: Optional[App] = None,
        token: Optional[Token] = None,
        denied: bool = False,
    ) -> List[Request]:
        """The last requests to the apps that were made here, at most 1,000, in the order in which they
        ended. A request whose answer its client has read is among them.
        """
        filters = _filters(app, token, denied)
        # The numbers wait for requests whose answers are being recorded.
        total = self._totals(filters)["total"]
        deadline = time.monotonic() + _SETTLES
        while True:
            answer = self._get("requests", {**filters, "count": str(_PAGE)})
            if len(answer["items"]) >= min(total, _PAGE) or time.monotonic() > deadline:
                return [Request.of(item) for item in answer["items"] if self._is_mine(item)]
            time.sleep(_PAUSE)

    def totals(
        self,
        *,
        app: Optional[App] = None,
        token: Optional[Token] = None,
        denied: bool = False,
    ) -> List[Total]:
        """The exact numbers of requests to the apps that were made here, by app, token, decision and
        status. They count also what `requests` does not remember any more.
        """
        answer = self._totals(_filters(app, token, denied))
        if answer["overflow"]:
            raise EmulatorError(f"{answer['overflow']} requests are in no number: too many kinds")
        return [Total.of(item) for item in answer["items"] if self._is_mine(item)]

    def count(
        self,
        *,
        app: Optional[App] = None,
        token: Optional[Token] = None,
        denied: bool = False,
        decision: Optional[str] = None,
        status: Optional[int] = None,
    ) -> int:
        """The exact number of requests; the decisions are those of `Request.decision`."""
        return sum(
            total.count
            for total in self.totals(app=app, token=token, denied=denied)
            if decision in (None, total.decision) and status in (None, total.status)
        )

    def _totals(self, filters: Mapping[str, str]) -> Any:
        return self._get("requests/totals", filters)

    def _get(self, what: str, filters: Mapping[str, str]) -> Any:
        return self.server.call("GET", f"/_emulator/{what}?{urlencode(filters)}")

    def _is_mine(self, record: Mapping[str, Any]) -> bool:
        return not self.labels or any(record.get("app") == app.id for app in self.apps)

    def environment(self) -> Dict[str, str]:
        """The variables with which programs and the command line use this emulator."""
        return {
            "OVHAI_STATE_DIR": self.server.state_dir,
            "OVHAI_CONFIG_DIR": os.path.join(self.server.state_dir, "config"),
            "OVHAI_AUTOSTART": "0",
            "OVHAI_LOCAL_ONLY": "1",
            "OVHAI_KEYRING": "0",
            "OVHAI_REGION": self.region,
            "OVHAI_API_URL": self.server.url,
            "OVHAI_API_TOKEN": self.server.administrator,
        }

    def cli(self, *arguments: str) -> str:
        """Runs a command of `ovhai` here; its standard output. Raises `EmulatorError` if it fails."""
        own = {key: value for key, value in os.environ.items() if not key.startswith("OVHAI_")}
        done = subprocess.run(
            [executable(), *arguments],
            env={**own, **self.environment()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            line = " ".join(["ovhai", *arguments])
            raise EmulatorError(f"{line}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    def remember(self, app: App) -> None:
        """Adds an app that was submitted."""
        if app not in self.apps:
            self.apps.append(app)

    def clean(self) -> None:
        """Deletes the apps and tokens that were made here, and kills the apps' processes."""
        failed: Optional[EmulatorError] = None
        things: List[Union[App, Token]] = [*self.apps, *self.tokens]
        for thing in things:
            try:
                thing.delete()
            except EmulatorError as error:
                failed = failed or error
        self.tokens.clear()
        if failed is not None:
            raise failed
