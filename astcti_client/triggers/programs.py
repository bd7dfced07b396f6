"""Which file a trigger's application stands for on this system, and whether the client may run it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

from schemas.configuration.model import TriggerSystem
from schemas.protocol import TriggerFailure
from schemas.sentences import said

# Windows runs these through its command shell, which reads arguments anew: a name could become a command.
SHELL_SCRIPTS = (".bat", ".cmd")
_WINDOWS_SUFFIXES = (".exe", ".com")  # tried, in this order, for a name without one


class TriggerRefused(Exception):
    """The application cannot or may not be run. `why` says why and what to do, `failure` so to the server."""

    def __init__(self, why: str, failure: TriggerFailure = TriggerFailure.FAILED) -> None:
        super().__init__(why)
        self.why, self.failure = why, failure


def find_program(
    application: str, *, system: TriggerSystem, path: str, trusted: bool, allowed: Sequence[str] | None = None
) -> str:
    """The full path of the program to run. Raises TriggerRefused.

    `path` is the value of PATH. A bare name is searched there and nowhere else (never in the current
    directory); anything with a directory in it must be a full path. With `allowed`, only these names or
    full paths pass; without, whatever a `trusted` server names: one whose certificate was checked, or on
    this PC.
    """
    name = application.strip()
    if not name or "\0" in name:
        raise TriggerRefused(said("the trigger names no application"))
    if allowed is None and not trusted:
        # Whoever is on the way, or poses as the server, could name any program with any arguments.
        raise TriggerRefused(
            said(
                "{application}: not started, because nothing proves that the server is the right one; use an "
                "encrypted connection (TLS) and check its certificate, or list the program in "
                "allowed-programs",
                application=application,
            ),
            TriggerFailure.NOT_ALLOWED,
        )
    _refuse_shell_script(application, name, system)
    found = _search(name, system, path)
    _refuse_shell_script(application, found, system)
    _refuse_shell_script(application, str(Path(found).resolve()), system)
    if allowed is not None and not _is_allowed(name, found, allowed, system):
        raise TriggerRefused(
            said(
                "{application}: not among the allowed-programs of this client's settings, so it was not run",
                application=application,
            ),
            TriggerFailure.NOT_ALLOWED,
        )
    return found


def _search(name: str, system: TriggerSystem, path: str) -> str:
    bare = "/" not in name and not (system == "windows" and ("\\" in name or ":" in name))
    if bare:
        places = [place.strip('"') for place in path.split(os.pathsep)]
        starts = [str(Path(place) / name) for place in places if place and Path(place).is_absolute()]
    elif _is_full_path(name, system):
        starts = [name]
    else:
        raise TriggerRefused(
            said(
                "{name}: give the full path of the application, or its bare name if it is on the PATH",
                name=name,
            ),
            TriggerFailure.NOT_FOUND,
        )
    for start in starts:
        for candidate in _spellings(start, system):
            if _can_run(candidate, system):
                return candidate
    if not bare and _is_file(name):
        raise TriggerRefused(said("{name}: this file may not be executed by this user", name=name))
    where = said("on the PATH of this PC") if bare else said("on this PC")
    raise TriggerRefused(
        said(
            "{name}: there is no such program {where}; install it, or correct the trigger of the service",
            name=name,
            where=where,
        ),
        TriggerFailure.NOT_FOUND,
    )


def _spellings(start: str, system: TriggerSystem) -> list[str]:
    if system != "windows" or PureWindowsPath(start).suffix.lower() in _WINDOWS_SUFFIXES:
        return [start]
    # A batch file of that name is looked at too, so that the refusal can say what is wrong.
    return [start, *(start + suffix for suffix in (*_WINDOWS_SUFFIXES, *SHELL_SCRIPTS))]


def _is_full_path(name: str, system: TriggerSystem) -> bool:
    return Path(name).is_absolute() or (system == "windows" and PureWindowsPath(name).is_absolute())


def _can_run(candidate: str, system: TriggerSystem) -> bool:
    return _is_file(candidate) and (system == "windows" or os.access(candidate, os.X_OK))


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # a folder that this user may not enter: another one of the PATH may have the program
        return False


def _refuse_shell_script(application: str, name: str, system: TriggerSystem) -> None:
    # Windows ignores dots and blanks at the end of a name; what follows a colon names a stream of the file.
    last = name.replace("\\", "/").rpartition("/")[2]
    spellings = {last.rstrip(". ").lower()}
    if system == "windows":
        spellings.add(last.partition(":")[0].rstrip(". ").lower())
    if any(spelling.endswith(SHELL_SCRIPTS) for spelling in spellings):
        raise TriggerRefused(
            said(
                "{application}: batch files (.bat, .cmd) are not run, because Windows hands their arguments "
                "to a shell; name the program itself in the trigger",
                application=application,
            ),
            TriggerFailure.NOT_ALLOWED,
        )


def _is_allowed(name: str, found: str, allowed: Sequence[str], system: TriggerSystem) -> bool:
    def key(text: str) -> str:
        return text.replace("/", "\\").casefold() if system == "windows" else text

    # A bare name on the list allows what a bare name in the trigger stands for, and no other path.
    return any(key(entry) in (key(name), key(found)) for entry in allowed)


def search_path(environ: Mapping[str, str]) -> str:
    """The PATH of an environment."""
    return environ.get("PATH", os.defpath)
