"""Streamlit behind the gateway, over HTTP and over HTTPS.

Given: `app` and `secure` (the app's address over HTTP and HTTPS), `token`.
"""

from __future__ import annotations

import hashlib
import os
from urllib.parse import urlsplit

from harness import Page, browser, expect, expect_equal, given, log_in_with_token, run, until

UPLOAD = 3 * 1024 * 1024 + 17
KEPT = bytes(range(256)) * 8192
# 20 KiB in all.
COOKIES, EACH = 6, 3500


def shows(page: Page, text: str) -> None:
    def shown() -> bool:
        return text in page.text

    until(f"the page shows {text!r}", shown)


def click(page: Page, words: str) -> None:
    """Streamlit draws its page anew at any time: a button may go away under the click."""

    def clicked() -> bool:
        buttons = [each for each in page.all("button") if each.text.strip() == words]
        if buttons:
            buttons[0].click()
        return bool(buttons)

    until(f"a click on {words}", clicked)


def expect_it_works(page: Page, address: str) -> None:
    parts = urlsplit(address)
    shows(page, "Count: 0")
    # The page's WebSocket is the only way that it gets anything to show.
    for count in (1, 2, 3):
        click(page, "More")
        shows(page, f"Count: {count}")
    shows(page, f"\nHost: {parts.netloc}")
    shows(page, f"X-Forwarded-Host: {parts.netloc}")
    shows(page, f"X-Forwarded-Proto: {parts.scheme}")
    shows(page, "Authorization: None")

    content = os.urandom(UPLOAD)
    path = os.path.join(given()["directory"], f"{parts.scheme}.bin")
    with open(path, "wb") as file:
        file.write(content)
    page.find("input[type=file]").send_keys(path)
    shows(page, f"Uploaded: {parts.scheme}.bin {UPLOAD} {hashlib.sha256(content).hexdigest()}")

    downloads = os.path.join(given()["directory"], f"downloads-{parts.scheme}")
    page.download_to(downloads)
    click(page, "Download")
    kept = os.path.join(downloads, "kept.bin")
    until("the download is there", lambda: os.path.exists(kept))
    with open(kept, "rb") as file:
        expect(file.read() == KEPT, "the download is whole")
    # A click on a download counts as any other: the session is the same one.
    shows(page, "Count: 3")


def over_http() -> None:
    with browser() as page:
        page.get(given()["app"] + "/")
        log_in_with_token(page, given()["token"])
        expect_it_works(page, given()["app"])
        shows(page, "Cookies: []")
        spoken = page.script(
            "return performance.getEntriesByType('navigation')[0].nextHopProtocol"
        )
        expect_equal(spoken, "http/1.1", "what the page came over")
        page.reload()
        shows(page, "Count: 0")


def with_large_cookies() -> None:
    with browser() as page:
        page.get(given()["app"] + "/")
        for number in range(COOKIES):
            page.script(
                "document.cookie = `c${arguments[0]}=${'x'.repeat(arguments[1])}; path=/`",
                number,
                EACH,
            )
        log_in_with_token(page, given()["token"])
        shows(page, "Count: 0")
        click(page, "More")
        shows(page, "Count: 1")
        shows(page, f"Cookies: {[f'c{number}' for number in range(COOKIES)]}")
        shows(page, f"Cookies' length: {COOKIES * EACH // 1024} KiB")


def over_https() -> None:
    with browser() as page:
        page.get(given()["secure"] + "/")
        log_in_with_token(page, given()["token"])
        expect_it_works(page, given()["secure"])
        spoken = page.script(
            "return performance.getEntriesByType('navigation')[0].nextHopProtocol"
        )
        expect_equal(spoken, "h2", "what the page came over")
        cookie = page.driver.get_cookie("ovhai") or page.driver.get_cookie("__Host-ovhai")
        expect(cookie and cookie["secure"], f"the cookie is for HTTPS only: {cookie}")


if __name__ == "__main__":
    run(over_http, with_large_cookies, over_https)
