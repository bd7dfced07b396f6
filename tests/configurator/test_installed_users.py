"""The users of an installation: the Configurator's publishes, the server's reads, neither is root."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "astcti_server" / "etc" / "sample"
SERVER, CONFIGURATOR = 64000, 64001
"""User and group ids; no account needs to have them."""

# A Python in root's home is closed to other users: the system's does as well, if it is of the same version.
PYTHONS = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
MODULES = os.pathsep.join([str(ROOT), *(folder for folder in sys.path if folder.endswith("site-packages"))])

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes other users")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may enter, with etc/ and data/ as an installation makes them."""
    folder = Path(tempfile.mkdtemp(prefix="astcti-users-"))
    folder.chmod(0o755)
    try:
        (folder / "etc").mkdir()
        (folder / "data").mkdir()
        os.chown(folder / "data", CONFIGURATOR, CONFIGURATOR)
        os.chown(folder / "etc", 0, SERVER)
        (folder / "etc").chmod(0o3770)
        settings = folder / "etc" / "server.xml"
        settings.write_bytes((SAMPLE / "server.xml").read_bytes())
        settings.chmod(0o640)
        shutil.copy(SAMPLE / "configuration.xml", folder / "sample.xml")
        yield folder
    finally:
        shutil.rmtree(folder)


@functools.cache
def python() -> str:
    """A Python that other users can run with what is needed here."""
    for python in filter(os.path.exists, PYTHONS):
        with contextlib.suppress(OSError):
            if run(SERVER, "-c", "import lxml.etree, django, click, schemas", program=python).returncode == 0:
                return python
    return pytest.skip("other users cannot read this Python, or this checkout")


def run(user: int, *command: object, program: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python as this user; the Configurator's is in the server's group, too."""
    return subprocess.run(
        [program or python(), *map(str, command)],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        umask=0o077,
        check=False,
        user=user,
        group=user,
        extra_groups=[SERVER] if user == CONFIGURATOR else [],
        env={"PYTHONPATH": MODULES, "PATH": os.defpath, "USER": "x", "PYTHONDONTWRITEBYTECODE": "1"},
    )


def configure(place: Path, user: int, *words: object) -> subprocess.CompletedProcess[str]:
    return run(
        user, "-m", "configurator", "--data", place / "data", "--publish", place / "etc", "--keep", 1, *words
    )


@pytest.mark.parametrize("form", ["xml", "sqlite"])
def test_what_the_configurators_user_publishes_is_read_by_the_servers(place: Path, form: str) -> None:
    assert configure(place, CONFIGURATOR, "import", place / "sample.xml").returncode == 0
    published = configure(place, CONFIGURATOR, "publish", "--form", form)
    assert published.returncode == 0, published.stderr
    path = Path(published.stdout.strip())
    assert (path.stat().st_uid, path.stat().st_gid) == (CONFIGURATOR, SERVER)
    assert path.stat().st_mode & 0o777 == 0o640
    checked = run(SERVER, "-m", "astcti_server", "check", "--config", place / "etc")
    assert (checked.returncode, f"In force: {path}" in checked.stdout) == (0, True), checked.stdout


def test_what_root_publishes_gets_the_directorys_group_even_without_setgid(place: Path) -> None:
    (place / "etc").chmod(0o750)
    assert configure(place, 0, "import", place / "sample.xml").returncode == 0
    path = Path(configure(place, 0, "publish").stdout.strip())
    assert (path.stat().st_gid, path.stat().st_mode & 0o777) == (SERVER, 0o640)


def test_what_roots_commands_make_belongs_to_the_configurators_user(place: Path) -> None:
    assert configure(place, 0, "import", place / "sample.xml").returncode == 0
    assert {path.stat().st_uid for path in (place / "data").iterdir()} == {CONFIGURATOR}
    assert configure(place, CONFIGURATOR, "publish").returncode == 0


def test_an_older_file_of_root_stays_and_does_not_spoil_a_publication(place: Path) -> None:
    configure(place, 0, "import", place / "sample.xml")
    first = Path(configure(place, 0, "publish").stdout.strip())
    second = configure(place, CONFIGURATOR, "publish")
    assert (second.returncode, first.is_file()) == (0, True), second.stderr
    third = configure(place, CONFIGURATOR, "publish")
    assert not Path(second.stdout.strip()).exists()
    assert Path(third.stdout.strip()).is_file()


def test_the_configurators_user_cannot_touch_the_servers_settings(place: Path) -> None:
    settings = str(place / "etc" / "server.xml")
    for attempt in ("open(p, 'a')", "os.remove(p)", "os.rename(p, p + '.old')", "os.chmod(p, 0o666)"):
        done = run(CONFIGURATOR, "-c", f"import os; p = {settings!r}; {attempt}")
        assert "PermissionError" in done.stderr, attempt
    assert run(SERVER, "-c", f"open({settings!r}).read()").returncode == 0
