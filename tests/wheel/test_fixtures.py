"""The fixtures, as a project's tests use them."""

from __future__ import annotations

import pytest

from ovhai_emulator import App, AppFailed, Emulator, EmulatorError, Project


def test_a_token_opens_what_its_selector_matches(ovhai: Project, app: App) -> None:
    app.run("python3 -m http.server {port}", labels={"group": "A"})
    reader = ovhai.token(role="read", selector="group=A")
    stranger = ovhai.token(role="read", selector="group=B")
    assert app.get("/", token=reader).status == 200
    assert app.get("/", token=None).status == 401
    assert app.get("/", token=stranger).status == 403

    seen = app.requests()
    assert [request.decision for request in seen] == ["allowed", "unauthenticated", "out_of_scope"]
    assert [request.status for request in seen] == [200, 401, 403]
    (refused,) = app.requests(denied=True, token=stranger)
    assert refused.is_denied and refused.token_name == stranger.name
    assert "group=B does not match" in refused.reason

    assert app.count() == 3 and app.count(denied=True) == 2
    assert app.count(decision="out_of_scope") == app.count(token=stranger, status=403) == 1
    assert sum(total.count for total in ovhai.totals()) == 3

    app.set_labels({"group": "B"})
    assert app.get("/", token=reader).status == 403
    assert app.get("/", token=stranger).status == 200
    previous = stranger.value
    stranger.regenerate()
    assert app.get("/", token=previous).status == 401
    assert app.get("/", token=stranger).status == 200
    stranger.delete()
    assert app.get("/", token=stranger).status == 401
    assert stranger.value not in repr(stranger)


def test_an_app_that_fails_says_why(app: App) -> None:
    with pytest.raises(AppFailed, match="(?s)exited with status 3.*its log:\n  no database"):
        app.run(["python3", "-c", "print('no database'); raise SystemExit(3)"])


def test_a_process_gets_variables_but_none_of_the_emulator(
    ovhai: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVHAI_TOKEN", "secret")
    monkeypatch.setenv("FROM_THE_TEST", "yes")
    code = "import os, sys; print(sorted(os.environ), os.environ['GREETING']); sys.exit(1)"
    app = ovhai.app()
    with pytest.raises(AppFailed):
        app.run(["python3", "-c", code], env={"GREETING": "hello"})
    log = app.log()
    assert "'FROM_THE_TEST'" in log and "hello" in log
    assert "OVHAI_TOKEN" not in log and "OVHAI_API" not in log and "OVHAI_STATE" not in log


def test_wsgi(ovhai: Project) -> None:
    assert ovhai.serve("wsgi_app").get("/a").text == "GET /a"
    assert ovhai.serve("wsgi_app:make", factory=True).get("/b").text == "GET /b"
    with pytest.raises(AppFailed, match="no database"):
        ovhai.serve("wsgi_app:broken", factory=True)


def test_apps_and_tokens_of_a_test_are_gone_after_it(ovhai_emulator: Emulator) -> None:
    with ovhai_emulator.project() as project:
        app = project.run(image="ovhai/echo", labels={"kept": "no"})
        token = project.token()
        assert app.get("/x", token=token).json()["target"] == "/x"
        bystander = ovhai_emulator.project()
        assert bystander.requests() == []
        path = f"/v1/app?labelSelector={project.selector}"
        assert len(ovhai_emulator.server.call("GET", path)["items"]) == 1
    assert ovhai_emulator.server.call("GET", path)["items"] in ([], [{}]) or app.state in (
        "DELETING",
        "DELETED",
    )
    assert app.get("/x", token=token).status in (401, 404)


def test_the_command_line_uses_the_same_emulator(ovhai: Project, app: App) -> None:
    app.run(image="ovhai/echo")
    assert ovhai.cli("app", "list", "-o", "name").splitlines() == [app.name]
    assert ovhai.cli("app", "access", app.name, "-o", "json").strip() == "[]"


def test_numbers_are_exact_beyond_what_is_remembered(ovhai: Project, app: App) -> None:
    app.run(image="ovhai/echo")
    reader, stranger = ovhai.token(), ovhai.token(selector="group=none")
    for _ in range(1100):
        app.get("/", token=reader)
    app.get("/", token=stranger)
    assert len(ovhai.requests()) == 1000
    assert app.count(decision="allowed") == 1100
    assert app.count(decision="out_of_scope") == app.count(denied=True) == 1
    assert app.requests()[-1].token_id == stranger.id


def test_state_and_addresses(ovhai: Project, app: App) -> None:
    assert not app.is_submitted
    with pytest.raises(AppFailed, match="call run"):
        _ = app.id
    app.run(image="ovhai/echo", unsecure_http=True, replicas=2, spec={"probe": {"path": "/"}})
    with pytest.raises(EmulatorError, match="make another app"):
        app.run(image="ovhai/echo")
    assert app.state == "RUNNING"
    assert app.url.endswith(f":{ovhai.server.port}") and app.host in app.url
    assert app.get("/", token=None).status == 200
    posted = app.request("POST", "/p?q=1", body="text", headers={"X-Mine": "1"}).json()
    assert (posted["method"], posted["target"], posted["body"]) == ("POST", "/p?q=1", "text")
