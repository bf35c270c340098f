"""The official SDK, FastAPI and Streamlit with the fixtures."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from ovhai import AuthenticatedClient
from ovhai.api.app import delete_v1_app_id, get_v1_app, post_v1_app
from ovhai.api.me import me
from ovhai.api.token import token_new
from ovhai.models import AppSpec, AppSpecLabelsType0, Resources, TokenSpec
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ovhai_emulator import App, Project, Token

HERE = Path(__file__).parent


def sdk(project: Project, bearer: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=project.api_url, token=bearer)


def test_the_official_sdk(ovhai: Project) -> None:
    labels = AppSpecLabelsType0.from_dict({**ovhai.labels, "group": "A"})
    spec = AppSpec(
        image="ovhai/echo", name="by-sdk", resources=Resources(cpu=1), labels=labels
    )
    with sdk(ovhai, ovhai.administrator) as client:
        # The SDK's own types admit that nothing is there.
        made: Any = post_v1_app.sync(client=client, body=spec)
        token: Any = token_new.sync(
            client=client, body=TokenSpec("sdk", "ai_training_read", "group=A")
        )
        found: Any = get_v1_app.sync(client=client, label_selector=ovhai.selector)
        assert [app.id for app in found.items] == [made.id]
    with sdk(ovhai, token.status.value) as client:
        assert me.sync(client=client) is not None
        refused = delete_v1_app_id.sync_detailed(client=client, id=made.id)
        assert refused.status_code == 403
    with sdk(ovhai, ovhai.administrator) as client:
        assert delete_v1_app_id.sync_detailed(client=client, id=made.id, force=True).status_code == 204


def test_fastapi(ovhai: Project, app: App) -> None:
    app.serve("fastapi_app:app", labels={"group": "A"})
    reader = ovhai.token(role="read", selector="group=A")
    with httpx.Client(base_url=app.base_url, headers=app.headers(reader), trust_env=False) as client:
        # The gateway keeps the bearer that gave access to itself.
        assert client.get("/hello/you").json() == {"hello": "you", "authorization": None}
        assert client.get("/none").status_code == 404
    refused = app.get("/hello/you", token=None)
    assert refused.status == 401 and "authentication is required" in refused.json()["message"]
    assert [request.status for request in app.requests()] == [200, 404, 401]


def test_streamlit(ovhai: Project, app: App, tmp_path: Path) -> None:
    app.run(
        [sys.executable, "-m", "streamlit", "run", str(HERE / "streamlit_app.py")]
        + ["--server.address=127.0.0.1", "--server.port={port}", "--server.headless=true"]
        + ["--server.fileWatcherType=none", "--browser.gatherUsageStats=false"],
        env={"HOME": str(tmp_path)},
        labels={"group": "A"},
    )
    reader, stranger = ovhai.token(selector="group=A"), ovhai.token(selector="group=B")
    assert app.get("/_stcore/health", token=reader).text == "ok"

    def open_stream(token: Token) -> str:
        where = (ovhai.server.host, ovhai.server.port)
        with connect(
            f"ws://{app.host}/_stcore/stream",
            sock=socket.create_connection(where),
            additional_headers={"Authorization": f"Bearer {token.value}"},
            proxy=None,
        ) as stream:
            return str(stream.response.status_code if stream.response else "")

    assert open_stream(reader) == "101"
    with pytest.raises(InvalidStatus, match="403"):
        open_stream(stranger)
