"""The console in a real browser: the guide's story, and what keeps the console safe and usable.

Given: what console_kit needs. The emulator is stopped by the last step.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import re
import threading
from typing import Dict, Iterator, List, Optional
from urllib.parse import urlsplit

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from console_kit import (
    base,
    below,
    button,
    choose,
    expect_no_complaint,
    field,
    link,
    log_in,
    log_in_by_form,
    menu_item,
    ovhai,
    port,
    root,
    row,
    wait_for_text,
)
from harness import (
    PATIENCE_SECONDS,
    Api,
    Page,
    browser,
    expect,
    expect_equal,
    log_in_with_token,
    run,
    until,
)

HELLO = "Hello, World!"
IMAGE = "infrastructureascode/hello-world"


def run_app(name: str, *options: str) -> Dict[str, str]:
    app = json.loads(ovhai("app", "run", IMAGE, "--name", name, "--wait", "-o", "json", *options))
    return {"id": app["id"], "url": app["status"]["url"], "name": name}


_hello: Dict[str, str] = {}


def apps() -> None:
    """The apps that the steps find."""
    _hello.update(run_app("hello", "--label", "group=A"))
    run_app("other", "--label", "group=B")


def the_guide() -> None:
    """The guide's story, sentence by sentence."""
    app = _hello
    with browser() as page, browser() as visitor:
        # "Go to the AI Apps page, and open the app."
        log_in(page)
        expect_equal(page.find("h1").text, "AI Apps", "heading")
        page.submit(row(page, "hello").find_element(By.CSS_SELECTOR, "a.name"))

        # "Its labels are under Tags, below its access URL."
        url = page.find(".url a")
        tags = page.find("#tags")
        expect_equal(url.text, app["url"], "access URL")
        expect_equal(tags.text, "Tags", "heading of the labels")
        expect(below(url, tags), "the tags are below the access URL")
        labels = page.find("ul[aria-labelledby=tags]").text
        expect("group=A" in labels and f"ovh/id={app['id']}" in labels, labels)

        # "In the tab Tokens, click New Token."
        page.submit(button(page, "Tokens"))
        page.submit(button(page, "New Token"))
        field(page, "Name").send_keys("reader")
        scope = field(page, "Token scope")
        scope.clear()
        scope.send_keys("group=A")
        choose(page, "Role", "AI Platform - Read-only")
        choose(page, "Region", "GRA")
        page.submit(button(page, "Generate"))

        # "The token's value is on top of the list; it is shown once."
        token = fresh_value(page)
        page.reload()
        expect(token not in page.driver.page_source, "the value is shown once")

        # "Open the app's URL, choose Login with token, paste the token, and connect."
        visitor.get(app["url"])
        wait_for_text(visitor, "Login with token")
        visitor.find("#token").send_keys(token)
        connect = visitor.find("form[aria-labelledby=with-token] button")
        expect_equal(connect.text, "Connect", "the button's name")
        visitor.submit(connect)
        expect_equal(visitor.text, HELLO, "the app's answer")

        # "Regenerate in the action menu of the token replaces its value at once."
        page.submit(menu_item(page, "reader", "Regenerate"))
        page.submit(button(page, "Regenerate"))
        again = fresh_value(page)
        expect(again != token, "the new value is another one")

        # "The old value, and the session that it opened, are refused."
        visitor.get(app["url"])
        expect_equal(len(visitor.all("#token")), 1, "the login page is back")
        log_in_with_token(visitor, token)
        expect_equal(visitor.find("[role=alert]").text, "The token is not valid here.", "error")
        log_in_with_token(visitor, again)
        expect_equal(visitor.text, HELLO, "the app's answer")

        # "Delete removes the token."
        page.get(base(page) + "tokens")
        page.submit(menu_item(page, "reader", "Delete"))
        page.submit(button(page, "Delete"))
        visitor.get(app["url"])
        expect_equal(len(visitor.all("#token")), 1, "the login page is back")
        expect_no_complaint(page)
        expect_no_complaint(visitor)


def fresh_value(page: Page) -> str:
    fresh = page.find(".fresh")
    value = fresh.find_element(By.CSS_SELECTOR, ".value code").text
    expect(len(value) > 100, f"a token's value: {value}")
    expect(below(fresh, page.find(".rows")), "the value is on top of the list")
    return value


