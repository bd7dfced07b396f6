"""Has the system's browser open a page, without a Python in between where that is possible.

A Python of its own with the standard library's `webbrowser` took 100 ms to start, and asks `xdg-settings`,
a shell script, before it opens anything. What it would start is started here directly: `BROWSER` first, then
what the desktop has for it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from astcti_client.triggers.child_processes import start_detached
from astcti_client.triggers.programs import search_path
from schemas.configuration.model import TriggerSystem

# Seconds. A program that ends with an error sooner did not show the page, and the next one is tried: time for
# one that waits for a desktop that does not answer (25 s, D-Bus). One that ran for longer was the browser
# itself, and was closed, or crashed, long after the user had seen the page.
FAILS_WITHIN = 30.0
# What opens the user's browser, by desktop, and then browsers by name; `webbrowser` has the same order.
_OPENERS = (
    ("xdg-open",),
    ("gio", "open", "--"),
    ("x-www-browser",),
    ("firefox",),
    ("google-chrome",),
    ("chromium",),
    ("chromium-browser",),
)
# For what is not known here: Windows, a terminal's browsers, browsers of other names. -I: no module of the
# current directory takes the place of the real one.
_OPEN_PAGE = "import sys, webbrowser; sys.exit(0 if webbrowser.open(sys.argv[1]) else 1)"


class NoBrowserStarts(Exception):
    """Nothing could be started for a page. The text says why."""


class _Way(NamedTuple):
    """A program that may show the page."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    own: bool
    """It is a Python of this client."""


class PageOpening:
    """A page that the system's browser is asked to open. For one thread; nothing waits for the browser."""

    def __init__(
        self,
        url: str,
        *,
        system: TriggerSystem,
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the first program that can be started. Raises NoBrowserStarts if there is none.

        `url` begins with http or https. `environ`: this process's if there is none. `clock` gives seconds.
        """
        self._clock = clock
        self._left = _ways(url, system, dict(os.environ if environ is None else environ))
        self._start_next()

    def poll(self) -> bool | None:
        """Whether a browser has the page: True, False if none took it, None while that is not known.

        One that failed is followed by the next one; so call it now and then.
        """
        while (code := self._process.poll()) is not None and code != 0:
            if self._clock() - self._since >= FAILS_WITHIN:
                return True
            try:
                self._start_next()
            except NoBrowserStarts:
                return False
        return None if code is None else True

    def let_go(self) -> None:
        """Nobody will ask any more: the browser is meant to outlive the client."""
        if self._process.poll() is None:
            self._process.returncode = 0  # or Popen complains about a child that nobody waited for

    def _start_next(self) -> None:
        why = ""
        while self._left:
            way = self._left.pop(0)
            try:
                self._process: subprocess.Popen[bytes] = start_detached(
                    way.command, way.environ, hidden_console=way.own
                )
            except (OSError, ValueError) as error:
                why = f"{way.command[0]}: {getattr(error, 'strerror', None) or error}"
                continue
            self._since = self._clock()
            return
        raise NoBrowserStarts(why)


def _ways(url: str, system: TriggerSystem, environ: dict[str, str]) -> list[_Way]:
    """What may be started for the page, the first choice first."""
    if system == "windows":  # os.startfile can wait for another program: it is called in a process that may
        return [_Way(_own_python(url), environ, True)]
    openers = _system_openers(url, system, environ)
    ways = [_Way(command, environ, False) for command in (*_of_browser_variable(url, environ), *openers)]
    if not openers:  # a terminal's browsers, and others: the standard library knows more of them
        others = {name: value for name, value in environ.items() if name != "BROWSER"}  # was tried before
        ways.append(_Way(_own_python(url), others, True))
    return ways


def _of_browser_variable(url: str, environ: Mapping[str, str]) -> list[tuple[str, ...]]:
    """What `BROWSER` names: programs, with arguments perhaps. The address is at `%s`, or last."""
    commands = []
    for choice in environ.get("BROWSER", "").split(os.pathsep):
        if not choice.strip():
            continue
        words = [choice]
        if "%s" in choice or not shutil.which(choice, path=search_path(environ)):
            with contextlib.suppress(ValueError):  # a quote that is not closed: then it is a name
                words = shlex.split(choice)
        if len(words) > 1 and words[-1] == "&":  # nothing is waited for here anyhow
            words = words[:-1]
        if not any("%s" in word for word in words):
            words = [*words, "%s"]
        commands.append(tuple(word.replace("%s", url) for word in words))
    return commands


def _system_openers(url: str, system: TriggerSystem, environ: Mapping[str, str]) -> list[tuple[str, ...]]:
    if system == "macos":
        return [("/usr/bin/open", url)]
    if not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return []
    path = search_path(environ)
    return [(*opener, url) for opener in _OPENERS if shutil.which(opener[0], path=path)]


def _own_python(url: str) -> tuple[str, ...]:
    if getattr(sys, "frozen", False):  # a bundle has no Python to start, but can start itself
        return (sys.executable, "open-page", url)
    return (sys.executable, "-I", "-c", _OPEN_PAGE, url)
