"""Drive a running emulator with OVHcloud's official Python SDK, unmodified.

The emulator promises that a program written for the real service needs no
change but its address.  This script keeps that promise honest: it calls every
operation of the SDK's tags `app`, `capabilities`, `me`, `registry` and `token`,
in every form the SDK generates (`sync`, `sync_detailed`, `asyncio`,
`asyncio_detailed`), and looks at the *parsed* results, so that a field of the
wrong type, an undocumented status or a null the SDK cannot read fails here and
not at a user's.  It also opens the apps themselves through the gateway, with
the tokens it made.

    pip install ovhai==0.1a4
    python conformance.py http://127.0.0.1:43211/regions/GRA <administrator's bearer>

One line is printed for each group of checks, `N passed, 0 failed` at the end.
The first difference ends the run with exit code 1 and says what differed.
Everything made here carries the label `run=<random>`, and is deleted at the
end, so the emulator may hold other apps and tokens; none of them may use a GPU,
and the quota of GPUs must be 1 to 9, as it is by default.
"""

from __future__ import annotations

import base64
import json
import pkgutil
import re
import shlex
import sys
import time
import traceback
import uuid
from importlib import import_module
from typing import Any, Callable, Dict, List, Optional

import httpx
from ovhai import AuthenticatedClient
from ovhai.api.app import (
    app_cli_command,
    app_edit,
    app_edit_label,
    app_log,
    app_start,
    app_stop,
    app_update,
    app_update_image,
    delete_v1_app_id,
    get_v1_app,
    get_v1_app_id,
    post_v1_app,
    post_v1_app_app_id_datasync,
)
from ovhai.api.me import me
from ovhai.api.token import token_delete, token_get, token_get_all, token_new, token_renew
from ovhai.models import (
    App,
    AppDeploymentStrategy,
    AppList,
    AppSpecLabelsType0,
    AppUpdate,
    AppUpdateImage,
    AppUpdateRequest,
    CLICommand,
    DataSyncSpec,
    DataSyncSpecDirection,
    Env,
    FixedScalingStrategy,
    LabelUpdate,
    Me,
    MeTokenKind,
    Order,
    Role,
    ScalingStrategy,
    Token,
    TokenList,
    TokenSpec,
)
from ovhai.ovhai_types import UNSET

from harness import (
    FORMS,
    IMAGE,
    REQUEST_TIMEOUT,
    Harness,
    Mismatch,
    expect,
    expect_date,
    expect_equal,
    expect_one_of,
    expect_text,
    expect_type,
    forms_of,
    ids_of,
    title,
    token_value,
)
from offers import (
    check_app_images,
    check_flavors,
    check_nothing_of_jobs_and_notebooks,
    check_presets,
    check_quota,
    check_registries,
    check_registries_forbidden,
    check_registry_refusals,
)
from scaling import check_over_quota, check_scaling, check_scaling_fields

TAGS = ("app", "capabilities", "me", "registry", "token")

IMAGE_TAGGED = "infrastructureascode/hello-world:latest"
GREETING = "Hello, World!"
HOUR = 3600


# --- reading what came back -----------------------------------------------------------------


def labels_of(app: App) -> Dict[str, Optional[str]]:
    expect_type(app.spec.labels, AppSpecLabelsType0, f"spec.labels of app {app.id}")
    return app.spec.labels.additional_properties


