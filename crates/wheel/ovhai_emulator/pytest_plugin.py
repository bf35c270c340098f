"""Fixtures for pytest.

- `ovhai_emulator` (session): an emulator. Each worker of pytest-xdist has its own.
- `ovhai` (function): a `Project` in it. What a test makes there is deleted after the test.
- `app` (function): an `App` of that project that does not run yet.

The ini option `ovhai_options` has the options of `ovhai emulator exec` for the emulator; by default
quotas are unlimited, so that no test depends on what another one left running.
"""

from __future__ import annotations

from typing import Generator, Iterator

import pytest

from .app import App
from .emulator import Emulator
from .errors import EmulatorError
from .project import Project

_DEFAULT_OPTIONS = ["--quota", "unlimited"]
_LOG_LINES = 50


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "ovhai_options",
        "options of ovhai emulator exec for the fixtures [default: --quota unlimited]",
        type="args",
        default=_DEFAULT_OPTIONS,
    )


@pytest.fixture(scope="session")
def ovhai_emulator(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """An emulator of OVHcloud AI Deploy for the session."""
    with Emulator(pytestconfig.getini("ovhai_options")) as emulator:
        yield emulator


@pytest.fixture
def ovhai(ovhai_emulator: Emulator) -> Iterator[Project]:
    """A project of OVHcloud AI Deploy for this test; its apps and tokens are deleted afterwards."""
    with ovhai_emulator.project() as project:
        yield project


@pytest.fixture
def app(ovhai: Project) -> App:
    """An app of OVHcloud AI Deploy that does not run yet: app.run("command {port}")."""
    return ovhai.app()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.CallInfo[None], None]:
    """Adds to the report of a failed test what its apps wrote, and which requests were refused."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]
    project = getattr(item, "funcargs", {}).get("ovhai")
    if report.when != "call" or not report.failed or not isinstance(project, Project):
        return
    try:
        for one in project.apps:
            lines = one.log().splitlines()[-_LOG_LINES:]
            report.sections.append((f"ovhai: log of {one.name}", "\n".join(lines)))
        if project.apps:
            denied = [
                f"{seen.method} {seen.path} {seen.status}: {seen.reason or seen.decision}"
                for seen in project.requests(denied=True)
            ]
            if denied:
                report.sections.append(("ovhai: refused requests", "\n".join(denied)))
    except EmulatorError as error:
        report.sections.append(("ovhai", str(error)))
