"""An app whose service worker passes every navigation on, when the login has ended.

Given: `app` (the app's address) and `label` (its `group`).
"""

from __future__ import annotations

from harness import Api, browser, expect, expect_equal, given, log_in_with_token, run, until


def when_the_login_has_ended() -> None:
    spec = {"name": "pwa", "role": "read", "labelSelector": f"group={given()['label']}"}
    token = Api().call("POST", "/regions/GRA/v1/token", spec)
    with browser() as page:
        page.get(given()["app"])
        log_in_with_token(page, token["status"]["value"])
        until("the worker is active", lambda: page.title == "ready")
        page.reload()
        controlled = "return Boolean(navigator.serviceWorker.controller)"
        until("the worker controls the page", lambda: page.script(controlled))

        # Revocation ends the login.
        Api().call("POST", f"/regions/GRA/v1/token/{token['id']}/renew")
        for path in ("/", "/", "/deep?x=1", "/.ovhai/"):
            page.get(given()["app"] + path)
            # The navigation itself has a worker, so that it did pass it on.
            started = page.script(
                "return performance.getEntriesByType('navigation')[0].workerStart"
            )
            expect(started > 0, f"the worker passed {path} on")
            expect_equal(len(page.all("form")), 2, f"ways to log in at {path}: {page.text}")

        # Logging in there leads back into the app.
        page.get(given()["app"] + "/")
        again = Api().call("POST", "/regions/GRA/v1/token", {**spec, "name": "again"})
        log_in_with_token(page, again["status"]["value"])
        until("the app's page", lambda: "INSIDE" in page.text)


if __name__ == "__main__":
    run(when_the_login_has_ended)
