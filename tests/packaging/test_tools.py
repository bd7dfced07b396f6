"""`pipx install` and `uv tool install` of the wheel: each program with its extra, and with what it needs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from schemas.version import VERSION
from tests.packaging.conftest import NAMES, Packages
from tests.packaging.debian_root import run

pytestmark = [pytest.mark.install, pytest.mark.timeout(1800)]
BIN = Path(sys.executable).parent


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Of somebody who has nothing yet but what pip has fetched before."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIPX_", "UV_"))
    }
    places = {
        "PIPX_HOME": tmp_path / "pipx",
        "PIPX_BIN_DIR": tmp_path / "bin",
        "PIPX_MAN_DIR": tmp_path / "man",
    }
    places |= {"UV_TOOL_DIR": tmp_path / "tools", "UV_TOOL_BIN_DIR": tmp_path / "bin"}
    return {**kept, **{name: str(place) for name, place in places.items()}, "UV_PYTHON_DOWNLOADS": "never"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tool", ["pipx", "uv"])
def test_a_program_is_installed_from_the_wheel(
    packages: Packages, tool: str, name: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    wanted = f"{packages.wheel}[{name}]"
    if tool == "pipx":
        run(
            sys.executable,
            "-m",
            "pipx",
            "install",
            "--python",
            sys.executable,
            wanted,
            cwd=tmp_path,
            environ=environ,
        )
    else:
        run(
            str(BIN / "uv"),
            "tool",
            "install",
            "--python",
            sys.executable,
            wanted,
            cwd=tmp_path,
            environ=environ,
        )
    said = run(str(tmp_path / f"bin/astcti-{name}"), "--version", cwd=tmp_path, environ=environ)
    assert VERSION in said
    assert "--help" in run(str(tmp_path / f"bin/astcti-{name}"), "--help", cwd=tmp_path, environ=environ)
    shutil.rmtree(tmp_path, ignore_errors=True)
