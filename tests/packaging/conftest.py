"""Packages as `make deb` builds them, built once for all tests of this folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import needed
from tests.packaging.debian_root import PROGRAMS, run

ROOT = Path(__file__).resolve().parent.parent.parent
SYSTEM_PYTHON = "/usr/bin/python3"
MOMENT = "1795438228"
VERSION, PREVIOUS = "0.1.0~tested", "0.1.0~previous"
NAMES = ("server", "configurator", "client")


@dataclass(frozen=True)
class Packages:
    """A folder of `dist`."""

    folder: Path

    def __getitem__(self, name: str) -> Path:
        """The package of a program: `server`, `configurator`, `client`."""
        return next(self.folder.glob(f"asteriskcti-{name}_*.deb"))

    @property
    def wheel(self) -> Path:
        return next(self.folder.glob("*.whl"))


def build(folder: Path, umask: int, **environ: str) -> Packages:
    """`make deb` in a copy of what is tracked here, as somebody with this umask and environment."""
    tracked = run("git", "-C", str(ROOT), "ls-files", "-z").split("\0")
    source = folder / "source"
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
            (source / name).chmod(0o777 & ~umask if os.access(source / name, os.X_OK) else 0o666 & ~umask)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "DEB"))
    }
    compression = {"DEB_COMPRESSION": "1", "DEB_VERSION": VERSION, "SOURCE_DATE_EPOCH": MOMENT}
    done = subprocess.run(
        ["make", "-C", source, "deb", f"DIST_VENV={ROOT / '.venv-dist'}", f"SYSTEM_PYTHON={SYSTEM_PYTHON}"],
        env={**kept, **compression, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=umask,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return Packages(source / "dist")


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Packages]:
    """Builds in another folder each time."""
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    if os.geteuid() != 0 or sys.platform != "linux" or lacking:
        needed.lacking(f"needs root and tests/system-packages.sh; missing: {', '.join(lacking) or 'root'}")

    def build_anew(umask: int = 0o022, **environ: str) -> Packages:
        return build(tmp_path_factory.mktemp("packages"), umask, **environ)

    return build_anew


@pytest.fixture(scope="session")
def packages(builder: Callable[..., Packages]) -> Packages:
    """Of these sources. ASTCTI_PACKAGES names a folder with others to be tested instead."""
    if there := os.environ.get("ASTCTI_PACKAGES"):
        return Packages(Path(there).resolve())
    return builder()


@pytest.fixture(scope="session")
def previous(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The same programs as an earlier version, whose configuration files had another comment."""
    folder = tmp_path_factory.mktemp("previous")
    for name in NAMES:
        tree = folder / name
        run("dpkg-deb", "--raw-extract", str(packages[name]), str(tree))
        control = tree / "DEBIAN/control"
        version = run("dpkg-deb", "--field", str(packages[name]), "Version").strip()
        control.write_text(control.read_text().replace(version, PREVIOUS))
        for file in (tree / "DEBIAN/conffiles").read_text().split():
            comment = (
                "<!-- of the previous version -->" if file.endswith(".xml") else "# of the previous version"
            )
            with (tree / file.lstrip("/")).open("a") as conffile:
                conffile.write(f"{comment}\n")
        target = folder / f"asteriskcti-{name}_{PREVIOUS}.deb"
        run("dpkg-deb", "--build", "--root-owner-group", "-Znone", str(tree), str(target))
        shutil.rmtree(tree)
    return Packages(folder)
