"""The folder that runs the client without Python: built like `make client-bundle`, started on a desktop."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import needed
from tests.client.ui.tools.desktop import Desktop, missing
from tests.fake.patience import PATIENCE

pytestmark = [pytest.mark.install, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lacking = missing()
    if lacking:
        needed.lacking(f"the bundle cannot be started here, missing: {', '.join(lacking)}")
    if importlib.util.find_spec("PyInstaller") is None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "pyinstaller>=6.6,<7"]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    folder = tmp_path_factory.mktemp("bundle")
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "PyInstaller",
            "--noconfirm",
            "--log-level",
            "ERROR",
            "--distpath",
            folder,
            "--workpath",
            folder / "work",
            ROOT / "packaging/client.spec",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )
    assert made.returncode == 0, made.stdout
    return folder / "astcti-client" / "astcti-client"


def test_the_bundle_opens_its_window_and_its_tray_icon_without_a_python(bundle: Path, tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    place = str(tmp_path)
    environ = {"HOME": place, "XDG_RUNTIME_DIR": place, "PATH": "/usr/bin:/bin", "LANG": "it_IT.UTF-8"}
    try:
        environ["DISPLAY"] = desktop.display
        process = subprocess.Popen([bundle], env=environ, stderr=subprocess.PIPE)
        try:
            until = time.monotonic() + PATIENCE
            while not (
                desktop.do("search", "--onlyvisible", "--name", "Accesso")
                and desktop.do("search", "--classname", "astctiSystemTrayIcon")
            ):
                assert process.poll() is None, process.stderr and process.stderr.read()
                assert time.monotonic() < until, "no window"
                time.sleep(0.2)
        finally:
            process.terminate()
            code = process.wait(PATIENCE)
            assert process.stderr
            process.stderr.close()
        assert code == 0
    finally:
        desktop.close()
