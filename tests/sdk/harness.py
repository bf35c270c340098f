"""What the checks stand on: expectations, and the SDK's client with all its forms of a call."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import inspect
import json
import time
import uuid
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Set, Tuple

import httpx
from ovhai import AuthenticatedClient, errors
from ovhai.api.app import delete_v1_app_id, get_v1_app, get_v1_app_id
from ovhai.api.registry import registry_delete
from ovhai.api.token import token_delete
from ovhai.models import App, AppList, AppSpec, AppSpecLabelsType0, Resources, Token
from ovhai.ovhai_types import Response

FORMS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")

IMAGE = "infrastructureascode/hello-world"

PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.05
REQUEST_TIMEOUT = httpx.Timeout(30.0)


# --- expectations ---------------------------------------------------------------------------


class Mismatch(Exception):
    """The emulator's answer is not what a user of the SDK is entitled to."""


def expect(condition: Any, message: str) -> None:
    if not condition:
        raise Mismatch(message)


def expect_equal(actual: Any, expected: Any, what: str) -> None:
    expect(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")


def expect_one_of(actual: Any, allowed: Iterable[Any], what: str) -> None:
    allowed = list(allowed)
    expect(actual in allowed, f"{what}: expected one of {allowed!r}, got {actual!r}")


def expect_type(value: Any, kind: type, what: str) -> None:
    expect(
        isinstance(value, kind),
        f"{what}: expected a parsed {kind.__name__}, got {type(value).__name__}: {value!r}",
    )


def expect_text(value: Any, what: str) -> None:
    expect(isinstance(value, str) and value, f"{what}: expected a non-empty string, got {value!r}")


def expect_date(value: Any, what: str) -> None:
    expect_type(value, datetime.datetime, what)
    expect(value.tzinfo is not None, f"{what}: {value!r} has no time zone")


def expect_error_body(content: bytes, what: str) -> None:
    """Errors are `{"message": "..."}` everywhere."""
    try:
        body = json.loads(content)
    except ValueError:
        raise Mismatch(f"{what}: the error's body is not JSON: {content[:200]!r}") from None
    message = body.get("message") if isinstance(body, dict) else None
    expect(
        isinstance(message, str) and message,
        f"{what}: the error's body has no message: {content[:200]!r}",
    )


# --- calling the SDK ------------------------------------------------------------------------


@dataclass
class Reply:
    """What a form of an operation gave; only the detailed forms know a status."""

    parsed: Any
    status: Optional[int] = None
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        return self.parsed is not None if self.status is None else 200 <= self.status < 300


def forms_of(operation: ModuleType) -> List[str]:
    """The forms generated for an operation (one without a result has only the detailed two)."""
    return [form for form in FORMS if inspect.isfunction(getattr(operation, form, None))]


def title(operation: ModuleType, form: str) -> str:
    return f"{operation.__name__.rpartition('.')[2]}.{form}"


@dataclass
class Harness:
    """The emulator under test: its address, the administrator's client, what was made so far."""

    base_url: str
    bearer: str
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    app_ids: Dict[str, str] = field(default_factory=dict)
    tokens: Dict[str, Token] = field(default_factory=dict)
    exercised: Set[Tuple[str, str]] = field(default_factory=set)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    clients: List[AuthenticatedClient] = field(default_factory=list)
    made_apps: List[str] = field(default_factory=list)
    made_tokens: List[str] = field(default_factory=list)
    made_registries: List[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.admin = self.client_with(self.bearer)

    def client_with(self, bearer: str) -> AuthenticatedClient:
        client = AuthenticatedClient(
            base_url=self.base_url,
            token=bearer,
            raise_on_unexpected_status=True,
            timeout=REQUEST_TIMEOUT,
            httpx_args={"trust_env": False},  # a proxy of the environment is not for 127.0.0.1
        )
        self.clients.append(client)
        return client

    def call(
        self,
        operation: ModuleType,
        form: str = "sync_detailed",
        client: Optional[AuthenticatedClient] = None,
        **arguments: Any,
    ) -> Reply:
        result = getattr(operation, form)(client=client or self.admin, **arguments)
        if inspect.iscoroutine(result):
            result = self.loop.run_until_complete(result)
        if isinstance(result, Response):
            reply = Reply(result.parsed, int(result.status_code), result.content, result.headers)
        else:
            reply = Reply(result)
        if reply.succeeded:
            self.mark(operation, form)
        return reply

    def mark(self, operation: ModuleType, form: str) -> None:
        self.exercised.add((operation.__name__, form))

    def every_form(self, operation: ModuleType, **arguments: Any) -> Iterator[Tuple[str, Reply]]:
        """Call a read-only operation through each of its forms."""
        for form in forms_of(operation):
            yield title(operation, form), self.call(operation, form, **arguments)

    def succeed(self, operation: ModuleType, form: str, status: int, **arguments: Any) -> Reply:
        """Call one form and expect it to work, with that status where the form tells it."""
        what = title(operation, form)
        reply = self.call(operation, form, **arguments)
        if reply.status is not None:
            expect_equal(reply.status, status, f"{what}, status (body {reply.content[:200]!r})")
        else:
            expect(reply.parsed is not None, f"{what}: no result, so the request was refused")
        return reply

    def refuse(self, operation: ModuleType, *statuses: int, **arguments: Any) -> int:
        """Call the plain and the detailed form, expect one of these documented errors."""
        what = title(operation, "sync_detailed")
        reply = self.call(operation, "sync_detailed", **arguments)
        expect_one_of(reply.status, statuses, f"{what}, status of a refusal")
        expect(reply.parsed is None, f"{what}: a refusal was parsed as {reply.parsed!r}")
        expect_error_body(reply.content, what)
        if "sync" in forms_of(operation):
            plain = self.call(operation, "sync", **arguments).parsed
            expect(plain is None, f"{title(operation, 'sync')}: a refusal was parsed as {plain!r}")
        return int(reply.status or 0)

    def raise_unexpected(
        self, operation: ModuleType, form: str, *statuses: int, **arguments: Any
    ) -> int:
        """Call a form, expect a status the SDK does not document: it raises UnexpectedStatus."""
        what = title(operation, form)
        try:
            reply = self.call(operation, form, **arguments)
        except errors.UnexpectedStatus as error:
            expect_one_of(error.status_code, statuses, f"{what}, status of UnexpectedStatus")
            expect_error_body(error.content, what)
            return error.status_code
        raise Mismatch(f"{what}: expected UnexpectedStatus {list(statuses)!r}, got {reply!r}")

    def scope(self, *selectors: str) -> str:
        """A label selector that matches nothing but what this run made."""
        return ",".join([*selectors, f"run={self.run}"])

    def labels(self, **labels: str) -> AppSpecLabelsType0:
        return AppSpecLabelsType0.from_dict({"run": self.run, **labels})

    def spec(self, **fields: Any) -> AppSpec:
        """One CPU: the API's own default is a GPU, and a project has few of them."""
        return AppSpec(image=fields.pop("image", IMAGE), resources=Resources(cpu=1), **fields)

    def app(self, name: str) -> App:
        return self.app_by_id(self.app_ids[name])

    def app_by_id(self, app_id: str) -> App:
        reply = self.succeed(get_v1_app_id, "sync_detailed", 200, id=app_id)
        expect_type(reply.parsed, App, "get_v1_app_id")
        return reply.parsed

    def wait_for(self, app_id: str, done: Callable[[App], bool], goal: str) -> App:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            app = self.app_by_id(app_id)
            if done(app):
                return app
            if app.status.state in ("FAILED", "ERROR") or time.monotonic() > deadline:
                raise Mismatch(f"app {app_id} did not become {goal}: {app.status.to_dict()!r}")
            time.sleep(POLL_SECONDS)

    def wait_for_state(self, app_id: str, state: str) -> App:
        return self.wait_for(app_id, lambda app: app.status.state == state, state)

    def wait_for_replicas(self, app_id: str, count: int) -> App:
        return self.wait_for(
            app_id,
            lambda app: app.status.state == "RUNNING" and app.status.available_replicas == count,
            f"RUNNING with {count} available replicas",
        )

    def wait_until_gone(self, app_id: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            reply = self.call(get_v1_app_id, id=app_id)
            if reply.status == 404 or (reply.parsed and reply.parsed.status.state == "DELETED"):
                return
            expect_equal(reply.status, 200, f"status of app {app_id} while it is deleted")
            expect(time.monotonic() < deadline, f"app {app_id} is still there: {reply.content!r}")
            time.sleep(POLL_SECONDS)

    def listed(self, client: Optional[AuthenticatedClient] = None, **filters: Any) -> List[App]:
        reply = self.succeed(get_v1_app, "sync_detailed", 200, client=client, **filters)
        expect_type(reply.parsed, AppList, "get_v1_app")
        return reply.parsed.items

    def tidy(self) -> None:
        """Delete what is left, without a word: the verdict has been given by now."""
        for app_id in self.made_apps:
            with contextlib.suppress(Exception):
                self.call(delete_v1_app_id, id=app_id, force=True)
        for token_id in self.made_tokens:
            with contextlib.suppress(Exception):
                self.call(token_delete, id=token_id)
        for registry_id in self.made_registries:
            with contextlib.suppress(Exception):
                self.call(registry_delete, id=registry_id)

    def close(self) -> None:
        for client in self.clients:
            client.get_httpx_client().close()
            self.loop.run_until_complete(client.get_async_httpx_client().aclose())
        self.loop.close()


def ids_of(items: Iterable[Any]) -> Set[str]:
    return {item.id for item in items}


def token_value(token: Token) -> str:
    expect_text(token.status.value, f"status.value of token {token.id}")
    return token.status.value
