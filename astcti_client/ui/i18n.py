"""The language of the window. English is in the code, the others in `locale/`."""

from __future__ import annotations

import gettext
import locale
import os
import subprocess
import sys
from pathlib import Path

DOMAIN = "astcti"
FOLDER = Path(__file__).parent / "locale"

_chosen: gettext.NullTranslations = gettext.NullTranslations()


def use_language(language: str) -> None:
    """From now on speak this language ("en", "it"), or the system's if it is empty.

    Windows that are open say what they said until they are made anew. Main thread; the others may ask for
    texts meanwhile.
    """
    global _chosen
    wanted = [language] if language else _of_the_system()
    _chosen = gettext.translation(DOMAIN, FOLDER, languages=wanted, fallback=True)


def _(text: str) -> str:
    """The text in the language of the window."""
    return _chosen.gettext(text)


def some(one: str, many: str, count: int) -> str:
    """The form for so many."""
    return _chosen.ngettext(one, many, count)


def _of_the_system() -> list[str]:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return [language for language in value.split(":") if language]
    found = locale.getlocale()[0] or ""
    if sys.platform == "darwin":  # programs that the Finder starts get no such variables
        found = _of_the_mac() or found
    # Windows names languages in words.
    return ["it" if found.lower().startswith("italian") else found] if found else ["en"]


def _of_the_mac() -> str:
    try:
        command = ["defaults", "read", "-g", "AppleLocale"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2.0, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().partition("@")[0].replace("-", "_")
