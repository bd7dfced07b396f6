"""How the client starts other programs, and what they are given beside their arguments."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_SECRET = "ASTCTI_CLIENT_PASSWORD"


def child_environment(environ: Mapping[str, str] | None) -> dict[str, str]:
    """The environment for a program: this one, or the one given, without the operator's password."""
    inherited = os.environ if environ is None else environ
    return {name: value for name, value in inherited.items() if name.upper() != _SECRET}


def home_folder() -> str | None:
    """Where programs start; None, as where the client did, for a user without a home.

    The client may have been started in a folder that others write to, and programs look for parts of their
    own where they start: Windows for libraries, Python for modules.
    """
    try:
        home = Path.home()
        return str(home) if home.is_dir() else None
    except (OSError, RuntimeError):
        return None


def start_detached(
    command: Sequence[str], environ: Mapping[str, str] | None, *, hidden_console: bool = False
) -> subprocess.Popen[bytes]:
    """Start a program that lives on when the client, or its terminal, ends. It says nothing on our terminal.

    `hidden_console`: on Windows a console program needs a console, but an invisible one. Raises OSError, and
    ValueError for a NUL in an argument. Does not wait for the program.
    """
    # Ctrl+C in the client's terminal is not for it.
    detached: dict[str, int | bool] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW if hidden_console else subprocess.DETACHED_PROCESS
        detached = {"creationflags": flags | subprocess.CREATE_NEW_PROCESS_GROUP}
    started: subprocess.Popen[bytes] = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=child_environment(environ),
        cwd=home_folder(),
        shell=False,
        **detached,  # type: ignore[call-overload]
    )
    return started
