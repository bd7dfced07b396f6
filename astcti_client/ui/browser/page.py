"""The page that a browser window shows: how it is asked for, what may be loaded. No window, no toolkit."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import platformdirs

NAME = "AsteriskCTI"
"""The title of a window whose page belongs to no service."""
TAKEN = "taken\n"
"""What a window's process writes for each request that it took."""
SIZE = (1100, 800)
"""Width and height of a window, in dots of a 96 dpi screen."""
WEB = ("http", "https")
HANDED_ON = ("tel", "callto", "sip", "sips", "mailto")
"""Kinds of links that go to the desktop's own programs, if a person clicked them."""
INSIDE_A_PAGE = ("about", "data", "blob")
"""What a frame within a page may hold; the page itself may not be one of these."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page to show, and how its window shall look. `language` is a code, empty for the system's.

    It goes to the window's process as one line of JSON. Without an address nothing is shown: the window shall
    be ready for the first page.
    """

    url: str
    dark: bool = False
    language: str = ""
    title: str = ""
    """Whose page it is: the service."""

    def written(self) -> bytes:
        """The line that `read` understands."""
        return json.dumps(asdict(self)).encode() + b"\n"


def read_page(lines: TextIO) -> PageRequest | None:
    """The next page; None at the end. Whatever is no page of the web is passed over."""
    for line in lines:
        try:
            found = json.loads(line)
            look = bool(found.get("dark")), str(found.get("language", ""))
            page = PageRequest(found["url"], *look, str(found.get("title", "")))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
        if isinstance(page.url, str) and (not page.url or page.url.startswith(("http://", "https://"))):
            return page
    return None


def say_taken() -> None:
    """In a window's process: what was asked for is done."""
    try:
        sys.stdout.write(TAKEN)
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        pass  # nobody reads it any more, or there is no output at all


def places_file() -> Path:
    """Where the windows' places on the screen are kept; its time is that of the last page."""
    return Path(platformdirs.user_data_dir("astcti", appauthor=False)) / "page-windows.ini"


def storage_folder() -> str:
    """Where cookies are kept; empty to forget them with the window."""
    return os.environ.get("ASTCTI_CLIENT_PAGES", "")


def host_of(url: str) -> str:
    """The name that says whose page this is; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def may_be_shown(scheme: str, *, whole_page: bool) -> bool:
    """Whether an address of this kind may be loaded, as the window's page or in a frame of it."""
    return scheme in WEB or (not whole_page and scheme in INSIDE_A_PAGE)
