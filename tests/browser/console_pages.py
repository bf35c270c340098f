"""Every page of the console: with no app, a few in all states, and many; in light and dark, narrow
and wide. axe finds nothing, nothing is wider than the window, and the browser complains of nothing.
Takes the pictures, if pictures are asked for.

Given: what console_kit needs.
"""

from __future__ import annotations

import os
from typing import Dict, Iterator, List, Tuple

from selenium.webdriver.common.by import By

from console_kit import button, expect_no_complaint, field, findings, link, log_in, ovhai, root
from harness import Api, Page, browser, expect, expect_equal, given, run, until

WIDTHS = ((1280, 900), (360, 800))
LONG_NAME = "a-recommendation-service-with-a-long-name-for-the-spring-campaign"
LONG_LABEL = "a-team-whose-name-needs-every-character-that-a-label-may-have"

_apps: Dict[str, str] = {}


def api_app(name: str, image: str, labels: Dict[str, str], **more: object) -> str:
    spec = {"name": name, "image": image, "labels": labels, "resources": {"cpu": 1}, **more}
    return Api().call("POST", "/regions/GRA/v1/app", spec)["id"]


def some_apps() -> None:
    """Apps in several states, tokens, requests, users and registries."""
    hello = "infrastructureascode/hello-world"
    api = Api()
    _apps["hello"] = api_app("hello", hello, {"group": "A", "tier": "gold"})
    _apps["public"] = api_app("open-demo", "ovhai/echo", {"group": "B"}, unsecureHttp=True)
    long = LONG_LABEL[:60]
    labels = {long: long, "group": "A", "owner": "data-science", "env": "prod"}
    _apps["long"] = api_app(LONG_NAME[:60], hello, labels)
    _apps["stopped"] = api_app("stopped", hello, {"group": "B"})
    crash = {"runtime": "process", "command": ["sh", "-c", "echo no module named torch; exit 3"]}
    _apps["crash"] = api_app("crashes", "python:3", {"group": "C"}, **crash)
    waits = {"runtime": "process", "command": ["sleep", "1000"]}
    _apps["starting"] = api_app("starting", "python:3", {"group": "C"}, **waits)
    fixed = {"fixed": {"replicas": 3}}
    _apps["many"] = api_app("three-replicas", hello, {"group": "A"}, scalingStrategy=fixed)
    for name in ("hello", "public", "long", "stopped", "many"):
        at = f"/regions/GRA/v1/app/{_apps[name]}"
        state = lambda at=at: api.call("GET", at)["status"]["state"]
        until(f"{name} runs", lambda: state() == "RUNNING")
    api.call("PUT", f"/regions/GRA/v1/app/{_apps['stopped']}/stop")
    for name, role, selector in (
        ("reader", "read", "group=A"),
        ("ci-pipeline", "operator", "group in (A, B),env!=prod"),
        ("everything", "read", None),
        ("matches-nothing", "read", "group=Z"),
    ):
        api.call(
            "POST", "/regions/GRA/v1/token", {"name": name, "role": role, "labelSelector": selector}
        )
    registry = {"url": "registry.example.com/team", "username": "robot", "password": "x" * 20}
    api.call("POST", "/regions/GRA/v1/registry", registry)
    api.call("POST", "/_emulator/users", {"name": "ann", "password": "a long password"})
    for path in ("/", "/v1/models", "/missing?page=2"):
        ovhai("app", "curl", "hello", path)
        ovhai("app", "curl", "open-demo", path)


def pages(page: Page) -> Iterator[Tuple[str, str]]:
    """Names and paths of the pages."""
    yield "apps", "apps"
    yield "apps-filter-wrong", "apps?selector=group+in+(A"
    yield "apps-none-fits", "apps?q=nothing-is-named-so"
    yield "app-new", "apps/new"
    yield "tokens", "tokens"
    yield "token-new", "tokens/new"
    yield "requests", "requests"
    yield "project", "project"
    yield "engine", "project/engine"
    yield "not-found", "nothing/here"
    if not _apps:
        return
    for name in ("hello", "public", "long", "crash", "starting"):
        yield f"app-{name}", f"apps/{_apps[name]}"
    hello = f"apps/{_apps['hello']}"
    for of in ("logs", "labels", "scale", "image", "delete"):
        yield f"app-{of}", f"{hello}/{of}"
    yield "token-explain", "tokens/explain"
    yield "token-new-filled", f"tokens/new?selector=ovh/id={_apps['hello']}&region=GRA"
    yield "user-password", "project/users/ann/password"
    yield "user-remove", "project/users/ann/remove"
    # Pages that links of others lead to.
    for name, of, selector in (
        ("token", "tokens", ".rows tbody th a"),
        ("token-regenerate", "tokens", "a[href$='/regenerate']"),
        ("token-delete", "tokens", "a[href$='/delete']"),
        ("registry-delete", "project", "#registries ~ * a[href$='/delete']"),
        ("request", "requests", ".rows tbody a"),
    ):
        page.get(page.base + of)
        links = page.all(selector)
        if links:
            path = links[0].get_attribute("href").split(page.base)[1]
            yield name, path
            if name == "request":
                yield "request-again", path.replace("?", "/replay?")


