"""Gradio behind the gateway, over HTTP and over HTTPS.

Given: `app` and `secure` (its address over HTTP and HTTPS), `token`; perhaps `forwarded` (where
`ovhai app port-forward` has it, with a token added).
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from harness import Page, browser, expect, expect_equal, given, log_in_with_token, run, until


def expect_it_greets(page: Page, at: str, logs_in: bool = True) -> None:
    page.get(at + "/")
    if logs_in:
        log_in_with_token(page, given()["token"])
    until("the page has its text box", lambda: page.all("#name textarea, #name input"))
    config = page.script("return (await fetch('/config')).json()")
    expect_equal(config["root"], at, "where it believes to be")

    page.find("#name textarea, #name input").send_keys("ann")
    page.find("#greet").click()

    def greeted() -> bool:
        field = page.find("#greeting textarea, #greeting input")
        return field.get_attribute("value") == "Hello, ann!"

    until("the greeting", greeted)
    link = until("a link to the file", lambda: page.all("#file a[href]"))[0]
    href = link.get_attribute("href")
    expect(href.startswith(f"{at}/gradio_api/file="), f"at the gateway: {href}")
    text = page.script("return (await fetch(arguments[0])).text()", href)
    expect_equal(text, "Hello, ann!", "the file")

    loaded = page.script("return performance.getEntriesByType('resource').map(e => e.name)")
    queue = [url for url in loaded if urlsplit(url).path.startswith("/gradio_api/queue/")]
    expect(queue, f"the queue's events: {loaded}")
    expect_equal({urlsplit(url).netloc for url in queue}, {urlsplit(at).netloc}, "their address")


def expect_events(page: Page, at: str) -> None:
    """What its clients in other languages do: a call, then the events of its result."""
    said = page.script(
        "const call = await fetch('/gradio_api/call/greet', {method: 'POST',"
        " headers: {'content-type': 'application/json'}, body: JSON.stringify({data: ['bob']})});"
        "const {event_id} = await call.json();"
        "const answer = await fetch(`/gradio_api/call/greet/${event_id}`);"
        "return {kind: answer.headers.get('content-type'), text: await answer.text()}"
    )
    expect(said["kind"].startswith("text/event-stream"), f"events: {said}")
    events = [part.split("\n") for part in said["text"].strip().split("\n\n")]
    kinds = [event[0] for event in events]
    expect_equal(kinds[-1], "event: complete", f"the last event: {said}")
    expect("event: generating" in kinds[:-1], f"what comes before: {said}")
    greeting, file = json.loads(events[-1][1].partition("data: ")[2])
    expect_equal(greeting, "Hello, bob!", "the greeting")
    expect(file["url"].startswith(f"{at}/gradio_api/file="), f"a URL at the gateway: {file}")


def over_http() -> None:
    with browser() as page:
        expect_it_greets(page, given()["app"])
        expect_events(page, given()["app"])


def over_https() -> None:
    with browser() as page:
        expect_it_greets(page, given()["secure"])
        expect_events(page, given()["secure"])


def through_port_forward() -> None:
    with browser() as page:
        expect_it_greets(page, given()["forwarded"], logs_in=False)
        expect_events(page, given()["forwarded"])


if __name__ == "__main__":
    run(over_http, over_https, *([through_port_forward] if "forwarded" in given() else []))
