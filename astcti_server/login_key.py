"""A secret of this server in its state directory: with it SCRAM tells the same at each start."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path
from typing import Final

from schemas import own_files

NAME: Final = "login-key"
SIZE: Final = 32

logger = logging.getLogger(__name__)


def read_login_key(directory: Path) -> bytes:
    """The key, made if there is none. If it cannot be kept, a new one for this run, and a line in the log.

    Whoever reads it can tell by SCRAM which user names exist, nothing else.
    """
    path = directory / NAME
    try:
        found = path.read_bytes()
        if len(found) == SIZE:
            return found
    except FileNotFoundError:
        pass
    except OSError as error:
        return _for_this_run(path, error)
    key = secrets.token_bytes(SIZE)
    try:
        own_files.replace_file(path, key, own_files.PRIVATE)
    except OSError as error:
        return _for_this_run(path, error)
    return key


def _for_this_run(path: Path, error: OSError) -> bytes:
    logger.warning("%s: %s: a key is used that does not outlast this run", path, error.strerror or error)
    return secrets.token_bytes(SIZE)
