"""The console in a browser: logging in, finding things by the names that people read, and axe.

Given beside what the harness needs: `ovhai` (the program), `environment` (of its commands), and
`axe` (axe-core's script).
"""

from __future__ import annotations

import contextlib
import subprocess
from typing import Any, Dict, List, Optional

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from harness import Mismatch, Page, expect, expect_equal, given, until

FIELDS = "input:not([type=hidden]), select, textarea"
NAMED = "a, button, summary, [role=tab], [role=menuitem]"


def ovhai(*arguments: str) -> str:
    """Runs a command; what it prints."""
    ran = subprocess.run(
        [given()["ovhai"], *arguments],
        env=given()["environment"],
        cwd=given()["directory"],
        capture_output=True,
        text=True,
        check=False,
    )
    expect_equal(ran.returncode, 0, f"ovhai {' '.join(arguments)}: {ran.stderr}")
    return ran.stdout.strip()


def link() -> str:
    return ovhai("emulator", "open", "--url")


def base(page: Page) -> str:
    """What the addresses of the session begin with."""
    before, found, rest = page.url.partition("/c/")
    expect(found, f"a page of a session: {page.url}")
    return f"{before}/c/{rest.split('/')[0]}/"


def log_in(page: Page) -> str:
    """Opens the console by a link; what its addresses begin with."""
    page.get(link())
    page.submit(button(page, "Open the console"))
    expect_equal(page.find("h1").text, "AI Apps", "the first page's heading")
    return base(page)


def log_in_by_form(page: Page, token: str) -> str:
    page.get(root())
    field(page, "Token").send_keys(token)
    page.submit(button(page, "Log in with the token"))
    return base(page)


def root() -> str:
    """The console's own address."""
    return link().split("/console/")[0] + "/"


def port() -> str:
    return given()["address"].rsplit(":", 1)[1]


def named(page: Page, selector: str, name: str) -> WebElement:
    """The first element that a person would call so, by its accessible name."""
    names: List[str] = []

    def look() -> Optional[WebElement]:
        names.clear()
        for element in page.all(selector):
            names.append(element.accessible_name)
            if names[-1] == name and element.is_displayed():
                return element
        return None

    # Views that follow changes replace elements while they are looked at.
    for _ in range(20):
        with contextlib.suppress(StaleElementReferenceException):
            found = look()
            if found:
                return found
            break
    raise Mismatch(f"nothing is named {name!r} at {page.url}: {names}")


def button(page: Page, name: str) -> WebElement:
    return named(page, NAMED, name)


def field(page: Page, name: str) -> WebElement:
    return named(page, FIELDS, name)


def choose(page: Page, name: str, option: str) -> None:
    select = field(page, name)
    options = select.find_elements(By.TAG_NAME, "option")
    fits = [of for of in options if of.text.strip() == option]
    expect(fits, f"{name} has {[of.text for of in options]}")
    fits[0].click()


def row(page: Page, name: str) -> WebElement:
    """The row of a list that is named so."""
    for of in page.all(".rows tbody tr"):
        if of.find_element(By.CSS_SELECTOR, ".name").text == name:
            return of
    raise Mismatch(f"no row is named {name!r}: {page.text}")


def menu_item(page: Page, of: str, name: str) -> WebElement:
    """An item of the menu of a row, which is opened."""
    menu = row(page, of).find_element(By.CSS_SELECTOR, "details.menu")
    if menu.get_attribute("open") is None:
        menu.find_element(By.CSS_SELECTOR, "summary").click()
    for item in menu.find_elements(By.CSS_SELECTOR, ".menu-items a, .menu-items button"):
        if item.accessible_name == name:
            return item
    raise Mismatch(f"the menu of {of} has no {name}: {menu.text}")


def below(upper: WebElement, lower: WebElement) -> bool:
    return lower.rect["y"] >= upper.rect["y"] + upper.rect["height"]


def expect_no_complaint(page: Page) -> None:
    expect_equal(page.complaints(), [], f"what the browser complains of at {page.url}")


def wait_for_text(page: Page, text: str) -> None:
    until(f"{text!r} is on the page", lambda: text in page.text)


AXE = """
const found = await axe.run(document, {preload: false, resultTypes: ['violations']});
return found.violations.map(rule => ({
  rule: rule.id,
  places: rule.nodes.map(node => `${node.target.join(' ')}: ${node.failureSummary}`).slice(0, 5),
}));
"""

_axe: Optional[str] = None


def findings(page: Page) -> List[Dict[str, Any]]:
    """What axe finds wrong with the page."""
    global _axe
    if _axe is None:
        with open(given()["axe"], encoding="utf-8") as file:
            _axe = file.read()
    if not page.driver.execute_script("return typeof axe === 'object'"):
        page.driver.execute_script(_axe)
    return page.script(AXE)