def changes_appear_by_themselves() -> None:
    with browser() as page, browser() as second:
        at = log_in(page)
        second_at = log_in(second)
        for window in (page, second):
            window.script("window.untouched = true")
        second.get(second_at + "apps?q=live&state=RUNNING")
        second.script("window.untouched = true")
        run_app("live", "--label", "group=A")
        for window in (page, second):
            wait_for_text(window, "live")
            until("it runs", lambda window=window: "RUNNING" in row(window, "live").text)
        # Typed text and focus stay.
        search = field(page, "Label selector")
        search.send_keys("group=")
        ovhai("app", "stop", "live")
        until("it is stopped", lambda: "STOPPED" in page.text)
        expect_equal(search.get_attribute("value"), "group=", "what was typed")
        until("it is not in the filtered list", lambda: "No app fits" in second.text)
        for window in (page, second):
            expect(window.script("return window.untouched === true"), "no page was reloaded")
        page.get(at + "apps")
        page.submit(row(page, "live").find_element(By.CSS_SELECTOR, "a.name"))
        page.script("window.untouched = true")
        ovhai("app", "start", "live")
        until("the page says that it runs", lambda: "RUNNING" in page.find("h1").text)
        ovhai("app", "delete", "live", "--force", "--yes")
        # Its page has gone.
        wait_for_text(page, "Not found")
        expect_no_complaint(page)


def filters_say_what_is_wrong() -> None:
    with browser() as page:
        log_in(page)
        selector = field(page, "Label selector")
        selector.send_keys("group in (A")
        until("the selector's fault", lambda: page.all("#selector-problem mark"))
        selector.clear()
        selector.send_keys("group=A")
        until("the filtered list", lambda: "other" not in page.find("#apps").text)
        expect("selector=group" in page.url, f"the address has the filter: {page.url}")
        page.reload()
        expect_equal(field(page, "Label selector").get_attribute("value"), "group=A", "the filter")
        expect("other" not in page.find("#apps").text, "the filter of the address")
        choose(page, "State", "FAILED")
        wait_for_text(page, "No app fits")
        expect_no_complaint(page)


def keys() -> None:
    def press(*keys: str) -> None:
        for key in keys:
            page.driver.switch_to.active_element.send_keys(key)

    def focused() -> str:
        return page.script("return document.activeElement.id || document.activeElement.textContent")

    with browser() as page:
        at = log_in(page)
        press("?")
        until("the list of keys", lambda: page.all("#keys[open]"))
        press(Keys.ESCAPE)
        until("it is closed", lambda: not page.all("#keys[open]"))
        press("/")
        expect_equal(focused(), "q", "where / goes")
        press("j", "n")
        expect_equal(field(page, "Name, image or id").get_attribute("value"), "jn", "typed text")
        page.get(at + "apps")
        names = [cell.text for cell in page.all("a.name")]
        expect(len(names) > 1, f"apps: {names}")
        for key, name in (("j", names[0]), ("j", names[1]), ("k", names[0])):
            press(key)
            expect_equal(focused(), name, f"where {key} goes")
        press(Keys.ENTER)
        until("the app's page", lambda: page.find("h1").text.startswith(names[0]))
        for key, path in (("t", "tokens"), ("r", "requests"), ("p", "project"), ("a", "apps")):
            page.find("body").send_keys("g", key)
            until(f"g {key} goes to {path}", lambda path=path: page.url == at + path)
        page.find("body").send_keys("n")
        until("n goes to the form", lambda: page.url == at + "apps/new")
        # The first stop of the keyboard leads past the navigation.
        page.get(at + "apps")
        press(Keys.TAB)
        expect_equal(focused(), "Skip to the content", "the first stop")
        press(Keys.ENTER)
        expect_equal(focused(), "main", "where it leads")
        expect_no_complaint(page)


