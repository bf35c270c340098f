"""The login page of apps, in a real browser.

Given: `app`, `open` and `leading` (addresses of an app, of one that is open to everybody, and of one
that leads on to that), `user` and `password`, `label` (what the apps' `group` is).
"""

from __future__ import annotations

from typing import Dict
from urllib.parse import urlsplit

from harness import (
    Api,
    Page,
    browser,
    expect,
    expect_equal,
    given,
    log_in_with_token,
    run,
    until,
)

ASKED = "/a%2Fb//c?x=%20&y=%C3%BC&&z={|}%27"
HELLO = "Hello, World!"


def make_token(name: str, selector: str) -> Dict[str, str]:
    spec = {"name": name, "role": "read", "labelSelector": selector}
    token = Api().call("POST", "/regions/GRA/v1/token", spec)
    return {"id": token["id"], "value": token["status"]["value"]}


def asked() -> str:
    return given()["app"] + ASKED


def expect_login_page(page: Page, url: str) -> None:
    expect_equal(page.url, url, "the address stays")
    expect_equal(page.title, "Log in to hello", "title")
    expect_equal(page.find("h1").text, "hello", "heading")
    expect_equal(len(page.all("form")), 2, "ways to log in")


def log_in(page: Page, user: str, password: str) -> None:
    field = page.find("#username")
    field.clear()
    field.send_keys(user)
    page.find("#password").send_keys(password)
    page.submit(page.find("form[aria-labelledby=with-password] button"))


def expect_app(page: Page, url: str) -> None:
    expect_equal(page.url, url, "the very address that was asked for")
    expect_equal(page.text, HELLO, "the app's answer")


def fetched(page: Page, url: str, **options: str) -> Dict[str, object]:
    return page.script(
        "const answer = await fetch(arguments[0], arguments[1]);"
        "return {status: answer.status, kind: answer.headers.get('content-type'),"
        " challenge: answer.headers.get('www-authenticate'), body: await answer.text()}",
        url,
        options,
    )


def expect_refused(answer: Dict[str, object]) -> None:
    expect_equal(answer["status"], 401, "status of a fetch")
    expect_equal(answer["kind"], "application/json", "kind of a fetch's answer")
    expect(str(answer["challenge"]).startswith("Bearer"), f"a challenge: {answer}")
    expect('"message"' in str(answer["body"]), f"a message: {answer}")


def with_a_token() -> None:
    token = make_token("reader", f"group={given()['label']}")
    with browser() as page:
        page.get(asked())
        expect_login_page(page, asked())
        status = page.script(
            "return performance.getEntriesByType('navigation')[0].responseStatus"
        )
        expect_equal(status, 401, "status of the page")
        expect_equal(page.script("return document.activeElement.id"), "username", "focus")
        expect_equal(page.script("return document.documentElement.lang"), "en", "language")
        unnamed = page.script(
            "return [...document.querySelectorAll('input:not([type=hidden])')]"
            ".filter(field => !field.labels.length).map(field => field.name)"
        )
        expect_equal(unnamed, [], "fields without a label")
        loaded = page.script("return performance.getEntriesByType('resource').map(e => e.name)")
        expect_equal(loaded, [], "what the page loads")
        styled = page.script("return getComputedStyle(document.querySelector('main')).maxWidth")
        expect_equal(styled, "400px", "the style is let in")
        for scheme in ("light", "dark"):
            page.dark(scheme == "dark")
            page.shot(f"login-{scheme}.png", 560, 790)
        page.dark(False)

        log_in_with_token(page, "not-a-token")
        expect_equal(page.url, given()["app"] + "/.ovhai/login", "where the error is")
        alert = page.find("[role=alert]")
        expect_equal(alert.text, "The token is not valid here.", "the error")
        expect_equal(page.script("return document.activeElement.id"), "token", "focus")
        expect_equal(page.find("#token").get_attribute("aria-invalid"), "true", "the field")
        expect("not-a-token" not in page.driver.page_source, "the token is not shown again")

        log_in_with_token(page, f"  {token['value']} ")
        expect_app(page, asked())
        page.reload()
        expect_app(page, asked())
        page.get(given()["app"])
        expect_app(page, given()["app"] + "/")

        cookie = page.driver.get_cookie("ovhai")
        expect(cookie, "a cookie of ours")
        host = urlsplit(given()["app"]).hostname
        seen = {name: cookie[name] for name in ("domain", "path", "httpOnly", "sameSite")}
        wanted = {"domain": host, "path": "/", "httpOnly": True, "sameSite": "Lax"}
        expect_equal(seen, wanted, "the cookie")
        expect(len(cookie["value"]) < 64, "the cookie is small")
        expect_equal(page.script("return document.cookie"), "", "what scripts see of cookies")
        expect_equal(fetched(page, "/data")["body"], HELLO, "the app's own page has access")
        expect_equal(page.complaints(), [], "what the browser complains of")

        Api().call("POST", f"/regions/GRA/v1/token/{token['id']}/renew")
        expect_refused(fetched(page, "/data"))
        page.get(asked())
        expect_login_page(page, asked())


