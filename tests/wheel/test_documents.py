"""The Python that the documents show, run as it stands there."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from ovhai_emulator import Emulator, executable

ROOT = Path(__file__).parents[2]


def blocks(file: str, heading: str, language: str = "python") -> list[str]:
    text = "\n" + (ROOT / file).read_text()
    section = text.split(f"\n{heading}\n", 1)[1]
    section = re.split(r"\n## ", section, maxsplit=1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_how_to(pytester: pytest.Pytester) -> None:
    fixtures, alone = blocks("docs/how-to.md", "## Use it with pytest")
    pytester.makepyfile(fixtures)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
    subprocess.run([sys.executable, "-c", alone], check=True)


def test_the_read_me(pytester: pytest.Pytester) -> None:
    (fixtures,) = blocks("crates/wheel/README.md", "# ovhai-emulator")
    pytester.makepyfile(fixtures)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


class Runner:
    """Runs the scripts of a job as a CI system does: each in a shell of its own, in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        tools = directory / "tools"
        tools.mkdir()
        # The examples stand for projects that have these.
        acceptance = "ovhai app list -o name && touch tested"
        programs = {
            tools / "npm": acceptance,
            directory / "acceptance.sh": acceptance,
            tools / "pytest": f'exec "{sys.executable}" -m pytest "$@"',
        }
        for program, script in programs.items():
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        (directory / "test_it.py").write_text("def test_it(ovhai):\n    assert ovhai.apps == []\n")
        self.file = directory / "github.env"
        self.file.touch()
        home = {key: value for key, value in os.environ.items() if not key.startswith("OVHAI_")}
        path = f"{tools}:{Path(sys.executable).parent}:{Path(executable()).parent}:{home['PATH']}"
        self.environment = {**home, "PATH": path, "GITHUB_ENV": str(self.file)}

    def run(self, script: str) -> str:
        given = dict(line.split("=", 1) for line in self.file.read_text().splitlines())
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.directory,
            env={**self.environment, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout

    def tested(self) -> bool:
        file = self.directory / "tested"
        was = file.exists()
        file.unlink(missing_ok=True)
        return was


def files(heading: str, *numbers: int) -> Dict[str, Any]:
    """The files of a section by their names: all, or those in these places."""
    yaml = importlib.import_module("yaml")
    shown = blocks("docs/how-to.md", heading, "yaml")
    shown = [shown[number] for number in numbers] if numbers else shown
    return {block.splitlines()[0][2:]: yaml.safe_load(block) for block in shown}


def steps(workflow: Any) -> Iterator[str]:
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            script = step.get("run")
            if script and not script.startswith("pip install"):
                yield script


def test_the_workflows_of_github(tmp_path: Path) -> None:
    shown = files("## Use it in GitHub Actions")
    runner = Runner(tmp_path)
    (test,) = steps(shown[".github/workflows/test.yml"])
    assert "1 passed" in runner.run(test)
    (other,) = steps(shown[".github/workflows/other.yml"])
    runner.run(other)
    assert runner.tested()
    start, use, log = steps(shown[".github/workflows/steps.yml"])
    runner.run(start)
    try:
        assert "State: RUNNING" in runner.run(use)
        assert "the emulator runs" in runner.run(log)
    finally:
        runner.run("ovhai emulator stop")


def test_the_jobs_of_gitlab(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    install, *script = files("## Use it in GitLab", 0)[".gitlab-ci.yml"]["test"]["script"]
    assert install.startswith("pip install")
    for line in script:
        runner.run(line)
    assert runner.tested()
    assert (tmp_path / "report.xml").exists()


def test_a_client_of_the_service(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    client, container = blocks("docs/how-to.md", "## Use it with Docker Compose")
    # Engines pull no images in tests: this one is compiled only.
    compile(container, "container", "exec")
    environment = files("## Use it with Docker Compose")["compose.yaml"]["services"]["ai"]["environment"]
    assert sorted(environment) == ["OVHAI_DOMAINS", "OVHAI_PASSWORD"]
    monkeypatch.setenv("OVHAI_DOMAINS", environment["OVHAI_DOMAINS"])
    monkeypatch.setenv("OVHAI_PASSWORD", "correct horse")
    monkeypatch.setenv("USER", "ovhai")
    with Emulator() as service:
        monkeypatch.setenv("AI_URL", service.url)
        monkeypatch.setenv("AI_PASSWORD", "correct horse")
        pytester.makepyfile(client)
        pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