def decode_part(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def expect_platform_labels(app: App) -> None:
    labels = labels_of(app)
    expect_equal(labels.get("ovh/id"), app.id, "label ovh/id")
    expect_equal(labels.get("ovh/type"), "app", "label ovh/type")


def expect_whole_app(app: App) -> None:
    expect_type(app, App, "an app")
    expect_equal(str(uuid.UUID(app.id)), app.id, "id of an app, as a UUID")
    expect_date(app.created_at, "createdAt of an app")
    expect_date(app.updated_at, "updatedAt of an app")
    expect_text(app.spec.name, "spec.name")
    expect_text(app.status.state, "status.state")
    expect_platform_labels(app)


def expect_address(harness: Harness, app: App) -> None:
    region = httpx.URL(harness.base_url).path.rstrip("/").rpartition("/")[2].lower()
    expect_text(app.status.url, "status.url")
    host = httpx.URL(app.status.url).host
    expect_equal(host, f"{app.id}.app.{region}.ai.localhost", "host of status.url")


def expect_history(app: App) -> None:
    """An app has been queued, then initialized; its latest transition made it run."""
    history = app.status.history
    expect_type(history, list, "status.history")
    for entry in history:
        expect_date(entry.date, "status.history[].date")
    states = {entry.state for entry in history}
    for state in ("QUEUED", "INITIALIZING", "RUNNING"):
        expect(state in states, f"status.history has no {state}: {sorted(states)!r}")
    latest = max(entry.date for entry in history)
    expect(
        any(entry.state == "RUNNING" and entry.date == latest for entry in history),
        f"the latest entry of status.history is not RUNNING: {[e.to_dict() for e in history]!r}",
    )


def expect_token(token: Token, version: int, shown: bool) -> None:
    expect_type(token, Token, "a token")
    expect_text(token.id, "id of a token")
    expect_date(token.created_at, "createdAt of a token")
    expect_date(token.updated_at, "updatedAt of a token")
    expect_equal(token.status.version, version, f"status.version of token {token.id}")
    if shown:
        expect_signed(token, version)
    else:
        expect(
            token.status.value is None,
            f"status.value of token {token.id} must be null, got {token.status.value!r}",
        )


def expect_signed(token: Token, version: int) -> None:
    """The string is a compact JWS, Ed25519, that names the token and its version."""
    parts = token_value(token).split(".")
    expect_equal(len(parts), 3, "parts of a token's string")
    header, payload = json.loads(decode_part(parts[0])), json.loads(decode_part(parts[1]))
    expect_equal(header, {"alg": "EdDSA"}, "header of a token's string")
    expect_equal(payload.get("jti"), f"{token.id}-{version}", "jti in a token's string")
    expect("exp" not in payload, f"a token does not expire, but its string says so: {payload!r}")
    expect_equal(len(decode_part(parts[2])), 64, "bytes of a token's signature")


def visit(app: App, token: Optional[str] = None) -> httpx.Response:
    """Open an app through the gateway: its name need not resolve, the gateway is on 127.0.0.1."""
    url = httpx.URL(app.status.url)
    headers = {"Host": url.netloc.decode("ascii"), "Accept": "*/*"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    target = url.copy_with(host="127.0.0.1", path="/")
    return httpx.get(target, headers=headers, timeout=REQUEST_TIMEOUT, trust_env=False)


def expect_greeting(answer: httpx.Response, what: str) -> None:
    expect_equal(answer.status_code, 200, f"{what}, status (body {answer.text[:200]!r})")
    expect_equal(answer.text.strip(), GREETING, f"{what}, body")


def expect_challenge(answer: httpx.Response, what: str) -> None:
    expect_equal(answer.status_code, 401, f"{what}, status (body {answer.text[:200]!r})")
    challenge = answer.headers.get("WWW-Authenticate", "")
    expect("bearer" in challenge.lower(), f"{what}: WWW-Authenticate is {challenge!r}, not Bearer")


# --- the checks, in the order they run ------------------------------------------------------


def check_me(harness: Harness) -> None:
    for what, reply in harness.every_form(me):
        expect_type(reply.parsed, Me, what)
        expect_equal(reply.parsed.role, Role.ADMINISTRATOR, f"{what}, role")
        expect_equal(reply.parsed.token_kind, MeTokenKind.OAUTH, f"{what}, tokenKind")
        expect_text(reply.parsed.name, f"{what}, name")
        expect_text(reply.parsed.tenant, f"{what}, tenant")
        quotas = reply.parsed.quotas.resources.additional_properties
        for kind in ("CPU", "GPU"):
            expect_type(quotas.get(kind), int, f"{what}, quotas.resources.{kind}")


def check_cli_command(harness: Harness) -> None:
    spec = harness.spec(
        name="spelled-out",
        command=["python3", "my script.py"],
        env_vars=[Env(name="GREETING", value="bonjour à tous")],
        labels=harness.labels(group="A"),
    )
    for what, reply in harness.every_form(app_cli_command, body=spec):
        expect_type(reply.parsed, CLICommand, what)
        words = shlex.split(reply.parsed.command)
        expect_equal(words[:3], ["ovhai", "app", "run"], f"{what}, first words of the command")
        expect(IMAGE in words, f"{what}: no image in {words!r}")
        expect_equal(words[-3:], ["--", "python3", "my script.py"], f"{what}, last words")
        for setting in ("group=A", "GREETING=bonjour à tous", "spelled-out"):
            present = any(word == setting or word.endswith(f"={setting}") for word in words)
            expect(present, f"{what}: no {setting!r} in {words!r}")


def check_create(harness: Harness) -> None:
    """Four forms make four apps: three of group A, one of group B; every one gets its labels."""
    wishes = {
        "sync": ("alpha", harness.spec(
            name=f"alpha-{harness.run}",
            labels=harness.labels(**{"group": "A", "ovh/id": "fake", "ovh/type": "fake"}),
        )),
        "sync_detailed": ("beta", harness.spec(
            name=f"beta-{harness.run}", labels=harness.labels(group="B"),
        )),
        "asyncio": ("gamma", harness.spec(labels=harness.labels(group="A"))),
        "asyncio_detailed": ("delta", harness.spec(
            name=f"delta-{harness.run}", labels=harness.labels(group="A"), unsecure_http=True,
            env_vars=[Env(name="WHO", value="delta")],
        )),
    }
    for form, (name, spec) in wishes.items():
        app = harness.succeed(post_v1_app, form, 200, body=spec).parsed
        expect_whole_app(app)
        harness.made_apps.append(app.id)
        harness.app_ids[name] = app.id
        expect_equal(app.spec.image, IMAGE, "spec.image")
        expect_equal(app.spec.default_http_port, 8080, "spec.defaultHttpPort by default")
        expect_equal(labels_of(app).get("run"), harness.run, "label run")
        expect_equal(labels_of(app).get("group"), "B" if name == "beta" else "A", "label group")
        expect_equal(app.spec.unsecure_http, name == "delta", "spec.unsecureHttp")
        if spec.name:
            expect_equal(app.spec.name, spec.name, "spec.name")
    expect_equal(len(set(harness.app_ids.values())), 4, "distinct ids of four apps")
    env = harness.app("delta").spec.env_vars
    expect_equal([(e.name, e.value) for e in env], [("WHO", "delta")], "spec.envVars")


def check_running(harness: Harness) -> None:
    for app_id in harness.app_ids.values():
        app = harness.wait_for_state(app_id, "RUNNING")
        expect_address(harness, app)
        expect_history(app)
        expect_equal(app.status.available_replicas, 1, "status.availableReplicas by default")
        expect_equal(app.status.info.code, "APP_RUNNING", "status.info.code")
        expect_text(app.status.info_url, "status.infoUrl")


def check_get(harness: Harness) -> None:
    for what, reply in harness.every_form(get_v1_app_id, id=harness.app_ids["alpha"]):
        expect_type(reply.parsed, App, what)
        expect_equal(reply.parsed.id, harness.app_ids["alpha"], f"{what}, id")
        expect_platform_labels(reply.parsed)


def check_list(harness: Harness) -> None:
    wanted = set(harness.app_ids.values())
    for what, reply in harness.every_form(get_v1_app, label_selector=harness.scope()):
        expect_type(reply.parsed, AppList, what)
        expect_equal(ids_of(reply.parsed.items), wanted, f"{what}, ids")
        expect_equal(reply.parsed.metadata.total, 4, f"{what}, metadata.total")
    everything = harness.listed(size=1000, read_lock=True)
    expect(wanted <= ids_of(everything), "an unfiltered list lacks apps that exist")


def check_list_pages(harness: Harness) -> None:
    """Walk page by page, starting at the index the emulator itself gives to its first page."""
    scope = {"label_selector": harness.scope(), "order": Order.ASC, "sort": "spec.name"}
    first = harness.call(get_v1_app, size=3, **scope).parsed
    expect_equal(len(first.items), 3, "items of a page of three")
    expect_equal(first.metadata.total, 4, "metadata.total with a page of three")
    expect_equal(first.metadata.page_count, 2, "metadata.pageCount of four apps by three")
    start = first.metadata.current_page
    expect_one_of(start, (0, 1), "metadata.currentPage of the first page")
    pages = [
        harness.call(get_v1_app, page=page, size=3, **scope).parsed
        for page in (start, start + 1)
    ]
    expect_equal([len(page.items) for page in pages], [3, 1], "items of the two pages")
    expect_equal(pages[1].metadata.current_page, start + 1, "metadata.currentPage")
    together = [app.id for page in pages for app in page.items]
    expect_equal(set(together), set(harness.app_ids.values()), "apps of both pages together")


def check_list_order(harness: Harness) -> None:
    for order in Order:
        apps = harness.listed(label_selector=harness.scope(), sort="spec.name", order=order)
        names = [app.spec.name for app in apps]
        expected = sorted(names, reverse=order is Order.DESC)
        expect_equal(names, expected, f"order of names with sort=spec.name, order={order}")


def check_list_filters(harness: Harness) -> None:
    """Times are whole seconds since 1970; an array is given as a repeated parameter."""
    ids, now = harness.app_ids, int(time.time())
    group_a = {ids["alpha"], ids["gamma"], ids["delta"]}
    cases = [
        ("labelSelector of two labels", {"label_selector": harness.scope("group=A")}, group_a),
        ("labelSelector of an id", {"label_selector": f"ovh/id={ids['beta']}"}, {ids["beta"]}),
        ("labelSelector of nothing", {"label_selector": harness.scope("group=Z")}, set()),
        ("statusState RUNNING", {"status_state": ["RUNNING"]}, set(ids.values())),
        ("statusState of two", {"status_state": ["FAILED", "RUNNING"]}, set(ids.values())),
        ("statusState FAILED", {"status_state": ["FAILED"]}, set()),
        ("updatedAfter an hour ago", {"updated_after": now - HOUR}, set(ids.values())),
        ("updatedAfter in an hour", {"updated_after": now + HOUR}, set()),
        ("updatedBefore in an hour", {"updated_before": now + HOUR}, set(ids.values())),
        ("updatedBefore an hour ago", {"updated_before": now - HOUR}, set()),
    ]
    for what, filters, expected in cases:
        query = {"label_selector": harness.scope(), **filters}
        parsed = harness.succeed(get_v1_app, "sync_detailed", 200, **query).parsed
        expect_equal(ids_of(parsed.items), expected, f"apps listed with {what}")
        expect_equal(parsed.metadata.total, len(expected), f"metadata.total with {what}")


def check_label(harness: Harness) -> None:
    """A label is set with a value, removed with null or with no value at all."""
    app_id = harness.app_ids["alpha"]
    for form, removal in (("sync_detailed", None), ("asyncio_detailed", UNSET)):
        body = LabelUpdate(name="team", value="blue")
        harness.succeed(app_edit_label, form, 204, id=app_id, body=body)
        expect_equal(labels_of(harness.app("alpha")).get("team"), "blue", "label team once set")
        selected = harness.listed(label_selector=harness.scope("team=blue"))
        expect_equal(ids_of(selected), {app_id}, "apps selected by a label just set")
        body = LabelUpdate(name="team", value=removal)
        harness.succeed(app_edit_label, form, 204, id=app_id, body=body)
        labels = labels_of(harness.app("alpha"))
        expect("team" not in labels, f"label team was removed with {removal!r}, yet: {labels!r}")
    harness.call(app_edit_label, id=app_id, body=LabelUpdate(name="ovh/id", value="fake"))
    expect_platform_labels(harness.app("alpha"))


def check_image(harness: Harness) -> None:
    app_id = harness.app_ids["alpha"]
    for form, image in zip(FORMS, (IMAGE_TAGGED, IMAGE, IMAGE_TAGGED, IMAGE)):
        body = AppUpdateImage(url=image)
        reply = harness.succeed(app_update_image, form, 200, id=app_id, body=body)
        expect_type(reply.parsed, str, title(app_update_image, form))
        app = harness.wait_for_state(app_id, "RUNNING")
        expect_equal(app.spec.image, image, "spec.image after an update of the image")


def check_unsecure_app(harness: Harness) -> None:
    expect_greeting(visit(harness.app("delta")), "an app with unsecureHttp, without a token")


def check_update(harness: Harness) -> None:
    """Update one part at a time; the port comes last, as the image listens on 8080 only."""
    app_id = harness.app_ids["delta"]
    strategy = AppDeploymentStrategy("50%", "10%", 300)
    updates = {
        "sync": AppUpdate(deployment_strategy=strategy),
        "sync_detailed": AppUpdate(url=IMAGE_TAGGED),
        "asyncio": AppUpdate(grpc_port=50051),
        "asyncio_detailed": AppUpdate(default_http_port=8081),
    }
    for form, update in updates.items():
        harness.wait_for_state(app_id, "RUNNING")
        body = AppUpdateRequest(app_update=update, id=app_id if form == "sync" else UNSET)
        app = harness.succeed(app_update, form, 200, id=app_id, body=body).parsed
        expect_whole_app(app)
        expect_equal(app.id, app_id, "id of an updated app")
    spec = harness.app("delta").spec
    shown = spec.deployment_strategy.to_dict()
    asked = strategy.to_dict()
    expect_equal({key: shown.get(key) for key in asked}, asked, "spec.deploymentStrategy")
    expect_equal(spec.image, IMAGE_TAGGED, "spec.image after an update")
    expect_equal(spec.grpc_port, 50051, "spec.grpcPort after an update")
    expect_equal(spec.default_http_port, 8081, "spec.defaultHttpPort after an update")
    expect_text(harness.app("delta").status.grpc_address, "status.grpcAddress with a gRPC port")


def check_log(harness: Harness) -> None:
    """The SDK parses no log, so look at the bytes it read: they must be text."""
    app_id = harness.app_ids["alpha"]
    queries: List[Dict[str, Any]] = [{}, {"tail": 1, "follow": False}, {"page": 1, "size": 10}]
    for form in forms_of(app_log):
        for query in queries:
            reply = harness.succeed(app_log, form, 200, id=app_id, **query)
            kind = reply.headers.get("content-type", "")
            expect(kind.startswith("text/plain"), f"content-type of a log: {kind!r}")
            lines = reply.content.decode("utf-8").splitlines()
            if "tail" in query:
                expect(len(lines) <= 1, f"a log with tail=1 has {len(lines)} lines")


def check_stop_and_start(harness: Harness) -> None:
    app_id = harness.app_ids["gamma"]
    url = harness.app("gamma").status.url
    for form in forms_of(app_stop):
        harness.succeed(app_stop, form, 204, id=app_id)
        stopped = harness.wait_for_state(app_id, "STOPPED")
        expect_equal(stopped.status.info.code, "APP_STOPPED", "status.info.code once stopped")
        check_stopped_in_list(harness, app_id)
        harness.succeed(app_start, form, 204, id=app_id)
        expect_equal(harness.wait_for_state(app_id, "RUNNING").status.url, url, "url once restarted")


def check_stopped_in_list(harness: Harness, app_id: str) -> None:
    scope = {"label_selector": harness.scope("group=A")}
    found = harness.listed(status_state=["STOPPED"], **scope)
    expect_equal(ids_of(found), {app_id}, "apps listed with statusState STOPPED")
    states = ["RUNNING", "STOPPED"]
    for order, position in ((Order.ASC, -1), (Order.DESC, 0)):
        apps = harness.listed(status_state=states, sort="status.state", order=order, **scope)
        expect(apps, "no apps listed with two states")
        expect_equal(apps[position].id, app_id, f"the stopped app's place, sort=status.state {order}")


def check_data_sync(harness: Harness) -> None:
    """Of an app without volumes: 400, which the SDK does not document, so every form raises."""
    body = DataSyncSpec(direction=DataSyncSpecDirection.PULL)
    app_id = harness.app_ids["alpha"]
    for form in forms_of(post_v1_app_app_id_datasync):
        harness.raise_unexpected(post_v1_app_app_id_datasync, form, 400, app_id=app_id, body=body)
        harness.mark(post_v1_app_app_id_datasync, form)


def check_bad_requests(harness: Harness) -> None:
    app_id = harness.app_ids["alpha"]
    bad_key = harness.labels(**{"not a key!": "x"})
    harness.refuse(post_v1_app, 400, body=harness.spec(labels=bad_key))
    harness.refuse(post_v1_app, 400, body=harness.spec(default_http_port=70000))
    harness.refuse(app_edit_label, 400, id=app_id, body=LabelUpdate(name="not a key!", value="x"))
    eleven = ScalingStrategy(fixed=FixedScalingStrategy(replicas=11))
    harness.refuse(app_edit, 400, id=app_id, body=eleven)
    update = AppUpdateRequest(app_update=AppUpdate(default_http_port=70000))
    harness.refuse(app_update, 400, id=app_id, body=update)
    king = TokenSpec(name="king", role="king")
    harness.raise_unexpected(token_new, "sync", 400, body=king)


def check_unknown_ids(harness: Harness) -> None:
    unknown = str(uuid.uuid4())
    harness.refuse(get_v1_app_id, 404, id="not-a-uuid")  # 400 is not documented there
    harness.refuse(get_v1_app_id, 404, id=unknown)
    harness.refuse(app_log, 404, id=unknown)
    harness.refuse(app_start, 404, id=unknown)
    harness.refuse(app_stop, 404, id=unknown)
    harness.refuse(delete_v1_app_id, 404, id=unknown)
    harness.refuse(app_edit_label, 404, id=unknown, body=LabelUpdate(name="team", value="blue"))
    harness.refuse(app_update_image, 404, id=unknown, body=AppUpdateImage(url=IMAGE))
    update = AppUpdateRequest(app_update=AppUpdate(default_http_port=8080))
    harness.refuse(app_update, 404, id=unknown, body=update)
    one = ScalingStrategy(fixed=FixedScalingStrategy(replicas=1))
    harness.refuse(app_edit, 404, id=unknown, body=one)
    for operation in (token_get, token_renew):
        harness.raise_unexpected(operation, "sync", 404, id=unknown)
    harness.raise_unexpected(token_delete, "sync_detailed", 404, id=unknown)


def check_token_create(harness: Harness) -> None:
    """Both spellings of a role are taken, the API's own is what comes back."""
    group_a, group_b = harness.scope("group=A"), harness.scope("group=B")
    wishes = {
        "sync": ("reader", TokenSpec("reader", "ai_training_read", group_a)),
        "sync_detailed": ("operator", TokenSpec("operator", "ai_training_operator", group_a)),
        "asyncio": ("stranger", TokenSpec("stranger", "read", group_b)),
        "asyncio_detailed": ("unscoped", TokenSpec("unscoped", "operator")),
    }
    for form, (name, spec) in wishes.items():
        token = harness.succeed(token_new, form, 200, body=spec).parsed
        expect_token(token, version=1, shown=True)
        harness.made_tokens.append(token.id)
        harness.tokens[name] = token
        expect_equal(token.spec.name, name, "spec.name of a token")
        role = spec.role if spec.role.startswith("ai_training_") else f"ai_training_{spec.role}"
        expect_equal(token.spec.role, role, f"spec.role of a token created with {spec.role!r}")
        if spec.label_selector:
            expect_equal(token.spec.label_selector, spec.label_selector, "spec.labelSelector")


def check_token_get_and_list(harness: Harness) -> None:
    reader = harness.tokens["reader"]
    for what, reply in harness.every_form(token_get, id=reader.id):
        expect_token(reply.parsed, version=1, shown=False)
        expect_equal(reply.parsed.id, reader.id, f"{what}, id")
        expect_equal(reply.parsed.spec.to_dict(), reader.spec.to_dict(), f"{what}, spec")
    mine = ids_of(harness.tokens.values())
    for what, reply in harness.every_form(token_get_all, size=1000):
        expect_type(reply.parsed, TokenList, what)
        listed = [token for token in reply.parsed.items if token.id in mine]
        expect_equal(ids_of(listed), mine, f"{what}, tokens of this run")
        for token in listed:
            expect_token(token, version=1, shown=False)
        expect_equal(reply.parsed.metadata.total, len(reply.parsed.items), f"{what}, metadata.total")
    single = harness.call(token_get_all, size=1).parsed
    expect_equal(len(single.items), 1, "tokens on a page of one")
    expect(single.metadata.total >= len(mine), "metadata.total of tokens with a page of one")


def check_token_me(harness: Harness) -> None:
    roles = {
        "reader": Role.AI_TRAINING_READ,
        "stranger": Role.AI_TRAINING_READ,
        "operator": Role.AI_TRAINING_OPERATOR,
        "unscoped": Role.AI_TRAINING_OPERATOR,
    }
    for name, role in roles.items():
        client = harness.client_with(token_value(harness.tokens[name]))
        who = harness.succeed(me, "sync", 200, client=client).parsed
        expect_equal(who.token_kind, MeTokenKind.APP, f"tokenKind of {name}")
        expect_equal(who.role, role, f"role of {name}")


def check_reader(harness: Harness) -> None:
    """The read role opens apps; of the API it gets nothing but GET /v1/me."""
    client = harness.client_with(token_value(harness.tokens["reader"]))
    app_id = harness.app_ids["alpha"]
    harness.refuse(get_v1_app, 403, client=client)
    harness.refuse(get_v1_app_id, 403, client=client, id=app_id)
    harness.refuse(post_v1_app, 403, client=client, body=harness.spec())
    harness.refuse(app_stop, 403, client=client, id=app_id)
    harness.refuse(delete_v1_app_id, 403, client=client, id=app_id, force=True)
    harness.raise_unexpected(token_get_all, "sync", 403, client=client)
    expect_equal(harness.app("alpha").status.state, "RUNNING", "state after a reader's attempts")


def check_operator(harness: Harness) -> None:
    """An operator's token sees and manages the apps of its selector, and makes only such apps."""
    client = harness.client_with(token_value(harness.tokens["operator"]))
    ids = harness.app_ids
    scope = {ids["alpha"], ids["gamma"], ids["delta"]}
    reply = harness.succeed(get_v1_app, "sync_detailed", 200, client=client)
    expect_equal(ids_of(reply.parsed.items), scope, "apps an operator sees")
    expect_equal(reply.parsed.metadata.total, 3, "metadata.total of an operator's apps")
    seen = harness.listed(client, label_selector=harness.scope("group=B"))
    expect_equal(ids_of(seen), set(), "apps an operator sees when it selects another group")
    harness.succeed(get_v1_app_id, "sync_detailed", 200, client=client, id=ids["alpha"])
    for operation in (get_v1_app_id, app_stop, delete_v1_app_id):
        harness.refuse(operation, 403, 404, client=client, id=ids["beta"])
    expect_equal(harness.app("beta").status.state, "RUNNING", "state after a stranger's attempts")
    check_operator_creates(harness, client)


def check_operator_creates(harness: Harness, client: AuthenticatedClient) -> None:
    labels = AppSpecLabelsType0.from_dict({"origin": "operator"})
    body = harness.spec(labels=labels)
    app = harness.succeed(post_v1_app, "sync", 200, client=client, body=body).parsed
    harness.made_apps.append(app.id)
    wanted = {"origin": "operator", "group": "A", "run": harness.run}
    given = labels_of(app)
    expect_equal({key: given.get(key) for key in wanted}, wanted, "labels of an operator's new app")
    expect_platform_labels(app)
    reply = harness.call(delete_v1_app_id, client=client, id=app.id, force=True)
    expect_equal(reply.status, 204, "status when an operator deletes its own app")
    harness.wait_until_gone(app.id)

    elsewhere = harness.spec(labels=harness.labels(group="B"))
    reply = harness.call(post_v1_app, client=client, body=elsewhere)
    expect_one_of(reply.status, (200, 400, 403), "status when an operator aims out of its scope")
    if reply.status == 200:
        harness.made_apps.append(reply.parsed.id)
        group = labels_of(reply.parsed).get("group")
        expect_equal(group, "A", "label group of an app made out of the operator's scope")
        harness.succeed(delete_v1_app_id, "sync_detailed", 204, id=reply.parsed.id, force=True)
        harness.wait_until_gone(reply.parsed.id)


def check_gateway(harness: Harness) -> None:
    alpha, beta = harness.app("alpha"), harness.app("beta")
    value = {name: token_value(token) for name, token in harness.tokens.items()}
    for name in ("reader", "operator", "unscoped"):
        expect_greeting(visit(alpha, value[name]), f"alpha with {name}'s token")
    for name in ("stranger", "unscoped"):
        expect_greeting(visit(beta, value[name]), f"beta with {name}'s token")
    expect_challenge(visit(alpha), "alpha without a token")
    expect_challenge(visit(alpha, "not.a.token"), "alpha with a made-up token")
    for app, name in ((alpha, "stranger"), (beta, "reader"), (beta, "operator")):
        answer = visit(app, value[name])
        expect_equal(answer.status_code, 403, f"{app.spec.name} with {name}'s token, status")


def check_id_scoped_token(harness: Harness) -> None:
    """A token scoped by the reserved label `ovh/id` matches exactly one app."""
    alpha, gamma = harness.app("alpha"), harness.app("gamma")
    spec = TokenSpec("only-alpha", "ai_training_operator", f"ovh/id={alpha.id}")
    token = harness.succeed(token_new, "sync", 200, body=spec).parsed
    harness.made_tokens.append(token.id)
    client = harness.client_with(token_value(token))
    expect_equal(ids_of(harness.listed(client)), {alpha.id}, "apps a token of one id sees")
    expect_greeting(visit(alpha, token_value(token)), "alpha with a token of its id")
    answer = visit(gamma, token_value(token))
    expect_equal(answer.status_code, 403, "gamma with a token of alpha's id, status")


def check_token_renew(harness: Harness) -> None:
    """Renewal keeps the token and replaces its string; the previous string is worth nothing."""
    alpha = harness.app("alpha")
    for version, form in enumerate(forms_of(token_renew), start=2):
        before = harness.tokens["reader"]
        after = harness.succeed(token_renew, form, 200, id=before.id).parsed
        expect_token(after, version=version, shown=True)
        expect_equal(after.id, before.id, "id of a renewed token")
        expect_equal(after.created_at, before.created_at, "createdAt of a renewed token")
        expect_equal(after.spec.to_dict(), before.spec.to_dict(), "spec of a renewed token")
        expect(after.status.value != before.status.value, "a renewed token kept its string")
        expect_worthless(harness, alpha, token_value(before), "a renewed token's old string")
        expect_greeting(visit(alpha, token_value(after)), "alpha with a renewed token")
        shown = harness.succeed(token_get, "sync", 200, id=before.id).parsed
        expect_token(shown, version=version, shown=False)
        harness.tokens["reader"] = after


def expect_worthless(harness: Harness, app: App, bearer: str, what: str) -> None:
    client = harness.client_with(bearer)
    harness.refuse(me, 401, client=client)
    harness.refuse(get_v1_app, 401, client=client)
    harness.refuse(get_v1_app_id, 401, client=client, id=app.id)
    harness.raise_unexpected(token_get_all, "sync", 401, client=client)
    expect_challenge(visit(app, bearer), f"{app.spec.name} with {what}")


def check_token_delete(harness: Harness) -> None:
    alpha = harness.app("alpha")
    for form, name in zip(forms_of(token_delete), ("operator", "reader")):
        token = harness.tokens.pop(name)
        harness.succeed(token_delete, form, 204, id=token.id)
        harness.raise_unexpected(token_get, "sync", 404, id=token.id)
        listed = harness.succeed(token_get_all, "sync", 200, size=1000).parsed.items
        expect(token.id not in ids_of(listed), f"token {token.id} is deleted, yet listed")
        expect_worthless(harness, alpha, token_value(token), "a deleted token")
    expect_worthless(harness, alpha, "not.a.token", "a made-up token")


def check_delete(harness: Harness) -> None:
    """A stopped app goes without force, a running one with it."""
    plan = [
        ("gamma", "sync_detailed", True, {"force": False}),
        ("delta", "asyncio_detailed", False, {"force": True}),
        ("beta", "asyncio_detailed", True, {}),
        ("alpha", "sync_detailed", False, {"force": True}),
    ]
    for name, form, stop_first, arguments in plan:
        app_id = harness.app_ids.pop(name)
        if stop_first:
            harness.succeed(app_stop, "sync_detailed", 204, id=app_id)
            harness.wait_for_state(app_id, "STOPPED")
        harness.succeed(delete_v1_app_id, form, 204, id=app_id, **arguments)
        harness.wait_until_gone(app_id)
        running = harness.listed(label_selector=harness.scope(), status_state=["RUNNING"])
        expect(app_id not in ids_of(running), f"app {app_id} is deleted, yet listed as running")


def check_coverage(harness: Harness) -> None:
    """Nothing the SDK offers under these tags was left out."""
    missing = []
    for tag in TAGS:
        package = import_module(f"ovhai.api.{tag}")
        for found in pkgutil.iter_modules(package.__path__):
            operation = import_module(f"{package.__name__}.{found.name}")
            for form in forms_of(operation):
                if (operation.__name__, form) not in harness.exercised:
                    missing.append(f"{tag}.{title(operation, form)}")
    expect(not missing, f"never succeeded: {', '.join(missing)}")


CHECKS: List[Callable[[Harness], None]] = [
    check_me,
    check_quota,
    check_flavors,
    check_app_images,
    check_presets,
    check_nothing_of_jobs_and_notebooks,
    check_registries,
    check_registry_refusals,
    check_cli_command,
    check_create,
    check_running,
    check_get,
    check_list,
    check_list_pages,
    check_list_order,
    check_list_filters,
    check_label,
    check_scaling,
    check_scaling_fields,
    check_over_quota,
    check_image,
    check_log,
    check_stop_and_start,
    check_data_sync,
    check_bad_requests,
    check_unknown_ids,
    check_token_create,
    check_token_get_and_list,
    check_token_me,
    check_reader,
    check_operator,
    check_registries_forbidden,
    check_gateway,
    check_id_scoped_token,
    check_token_renew,
    check_token_delete,
    check_unsecure_app,
    check_update,
    check_delete,
    check_coverage,
]


# --- running them ---------------------------------------------------------------------------


def name_of(check: Callable[[Harness], None]) -> str:
    return re.sub("^check_", "", check.__name__).replace("_", " ")


def run_check(harness: Harness, check: Callable[[Harness], None]) -> bool:
    started = time.monotonic()
    try:
        check(harness)
    except Mismatch as mismatch:
        print(f"FAIL {name_of(check)}: {mismatch}", flush=True)
        return False
    except Exception as error:  # the SDK could not read an answer, or got none
        print(f"FAIL {name_of(check)}: {type(error).__name__}: {error}", flush=True)
        traceback.print_exc(file=sys.stdout)
        return False
    print(f"ok   {name_of(check)} ({time.monotonic() - started:.2f} s)", flush=True)
    return True


def main(arguments: List[str]) -> int:
    if len(arguments) != 2:
        print("usage: conformance.py <base_url> <admin_bearer>", file=sys.stderr)
        return 2
    harness = Harness(base_url=arguments[0].rstrip("/"), bearer=arguments[1])
    passed = 0
    try:
        for check in CHECKS:
            if not run_check(harness, check):
                print(f"{passed} passed, 1 failed")
                return 1
            passed += 1
    finally:
        harness.tidy()
        harness.close()
    print(f"{passed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
