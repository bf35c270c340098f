"""A real Chromium without a window, for tests of what people see; and calls of the emulator's API.

A script gets one JSON object on its standard input (`given()`): `address` of the emulator,
`administrator`'s bearer, a temporary `directory`, `screenshots` (where pictures go, or null), and
whatever its test adds. It prints a line for each step and ends with 1 at the first difference.
tests/it/browser.rs runs it, and ends whatever it may have left.

    with browser() as page:
        page.get(url)
        page.find("#token").send_keys(token)
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

PATIENCE_SECONDS = 180.0

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--force-color-profile=srgb",
    # Nothing beyond this machine: what an app's page would load from elsewhere fails at once.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost,"
    " EXCLUDE 127.0.0.1",
)


class Mismatch(Exception):
    """What the browser shows is not what it should."""


def expect(condition: Any, message: str) -> None:
    if not condition:
        raise Mismatch(message)


def expect_equal(actual: Any, expected: Any, what: str) -> None:
    expect(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")


def until(what: str, ask: Callable[[], Any]) -> Any:
    """Asks again and again until the answer is true; a page that is just changing is no answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    last: Optional[Exception] = None
    while time.monotonic() < deadline:
        try:
            answer = ask()
            if answer:
                return answer
        except WebDriverException as error:
            last = error
        time.sleep(0.02)
    raise Mismatch(f"never happened: {what}" + (f" ({last.msg})" if last else ""))


class Page:
    """The browser's one tab."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def get(self, url: str) -> None:
        self.driver.get(url)

    def reload(self) -> None:
        self.driver.refresh()

    @property
    def url(self) -> str:
        return self.driver.current_url

    @property
    def title(self) -> str:
        return self.driver.title

    @property
    def text(self) -> str:
        return self.find("body").text

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> List[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def script(self, code: str, *arguments: Any) -> Any:
        """Runs a function's body in the page; it may be async."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...arguments) => {{ {code} }})(...arguments)"
            ".then(value => done({value}), error => done({error: String(error)}))"
        )
        answer = self.driver.execute_async_script(wrapped, *arguments)
        if "error" in answer:
            raise Mismatch(f"the page's script failed: {answer['error']}")
        return answer.get("value")

    def submit(self, button: WebElement) -> None:
        """Clicks, and waits until another document is there."""
        before = self.find("html").id
        button.click()

        def changed() -> bool:
            return self.find("html").id != before and self.find("body") is not None

        until("the next page", changed)

    def complaints(self) -> List[str]:
        """What the browser wrote to its console, but for answers that are refusals."""
        lines = [entry["message"] for entry in self.driver.get_log("browser")]
        return [line for line in lines if "the server responded with a status of" not in line]

    def download_to(self, directory: str) -> None:
        """Downloads go there, without a question."""
        settings = {"behavior": "allow", "downloadPath": directory}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", settings)

    def dark(self, on: bool) -> None:
        """Whether the person prefers dark pages."""
        feature = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def shot(self, name: str, width: int, height: int) -> None:
        """Takes a picture for the documents, if pictures are asked for."""
        directory = given()["screenshots"]
        if not directory:
            return
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1.5, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        os.makedirs(directory, exist_ok=True)
        expect(self.driver.save_screenshot(os.path.join(directory, name)), f"{name} is written")
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def log_in_with_token(page: Page, token: str) -> None:
    """On an app's login page; leads to what was asked for."""
    page.find("#token").send_keys(token)
    page.submit(page.find("form[aria-labelledby=with-token] button"))


def program(name: str) -> str:
    path = shutil.which(name)
    if not path:
        raise Mismatch(f"{name} is missing: run the tests with `cargo xtask test`, which installs it")
    return path


@contextlib.contextmanager
def browser(javascript: bool = True, flags: Tuple[str, ...] = ()) -> Iterator[Page]:
    """A browser that nobody has used before, and that ends whatever happens."""
    profile = tempfile.mkdtemp(prefix="profile-", dir=given()["directory"])
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    if not javascript:
        blocked = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", blocked)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Its log is in the directory, so that whoever cleans up knows the process by its words.
    service = Service(program("chromedriver"), log_output=os.path.join(profile, "driver.log"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_page_load_timeout(PATIENCE_SECONDS)
        driver.set_script_timeout(PATIENCE_SECONDS)
        yield Page(driver)
    finally:
        driver.quit()


class Api:
    """The emulator's API, as its administrator."""

    def __init__(self) -> None:
        self.base = f"http://{given()['address']}"
        # What stands in the environment is for other addresses.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {given()['administrator']}")
        request.add_header("Content-Type", "application/json")
        try:
            with self.opener.open(request, timeout=PATIENCE_SECONDS) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            raise Mismatch(f"{method} {path}: {error.code} {error.read()!r}") from None
        return json.loads(content) if content else None


_given: Optional[Dict[str, Any]] = None


def given() -> Dict[str, Any]:
    """What the test said."""
    global _given
    if _given is None:
        _given = json.load(sys.stdin)
    return _given


def _ended(number: int, _frame: Any) -> None:
    # An exception, so that browsers are ended on the way out.
    raise SystemExit(128 + number)


def _ends_with(parent: int) -> None:
    """A test that is killed can't end its browsers; they end with it all the same."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)


def run(*steps: Callable[[], None]) -> None:
    """Runs the steps in their order."""
    signal.signal(signal.SIGTERM, _ended)
    threading.Thread(target=_ends_with, args=(os.getppid(),), daemon=True).start()
    for step in steps:
        started = time.monotonic()
        try:
            step()
        except Mismatch as error:
            print(f"{step.__name__}: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        except WebDriverException as error:
            traceback.print_tb(error.__traceback__)
            print(f"{step.__name__}: {error.msg}", file=sys.stderr)
            raise SystemExit(1) from None
        print(f"{step.__name__}: ok ({time.monotonic() - started:.1f} s)", flush=True)
    print(f"{len(steps)} passed, 0 failed")