def with_a_password() -> None:
    user, password = given()["user"], given()["password"]
    with browser() as page:
        page.get(asked())
        log_in(page, user, "not the password")
        expect_equal(
            page.find("[role=alert]").text, "The user or the password is wrong.", "the error"
        )
        expect_equal(page.find("#username").get_attribute("value"), user, "the user stays")
        expect_equal(page.find("#password").get_attribute("value"), "", "the password does not")
        expect_equal(page.script("return document.activeElement.id"), "password", "focus")
        log_in(page, user, password)
        expect_app(page, asked())

        page.get(given()["app"] + "/.ovhai/")
        expect(f"logged in as {user}" in page.text, f"who is logged in: {page.text}")
        page.submit(page.find("form[action='/.ovhai/logout'] button"))
        expect_equal(page.find("[role=status]").text, "You are logged out.", "what is said")
        expect(not page.driver.get_cookie("ovhai"), "the cookie is gone")
        page.get(asked())
        expect_login_page(page, asked())
        expect_equal(page.complaints(), [], "what the browser complains of")


def without_access() -> None:
    other = make_token("other", "group=elsewhere")
    with browser() as page:
        page.get(asked())
        log_in_with_token(page, other["value"])
        text = page.find("[role=alert]").text
        expect("outside the token's selector group=elsewhere" in text, text)
        expect(not page.driver.get_cookie("ovhai"), "there is no login")


def from_pages_of_other_apps() -> None:
    token = make_token("mine", f"group={given()['label']}")
    with browser() as page:
        page.get(asked())
        log_in_with_token(page, token["value"])
        expect_app(page, asked())
        page.get(given()["open"])
        # The refusal can be read; with the cookie it is one all the same, and says nothing more.
        expect_refused(fetched(page, asked(), credentials="omit"))
        answer = fetched(page, asked(), credentials="include")
        expect_refused(answer)
        expect_equal(answer["body"], '{"message":"authentication is required"}', "what it says")
        send = (
            "const form = document.createElement('form'); form.method = 'post';"
            "form.action = arguments[0]; document.body.append(form); form.submit()"
        )
        page.script(send, asked())
        until("the refusal", lambda: "authentication is required" in page.text)
        page.get(given()["open"])
        # Whoever follows a link is let in.
        page.script(
            "const link = document.createElement('a'); link.href = arguments[0];"
            "link.textContent = 'there'; document.body.append(link)",
            asked(),
        )
        page.submit(page.find("a"))
        expect_app(page, asked())


def to_an_app_that_leads_on() -> None:
    """What the app does then is its own business, though the page's policy is strict."""
    token = make_token("on", f"group={given()['label']}")
    with browser() as page:
        page.get(given()["leading"] + "/on")
        log_in_with_token(page, token["value"])
        expect_app(page, given()["open"] + "/there")


def with_a_fragment() -> None:
    """What stands behind `#` comes along, also through an error."""
    token = make_token("fragment", f"group={given()['label']}")
    with browser() as page:
        page.get(asked() + "#/a?b=%20")
        log_in_with_token(page, "not-a-token")
        expect_equal(page.find("[role=alert]").text, "The token is not valid here.", "the error")
        log_in_with_token(page, token["value"])
        expect_app(page, asked() + "#/a?b=%20")
        expect_equal(page.complaints(), [], "what the browser complains of")


def without_scripts() -> None:
    token = make_token("plain", f"group={given()['label']}")
    with browser(javascript=False) as page:
        page.get("data:text/html,<p>off<script>document.body.textContent = 'on'</script>")
        expect_equal(page.text, "off", "scripts are off")
        page.get(asked())
        expect_login_page(page, asked())
        log_in_with_token(page, "not-a-token")
        expect_equal(page.find("[role=alert]").text, "The token is not valid here.", "the error")
        log_in_with_token(page, token["value"])
        expect_app(page, asked())


def in_the_dark() -> None:
    def brightness(color: str) -> float:
        parts = [float(part) for part in color.strip("rgba()").split(",")[:3]]
        return sum(parts) / len(parts)

    back = "return getComputedStyle(document.body).backgroundColor"
    text = "return getComputedStyle(document.body).color"
    with browser() as page:
        page.get(asked())
        page.dark(False)
        expect(brightness(page.script(back)) > 200 > brightness(page.script(text)), "light")
        page.dark(True)
        expect(brightness(page.script(back)) < 60 < brightness(page.script(text)), "dark")


if __name__ == "__main__":
    run(
        with_a_token,
        with_a_password,
        without_access,
        from_pages_of_other_apps,
        to_an_app_that_leads_on,
        with_a_fragment,
        without_scripts,
        in_the_dark,
    )
