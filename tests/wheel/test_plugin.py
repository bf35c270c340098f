"""The plugin in sessions of its own: workers, reports, options, and ends of all kinds."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest

from ovhai_emulator import Emulator, EmulatorError, executable, running

PATIENCE = 60.0


def eventually(what: str, check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.005)


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_each_worker_has_an_emulator_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os, pathlib, pytest

        @pytest.mark.parametrize("number", range(6))
        def test_it(number, ovhai_emulator, ovhai, app):
            app.run(image="ovhai/echo")
            names = ovhai.cli("app", "list", "-o", "name").split()
            assert app.name in names
            worker = os.environ["PYTEST_XDIST_WORKER"]
            pathlib.Path(f"{worker}-{number}.seen").write_text(ovhai_emulator.url)
        """
    )
    outcome = pytester.runpytest_subprocess("-n", "2", "-q")
    outcome.assert_outcomes(passed=6)
    seen = {
        (path.name.partition("-")[0], path.read_text()) for path in pytester.path.glob("*.seen")
    }
    workers = {worker for worker, _ in seen}
    assert len(seen) == len(workers) == len({url for _, url in seen})


def test_a_failed_test_shows_logs_and_refusals(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_it(ovhai, app):
            app.run(image="ovhai/echo", labels={"group": "A"})
            assert app.get(token=ovhai.token(selector="group=B")).status == 200
        """
    )
    outcome = pytester.runpytest_subprocess("-q")
    outcome.assert_outcomes(failed=1)
    text = outcome.stdout.str()
    assert re.search(r"ovhai: log of app-\w+ -+\n.*ovhai/echo listens", text), text
    assert re.search(r"ovhai: refused requests -+\nGET / 403: .*group=B does not match", text), text
    assert "eyJ" not in text, "a token string is in the report"


def test_options_are_those_of_the_emulator(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\novhai_options = --regions BHS --quota CPU=1")
    pytester.makepyfile(
        """
        import pytest
        from ovhai_emulator import ApiError

        def test_it(ovhai):
            assert ovhai.api_url.endswith("/regions/BHS")
            ovhai.run(image="ovhai/echo")
            with pytest.raises(ApiError, match="quota"):
                ovhai.run(image="ovhai/echo")
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_a_start_that_fails_says_why() -> None:
    with pytest.raises(EmulatorError, match="(?s)did not start.*--no-such-option"):
        Emulator(["--no-such-option"])


def test_stop_leaves_nothing() -> None:
    emulator = Emulator()
    app = emulator.run([sys.executable, "-c", SERVES])
    process = int(app.get("/").text)
    emulator.stop()
    emulator.stop()
    assert is_gone(process)
    assert not os.path.exists(emulator.server.state_dir)


SERVES = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(os.getpid()).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_session_leaves_nothing(number: signal.Signals) -> None:
    code = f"""
import signal, sys
from ovhai_emulator import Emulator
emulator = Emulator()
app = emulator.run([sys.executable, "-c", {SERVES!r}])
print(app.get("/").text, emulator.server.state_dir, flush=True)
signal.pause()
"""
    session = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert session.stdout is not None
    process, state_dir = session.stdout.readline().split()
    session.send_signal(number)
    session.wait()
    session.stdout.close()
    eventually("the app's process ends", lambda: is_gone(int(process)))
    eventually("the state directory is removed", lambda: not os.path.exists(state_dir))


def test_a_program_finds_the_emulator_of_its_exec(monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
from ovhai_emulator import running
with running() as project:
    assert project.run(image="ovhai/echo").get("/").status == 200
print("found", project.url)
"""
    command = [executable(), "emulator", "exec", "--", sys.executable, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.startswith("found http://127.0.0.1:")
    monkeypatch.delenv("OVHAI_STATE_DIR", raising=False)
    with pytest.raises(EmulatorError, match="below ovhai emulator exec"):
        running()
