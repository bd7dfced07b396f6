"""One browser window, in a process of its own: `python -m astcti_client.ui.browser.window`.

What to show comes on standard input, one line each (see `page.PageRequest`); its end closes the window. For
each line that it took it writes `page.TAKEN`.
Closing the window ends the process and nothing else. Exit code 3: no window could be opened.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any, TextIO

from astcti_client.ui import i18n
from astcti_client.ui.browser.open_outside import open_in_system_browser
from astcti_client.ui.browser.page import NAME, SIZE, PageRequest, read_page, say_taken, storage_folder
from astcti_client.ui.i18n import _

NO_WINDOW = 3


def main(lines: TextIO | None = None) -> int:
    """Run until the window is closed."""
    lines = lines or sys.stdin
    first = read_page(lines)
    if first is None:
        return 0
    i18n.use_language(first.language)
    try:
        import webview

        # Web pages have no business with the files of this PC.
        webview.settings["ALLOW_FILE_URLS"] = False
        if _qt_is_wanted():
            from astcti_client.ui.browser.qt import QtBrowser

            QtBrowser(webview, first, lines).run()
        elif (page := first if first.url else _page_after(lines)) is not None:
            MenuBrowser(webview, page, lines).run()
    except Exception as error:  # whatever toolkit is there, it may lack its libraries
        print(f"no browser window: {error}", file=sys.stderr)
        return NO_WINDOW
    return 0


def _page_after(lines: TextIO) -> PageRequest | None:
    """The first page; meanwhile everything is loaded that it needs."""
    say_taken()
    return read_page(lines)


def _qt_is_wanted() -> bool:
    """Whether the window shall be one of Qt: where it is installed, unless PYWEBVIEW_GUI names another."""
    named = os.environ.get("PYWEBVIEW_GUI", "").lower()
    if named:
        return named == "qt"
    installed = all(importlib.util.find_spec(name) for name in ("qtpy", "PyQt6"))
    return installed and sys.platform not in ("win32", "darwin")


class MenuBrowser:
    """Where the toolkit is not Qt: back, forward and reload in a menu, the address in the title."""

    def __init__(self, webview: Any, first: PageRequest, lines: TextIO) -> None:
        title = first.title or NAME
        self._webview, self._title, self._lines = webview, title, lines
        width, height = SIZE
        self._window = webview.create_window(title, first.url, width=width, height=height, text_select=True)
        self._window.events.loaded += self._show_address
        # At once: the thread that waits for addresses cannot be woken, and nothing is left to tidy up.
        self._window.events.closed += lambda: os._exit(0)

    def run(self) -> None:
        """Returns when the window was closed."""
        say_taken()
        from webview.menu import Menu, MenuAction, MenuSeparator

        entries = [
            MenuAction(_("Back"), lambda: self._window.evaluate_js("history.back()")),
            MenuAction(_("Forward"), lambda: self._window.evaluate_js("history.forward()")),
            MenuAction(_("Reload"), lambda: self._window.evaluate_js("location.reload()")),
            MenuSeparator(),
            MenuAction(_("Open in the system's browser"), self._open_outside),
        ]
        storage = storage_folder()
        self._webview.start(
            self._follow,
            menu=[Menu(_("Page"), entries)],
            private_mode=not storage,
            storage_path=storage or None,
        )

    def _follow(self) -> None:
        """On a thread of pywebview's: open what comes."""
        while (page := read_page(self._lines)) is not None:
            say_taken()
            self._window.load_url(page.url)
            self._window.restore()
            self._window.show()
        self._window.destroy()

    def _show_address(self, *_arguments: object) -> None:
        address = self._window.get_current_url() or ""
        self._window.set_title(f"{address} – {self._title}" if address else self._title)

    def _open_outside(self) -> None:
        open_in_system_browser(self._window.get_current_url() or "", self._say_not_opened)

    def _say_not_opened(self) -> None:
        self._window.set_title(f"{_('No browser could be started')} – {self._title}")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a thread may still wait for an address; nothing is left to tidy up