def resize(page: Page, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


WIDER = """
const wide = document.documentElement.scrollWidth - innerWidth;
if (wide <= 0) return [];
const out = [...document.querySelectorAll('main *')].filter(of => {
  const box = of.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !of.closest('.scroll, pre, .unseen');
});
return [`${wide} pixels`, ...out.slice(0, 5).map(of => of.outerHTML.slice(0, 120))];
"""


def picture(page: Page, name: str, width: int) -> None:
    directory = given()["screenshots"]
    if not directory:
        return
    os.makedirs(directory, exist_ok=True)
    height = page.script("return document.documentElement.scrollHeight")
    resize(page, width, min(max(height, 400), 5000))
    expect(page.driver.save_screenshot(os.path.join(directory, f"{name}.png")), "a picture")


def check(page: Page, state: str, wanted: List[Tuple[str, str]]) -> None:
    # What is wrong, and where.
    faults: Dict[str, List[str]] = {}
    for name, path in wanted:
        for width, height in WIDTHS:
            resize(page, width, height)
            for scheme in ("light", "dark"):
                page.dark(scheme == "dark")
                page.get(path if path.startswith("http") else page.base + path)
                where = f"{state}-{name}-{scheme}-{width}"
                found = [
                    f"{rule['rule']}: {place}"
                    for rule in findings(page)
                    for place in rule["places"]
                ]
                found += [f"wider than the window: {of}" for of in page.script(WIDER)]
                for fault in found + page.complaints():
                    faults.setdefault(fault, []).append(where)
                picture(page, where, width)
    lines = (f"{fault}\n  at {', '.join(at)}" for fault, at in faults.items())
    expect(not faults, "\n".join(lines))


def login_pages() -> None:
    with browser() as page:
        links = [("login", root()), ("login-ended", f"{root()}?ended=1"), ("open", link())]
        check(page, "out", links)


def no_app() -> None:
    with browser() as page:
        page.base = log_in(page)
        check(page, "empty", list(pages(page)))


def a_few_apps() -> None:
    some_apps()
    with browser() as page:
        page.base = log_in(page)
        check(page, "few", list(pages(page)))
        open_menus(page)
        documents(page)


def open_menus(page: Page) -> None:
    """A menu, the list of keys, and a token that was just made."""
    for width, height in WIDTHS:
        for scheme in ("light", "dark"):
            resize(page, width, height)
            page.dark(scheme == "dark")
            page.get(page.base + "apps")
            page.all("details.menu summary")[1].click()
            expect_equal(findings(page), [], f"an open menu, {scheme}, {width}")
            picture(page, f"few-menu-{scheme}-{width}", width)
            page.get(page.base + "apps")
            page.find("body").send_keys("?")
            until("the list of keys", lambda: page.all("#keys[open]"))
            expect_equal(findings(page), [], f"the list of keys, {scheme}, {width}")
            picture(page, f"few-keys-{scheme}-{width}", width)
            page.get(page.base + "tokens/new")
            field(page, "Name").send_keys(f"fresh-{scheme}-{width}")
            field(page, "Token scope").send_keys("group=A")
            page.submit(button(page, "Generate"))
            expect(page.all(".fresh"), "the new token's value")
            expect_equal(findings(page), [], f"a new token, {scheme}, {width}")
            picture(page, f"few-token-fresh-{scheme}-{width}", width)
    expect_no_complaint(page)


def documents(page: Page) -> None:
    """The pictures of the README."""
    directory = given()["screenshots"]
    if not directory:
        return
    page.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    for scheme in ("light", "dark"):
        page.dark(scheme == "dark")
        resize(page, 1280, 620)
        page.get(page.base + "apps?selector=group+in+(A,+B),!env")
        until("the list", lambda: len(page.all(".rows tbody tr")) == 4)
        path = os.path.join(directory, f"console-{scheme}.png")
        expect(page.driver.save_screenshot(path), "a picture")


def many_apps() -> None:
    for number in range(300):
        api_app(f"model-{number:03}", "ovhai/echo", {"group": "ABC"[number % 3], "batch": "many"})
    with browser() as page:
        page.base = log_in(page)
        wanted = [
            ("apps", "apps"),
            ("apps-second", "apps?page=2"),
            ("apps-selected", "apps?selector=group%3DA"),
            ("project", "project"),
            ("token-new", "tokens/new"),
        ]
        check(page, "many", wanted)
        # Pages follow each other by links.
        page.get(page.base + "apps?q=model-")
        expect("1–25 of 300" in page.text, "the first page")
        page.submit(button(page, "Next"))
        expect("26–50 of 300" in page.text, "the second page")
        rows = page.find(".rows tbody").find_elements(By.CSS_SELECTOR, "tr")
        expect_equal(len(rows), 25, "rows of a page")
        expect_no_complaint(page)


if __name__ == "__main__":
    run(login_pages, no_app, a_few_apps, many_apps)
