"""Gradio behind the gateway.

Given: `app` (its address) and `token`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from harness import browser, expect, expect_equal, given, log_in_with_token, run, until


def greets() -> None:
    address = given()["app"]
    with browser() as page:
        page.get(address + "/")
        log_in_with_token(page, given()["token"])
        until("the page has its text box", lambda: page.all("#name textarea, #name input"))
        config = page.script("return (await fetch('/config')).json()")
        expect_equal(config["root"], address, "where it believes to be")

        page.find("#name textarea, #name input").send_keys("ann")
        page.find("#greet").click()

        def greeted() -> bool:
            field = page.find("#greeting textarea, #greeting input")
            return field.get_attribute("value") == "Hello, ann!"

        until("the greeting", greeted)
        link = until("a link to the file", lambda: page.all("#file a[href]"))[0]
        href = link.get_attribute("href")
        expect(href.startswith(f"{address}/gradio_api/file="), f"at the gateway: {href}")
        text = page.script("return (await fetch(arguments[0])).text()", href)
        expect_equal(text, "Hello, ann!", "the file")

        loaded = page.script("return performance.getEntriesByType('resource').map(e => e.name)")
        host = urlsplit(address).netloc
        queue = [url for url in loaded if urlsplit(url).path.startswith("/gradio_api/queue/")]
        expect(queue, f"the queue's events: {loaded}")
        expect_equal({urlsplit(url).netloc for url in queue}, {host}, "where the queue is")


def sends_events() -> None:
    """What its clients in other languages do: a call, then the events of its result."""
    with browser() as page:
        page.get(given()["app"] + "/")
        log_in_with_token(page, given()["token"])
        said = page.script(
            "const call = await fetch('/gradio_api/call/greet', {method: 'POST',"
            " headers: {'content-type': 'application/json'}, body: JSON.stringify({data: ['bob']})});"
            "const {event_id} = await call.json();"
            "const answer = await fetch(`/gradio_api/call/greet/${event_id}`);"
            "return {kind: answer.headers.get('content-type'), text: await answer.text()}"
        )
        expect(said["kind"].startswith("text/event-stream"), f"events: {said}")
        generated, complete = said["text"].index("event: generating"), said["text"].index("event: complete")
        expect(generated < complete, f"in their order: {said}")
        expect(f'"url": "{given()["app"]}/gradio_api/file=' in said["text"]
               or f'"url":"{given()["app"]}/gradio_api/file=' in said["text"], f"a URL at the gateway: {said}")


if __name__ == "__main__":
    run(greets, sends_events)
