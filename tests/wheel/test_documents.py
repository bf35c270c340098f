"""The Python that the documents show, run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def blocks(file: str, heading: str) -> list[str]:
    text = "\n" + (ROOT / file).read_text()
    section = text.split(f"\n{heading}\n", 1)[1]
    section = re.split(r"\n## ", section, maxsplit=1)[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_the_how_to(pytester: pytest.Pytester) -> None:
    fixtures, alone = blocks("docs/how-to.md", "## Use it with pytest")
    pytester.makepyfile(fixtures)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
    subprocess.run([sys.executable, "-c", alone], check=True)


def test_the_read_me(pytester: pytest.Pytester) -> None:
    (fixtures,) = blocks("crates/wheel/README.md", "# ovhai-emulator")
    pytester.makepyfile(fixtures)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