def without_scripts() -> None:
    run_app("plain", "--label", "group=A")
    with browser(javascript=False) as page:
        page.get("data:text/html,<p>off<script>document.body.textContent = 'on'</script>")
        expect_equal(page.text, "off", "scripts are off")
        at = log_in(page)
        field(page, "Name, image or id").send_keys("plain")
        page.submit(button(page, "Filter"))
        expect_equal(len(page.all(".rows tbody tr")), 1, f"rows of {page.url}")
        page.submit(menu_item(page, "plain", "Stop"))
        expect("plain stops" in page.find("[role=status].done").text, "what was done")
        expect("q=plain" in page.url, f"back at the filtered list: {page.url}")
        until("it is stopped", lambda: page.reload() or "STOPPED" in row(page, "plain").text)
        page.submit(menu_item(page, "plain", "Start"))
        until("it runs", lambda: page.reload() or "RUNNING" in row(page, "plain").text)
        page.submit(menu_item(page, "plain", "Delete"))
        page.find("#name").send_keys("another")
        page.submit(button(page, "Delete"))
        expect("not the name" in page.find("[role=alert]").text, "the name has to be typed")
        page.find("#name").send_keys("plain")
        page.submit(button(page, "Delete"))
        until("it is gone", lambda: page.get(at + "apps?q=plain") or "No app fits" in page.text)
        for heading in ("Tokens", "Requests", "Project"):
            page.get(at + heading.lower())
            expect_equal(page.find("h1").text, heading, "heading")
        page.submit(button(page, "Log out"))
        expect("You are logged out." in page.text, page.text)
        page.get(at + "apps")
        expect("session has ended" in page.text, "the session has ended")


def sessions() -> None:
    """A link works once; a login page continues the session of this browser."""
    once = link()
    with browser() as page, browser() as other:
        page.get(once)
        other.get(once)
        page.submit(button(page, "Open the console"))
        expect_equal(page.find("h1").text, "AI Apps", "the first browser is in")
        other.submit(button(other, "Open the console"))
        expect("This link was used" in other.find("[role=alert]").text, other.text)
        page.get(root())
        until("the session goes on", lambda: page.find("h1").text == "AI Apps")
        # Of two buttons in two tabs, one session's pages stay as they are.
        cookie = page.driver.get_cookie("ovhai-console")
        expect(cookie, "a cookie")
        seen = {name: cookie[name] for name in ("path", "httpOnly", "sameSite")}
        path = "/" + base(page).split("/", 3)[3]
        expect_equal(seen, {"path": path, "httpOnly": True, "sameSite": "Strict"}, "cookie")
        expect_equal(page.script("return document.cookie"), "", "what scripts see of cookies")
        # Others' addresses are of no use.
        other.get(page.url)
        expect(other.all("#token"), "another browser has to log in")


def token(name: str, role: str) -> str:
    spec = {"name": name, "role": role, "labelSelector": "group=A"}
    return Api().call("POST", "/regions/GRA/v1/token", spec)["status"]["value"]


def a_token_sees_its_own() -> None:
    """The console has no rights of its own: pages show what the API would."""
    with browser() as page:
        at = log_in_by_form(page, token("operates", "operator"))
        expect("hello" in page.text and "other" not in page.find("main").text, page.text)
        expect_no_complaint(page)
        page.get(at + "project")
        text = page.find("main").text
        expect("Not shown" in text and not page.all("#user-name"), text)
        expect("tester" not in text, f"users of the project: {text}")
        for path in ("tokens", "tokens/new", "project/engine", "project/users/tester/remove"):
            page.get(at + path)
            expect_equal(page.find("h1").text, "No access", f"heading of {path}")
    with browser() as page:
        log_in_by_form(page, token("reads", "read"))
        expect("may not see apps through the API" in page.find("main").text, page.text)
        expect("hello" not in page.find("main").text, page.text)


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """A server on another port of the console's host, which keeps all that it is told."""

    page = b"<!doctype html><title>elsewhere</title><link rel=icon href=data:,><p>elsewhere"
    seen: List[Dict[str, str]] = []

    def do_GET(self) -> None:
        self.seen.append({"path": self.path, **dict(self.headers.items())})
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def elsewhere() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        # The same host: browsers send its cookies to all ports.
        yield f"http://{urlsplit(root()).hostname}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


LEAVE = """
const link = document.createElement('a');
link.href = arguments[0];
link.id = 'leave';
link.textContent = 'leave';
document.querySelector('main').prepend(link);
"""

