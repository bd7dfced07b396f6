"""What the command line decides before Django starts. Standard library only; set once, in the main thread."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from schemas import own_files

SECRET_NAME = "secret-key"
MAIL_NAME = "configurator.ini"
OPENID_SECRET_NAME = "openid-secret"
"""The client's secret at the OpenID Connect provider, if configurator.ini names no other file."""


@dataclass(frozen=True)
class Options:
    """Where things are, and under which names the application is reached."""

    data: Path
    """Databases, secret key, copies put aside, configurator.ini."""
    publish: Path | None = None
    """The server's configuration directory; None where nothing can be published."""
    status: Path | None = None
    """The file in which the server says what it is doing."""
    hosts: tuple[str, ...] = ()
    """Names under which browsers may reach the application, beside this machine's own."""
    keep: int = 10
    """How many published files stay in the directory."""
    copies: int = 14
    """For how many days a nightly copy is kept; 0 for none."""
    https: bool = False
    """A proxy in front speaks TLS: cookies travel encrypted only."""

    @property
    def manager_file(self) -> Path:
        """The database of manager users, sessions and the audit log."""
        return self.data / "managers.sqlite"

    @property
    def configuration_file(self) -> Path:
        """The database of the CTI configuration."""
        return self.data / "configuration.sqlite"

    def secret_key(self) -> str:
        """The key that signs sessions and links; made on first use, readable by the owner alone."""
        path = self.data / SECRET_NAME
        if not path.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            with own_files.file_beside(path, secrets.token_urlsafe(64).encode(), own_files.PRIVATE) as fresh:
                give_to_owner_of_directory(fresh)
        return path.read_text(encoding="ascii").strip()


def give_to_owner_of_directory(path: Path) -> None:
    """Let root's commands leave nothing behind that the application's own user could not use."""
    directory = path.parent.stat()
    if os.geteuid() == 0 and directory.st_uid != 0:
        os.chown(path, directory.st_uid, directory.st_gid)


def scratch_directory(chosen: Options) -> Path:
    """Where files are put for a moment: they have hashes of passwords in them, so not among everybody's.

    The application empties it when it starts.
    """
    path = chosen.data / "temporary"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    give_to_owner_of_directory(path)
    return path


_current: Options | None = None


def set_options(options: Options) -> None:
    """Decide. Before `django.setup()`."""
    global _current
    _current = options


def current_options() -> Options:
    """What was decided. RuntimeError before `set_options`."""
    if _current is None:
        raise RuntimeError("the configurator's options were not set: use its command line")
    return _current
