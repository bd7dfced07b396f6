"""How programs end that lack a package, or whose output cannot be written. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import Final

EXIT_OUTPUT: Final = 74
"""EX_IOERR of sysexits.h. No command has it for its own answer, as `status` has 1."""
_NO_READER: Final = 1
"""What click ends with when whoever read the output is gone."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def missing(program: str, extra: str, error: ModuleNotFoundError) -> str:
    """A sentence for people: what is missing, and the extra of the distribution that brings it."""
    return (
        f"{program}: the package {error.name} is missing here: install AsteriskCTI with its extra [{extra}], "
        f"as in pip install './asteriskcti-VERSION-py3-none-any.whl[{extra}]'"
    )


def run_program(name: str, run: Callable[[], object]) -> None:
    """Run a program's command line to its end; an output that takes no more costs one line, no traceback.

    Raises SystemExit, and whatever else `run` raises.
    """
    try:
        run()
    except SystemExit as ending:
        if (code := _flushed(name)) is None:
            raise
        raise SystemExit(code) from ending
    except OSError as error:
        # A file that was named has its own message where it is written.
        if error.filename is not None or error.errno not in _FULL:
            raise
        raise SystemExit(_failed(name, error)) from None


def _flushed(name: str) -> int | None:
    """Write what still waits; the exit code if that fails. Python's own words at its end are a traceback."""
    if sys.stdout is None:  # started without any
        return None
    try:
        sys.stdout.flush()
    except OSError as error:
        return _failed(name, error)
    except ValueError:  # it was closed
        pass
    return None


def _failed(name: str, error: OSError) -> int:
    """Say it, and let go of what could not be written: Python would try once more."""
    _let_go(1)
    if error.errno == errno.EPIPE:
        return _NO_READER
    try:
        print(f"{name}: the output cannot be written: {error.strerror}", file=sys.stderr, flush=True)
    except OSError:  # standard error is where that is, too
        _let_go(2)
    return EXIT_OUTPUT


def _let_go(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