TRIES = """
const [target, change] = arguments;
const told = {};
const frame = document.createElement('iframe');
frame.src = target;
const framed = new Promise(resolve => { frame.onload = resolve; frame.onerror = resolve; });
document.body.append(frame);
await framed;
try { told.frame = frame.contentDocument && frame.contentDocument.body.textContent; }
catch (error) { told.frame = null; }
for (const mode of ['cors', 'no-cors']) {
  try {
    const answer = await fetch(target, {mode, credentials: 'include'});
    told[mode] = await answer.text();
  } catch (error) { told[mode] = null; }
}
try {
  const answer = await fetch(change, {
    method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams({form: ''}),
  });
  told.post = await answer.text();
} catch (error) { told.post = null; }
const image = new Image();
await new Promise(resolve => { image.onload = image.onerror = resolve; image.src = target; });
told.cookie = document.cookie;
told.storage = JSON.stringify({...localStorage});
const shown = window.open(target);
await new Promise(resolve => setTimeout(resolve, 300));
try { told.opened = shown && shown.location.href; } catch (error) { told.opened = null; }
if (shown) shown.close();
return told;
"""

SUBMIT = """
const form = document.createElement('form');
form.method = 'post';
form.action = arguments[0];
document.body.append(form);
form.submit();
"""


def replay(path: str, cookies: Optional[str]) -> int:
    """A client that sends what was learned; the status."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port()), timeout=PATIENCE_SECONDS)
    headers = {"Host": urlsplit(root()).netloc, "Accept": "text/html"}
    if cookies:
        headers["Cookie"] = cookies
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    expect("Log out" not in text, f"{path} opens a page with {cookies}")
    return answer.status


def other_ports_of_the_host() -> None:
    """A server on another port receives nothing that opens a page."""
    app = run_app("target", "--label", "group=A")
    with browser() as page, elsewhere() as evil:
        at = log_in(page)
        path = "/" + at.split("/", 3)[3]
        segment = path.split("/")[2]
        paths = ["", "apps", f"apps/{app['id']}", f"apps/{app['id']}/logs", "apps/new", "tokens"]
        paths += ["tokens/new", "requests", "project", f"apps/{app['id']}/delete"]
        for of in paths:
            page.get(at + of)
            page.script(LEAVE, f"{evil}/left")
            page.find("#leave").click()
            until("elsewhere", lambda: page.title == "elsewhere")
        # It may even know the address: the cookie does not go along, and no frame opens.
        page.get(evil)
        told = page.script(TRIES, at + "apps", f"{at}apps/{app['id']}/stop")
        for how, text in told.items():
            expect(not text or segment not in text and "Log out" not in text, f"{how}: {text}")
        page.get(evil)
        page.script(SUBMIT, f"{at}apps/{app['id']}/stop")
        wait_for_text(page, "pages of other origins may not")
        page.get(at + "apps")
        expect("RUNNING" in row(page, "target").text, "a form from elsewhere changes nothing")
        expect(Elsewhere.seen, "requests came")
        for request in Elsewhere.seen:
            text = json.dumps(request)
            expect(segment not in text, f"the session's address was told: {text}")
            expect("ovhai-console=" not in text, f"the session's cookie was told: {text}")
            expect("Referer" not in request or "/c/" not in request["Referer"], text)
            cookies = request.get("Cookie")
            for of in ("/", "/apps", path, path + "apps", request["path"]):
                expect(replay(of, cookies) in (200, 303, 404), f"status of {of}")
        # What the browser complained of are the refusals that were asked for.
        page.complaints()


def when_the_emulator_stops() -> None:
    with browser() as page:
        log_in(page)
        expect_no_complaint(page)
        ovhai("emulator", "stop")
        until("the loss is said", lambda: page.find("#stale").is_displayed())
        text = page.find("#stale").text
        expect(re.match(r"Connection lost\. Data of \d\d:\d\d:\d\d\.", text), text)
        expect("hello" in page.text, "the data stay")


if __name__ == "__main__":
    run(
        apps,
        the_guide,
        changes_appear_by_themselves,
        filters_say_what_is_wrong,
        keys,
        without_scripts,
        sessions,
        a_token_sees_its_own,
        other_ports_of_the_host,
        when_the_emulator_stops,
    )
