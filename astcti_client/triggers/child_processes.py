"""What the programs that the client starts are given beside their arguments."""

from __future__ import annotations

import os
from collections.abc import Mapping
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
