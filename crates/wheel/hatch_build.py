"""Puts the executable into the wheel, stripped, under the tag of the systems that can run it.

`OVHAI_BINARY` names the executable. Without it the `dist` profile is compiled.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROJECT = Path(__file__).resolve().parents[2]
# What manylinux promises on every system, of that which Rust's standard library and AWS-LC need.
PROMISED = {
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
}
# Older systems than this have no manylinux tag that pip still knows by its glibc.
OLDEST_GLIBC = (2, 17)
MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        binary = executable()
        self.scratch = Path(tempfile.mkdtemp(prefix="ovhai-wheel-"))
        packed = self.scratch / "ovhai"
        strip(binary, packed)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag(packed)}"
        build_data["shared_scripts"] = {str(packed): "ovhai"}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)


def executable() -> Path:
    """The executable to pack; compiled, unless `OVHAI_BINARY` names it."""
    given = os.environ.get("OVHAI_BINARY")
    if given:
        path = Path(given)
        if not path.is_file():
            raise SystemExit(f"OVHAI_BINARY: {given} is missing; build it first: cargo build")
        return path.resolve()
    subprocess.run(["cargo", "build", "--locked", "--profile", "dist"], cwd=PROJECT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    return PROJECT / target / "dist" / "ovhai"


def strip(binary: Path, packed: Path) -> None:
    """Copies the executable without symbols, which are half of its size."""
    shutil.copy(binary, packed)
    packed.chmod(0o755)
    program = os.environ.get("STRIP", "strip")
    arguments = ["-x"] if sys.platform == "darwin" else []
    subprocess.run([program, *arguments, str(packed)], check=True)


def platform_tag(binary: Path) -> str:
    """The systems that can run it, as wheels name them."""
    if sys.platform == "darwin":
        oldest = os.environ.get("MACOSX_DEPLOYMENT_TARGET", "11.0").split(".")
        return f"macosx_{oldest[0]}_{oldest[1] if len(oldest) > 1 else 0}_{platform.machine()}"
    return linux_tag(binary)


def linux_tag(binary: Path) -> str:
    """`manylinux` with the newest glibc that it needs; `linux` if it needs another library."""
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVerNeedSection

    with binary.open("rb") as file:
        elf = ELFFile(file)
        machine = elf["e_machine"]
        if machine not in MACHINES:
            raise SystemExit(f"{binary} is for {machine}, for which no wheel is made")
        libraries, glibc = set(), OLDEST_GLIBC
        for section in elf.iter_sections():
            if isinstance(section, DynamicSection):
                libraries |= {t.needed for t in section.iter_tags() if t.entry.d_tag == "DT_NEEDED"}
            if isinstance(section, GNUVerNeedSection):
                for _, versions in section.iter_versions():
                    for needed in versions:
                        name, _, number = needed.name.partition("_")
                        if name == "GLIBC" and number[:1].isdigit():
                            parts = [int(part) for part in number.split(".")]
                            glibc = max(glibc, (parts[0], parts[1]))
    if libraries - PROMISED:
        return f"linux_{MACHINES[machine]}"
    return f"manylinux_{glibc[0]}_{glibc[1]}_{MACHINES[machine]}"
