"""A fresh Debian 12 in a folder, in which packages are installed. As root.

The fresh one is made once and kept; each `DebianRoot` is a layer above it, gone with all that was done there.
Programs in it share the machine's network and processes, nothing else.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.fake.patience import PATIENCE

KEPT: Final = Path("/var/cache/astcti-test")
RELEASE: Final = "bookworm"
PROGRAMS: Final = ("mmdebstrap", "dh", "lintian")
NEEDED_BY_PACKAGES: Final = ("adduser", "logrotate", "python3.11", "python3-tk")
"""What the packages depend on, fetched once: it is installed with them."""
QUICK: Final = ("-o", "Dpkg::Options::=--force-unsafe-io", "-o", "APT::Sandbox::User=root")


def fresh_root() -> Path:
    """Debian 12 as its installer leaves it, without anything more; made if it is not there."""
    root = KEPT / f"debian-{RELEASE}"
    if not root.exists():
        making = KEPT / f"{RELEASE}.{os.getpid()}"
        KEPT.mkdir(parents=True, exist_ok=True)
        run("mmdebstrap", "--quiet", "--variant=minbase", "--skip=cleanup/apt", RELEASE, str(making))
        shutil.copy("/etc/resolv.conf", making / "etc/resolv.conf")
        fetch = (
            "apt-get",
            "install",
            "--yes",
            "--download-only",
            "--no-install-recommends",
            *NEEDED_BY_PACKAGES,
        )
        run("chroot", str(making), *fetch[:2], *QUICK, *fetch[2:])
        making.rename(root)
    return root


def run(*command: str, cwd: Path | None = None, code: int = 0, environ: dict[str, str] | None = None) -> str:
    """What the command prints, errors too; it has to end with `code`."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=600,
        cwd=cwd,
        env=environ,
        check=False,
    )
    assert done.returncode == code, f"{' '.join(command)}: {done.returncode}\n{done.stdout}"
    return done.stdout


class DebianRoot:
    """A layer above others; use as a context manager."""

    def __init__(self, folder: Path, below: Sequence[Path]) -> None:
        """`below`: the upper ones first, the fresh root last. None of them may be changed meanwhile."""
        self.changes = folder / "changes"
        self.path = folder / "root"
        self._below, self._work = below, folder / "work"
        for made in (self.changes, self.path, self._work):
            made.mkdir(parents=True)

    def __enter__(self) -> Self:
        layers = ":".join(str(path) for path in self._below)
        options = f"lowerdir={layers},upperdir={self.changes},workdir={self._work}"
        run("mount", "-t", "overlay", "overlay", "-o", options, str(self.path))
        run("mount", "--bind", "/proc", str(self.path / "proc"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_processes()
        run("umount", str(self.path / "proc"))
        run("umount", str(self.path))

    def command(self, *words: str, user: str = "") -> list[str]:
        """What runs the words in there, as root or as this user."""
        return ["chroot", *([f"--userspec={user}"] if user else []), str(self.path), *words]

    def run(self, *words: str, code: int = 0, user: str = "") -> str:
        """What the program prints, errors too; it has to end with `code`."""
        return run(*self.command(*words, user=user), code=code, environ=self.environ)

    @property
    def environ(self) -> dict[str, str]:
        """Of a program in there: nothing of this process."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"PATH": path, "LC_ALL": "C.UTF-8", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}

    def apt(self, action: str, *words: str) -> str:
        """As an administrator whose own configuration files are to stay."""
        keep = ("-o", "Dpkg::Options::=--force-confold")
        return self.run("apt-get", action, "--yes", "--no-install-recommends", *QUICK, *keep, *words)

    def files(self) -> set[str]:
        """Every path in there, of this file system."""
        found = run("find", str(self.path), "-xdev", "-printf", "%P\n")
        return set(found.splitlines())

    def _end_processes(self) -> None:
        inside = str(self.path)
        until = time.monotonic() + PATIENCE
        while numbers := [number for number in processes() if root_of(number) == inside]:
            for number in numbers:
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            assert time.monotonic() < until, f"processes do not end: {numbers}"
            time.sleep(0.05)


def processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def root_of(number: int) -> str:
    """Which folder is a process's root; empty once it has ended."""
    try:
        return str(Path(f"/proc/{number}/root").readlink())
    except OSError:
        return ""
