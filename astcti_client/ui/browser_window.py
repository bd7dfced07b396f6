"""One browser window, in a process of its own: `python -m astcti_client.ui.browser_window TITLE`.

Addresses come on standard input, one JSON text a line; its end closes the window. Closing the window ends the
process and nothing else. Exit code 3: no window could be opened.
"""

from __future__ import annotations

import json
import os
import sys
import webbrowser
from typing import Any, TextIO

from astcti_client.ui import i18n
from astcti_client.ui.i18n import _

NO_WINDOW = 3


def main(arguments: list[str] | None = None, lines: TextIO | None = None) -> int:
    """Run until the window is closed."""
    title = (arguments if arguments is not None else sys.argv[1:] or ["AsteriskCTI"])[0]
    lines = lines or sys.stdin
    i18n.use(os.environ.get("ASTCTI_CLIENT_LANGUAGE", ""))
    first = _read(lines)
    if first is None:
        return 0
    try:
        import webview

        window = webview.create_window(title, first, width=1100, height=800, text_select=True)
        _Toolbar(window, title, lines).start(webview)
    except Exception as error:  # whatever toolkit is there, it may lack its libraries
        print(f"no browser window: {error}", file=sys.stderr)
        return NO_WINDOW
    return 0


class _Toolbar:
    """The menu (back, forward, reload), and the address in the title."""

    def __init__(self, window: Any, title: str, lines: TextIO) -> None:
        self._window, self._title, self._lines = window, title, lines
        window.events.loaded += self._show_address
        # At once: the thread that waits for addresses cannot be woken, and nothing is left to tidy up.
        window.events.closed += lambda: os._exit(0)

    def start(self, webview: Any) -> None:
        """Run the window's loop; returns when it was closed."""
        from webview.menu import Menu, MenuAction, MenuSeparator

        entries = [
            MenuAction(_("Back"), lambda: self._window.evaluate_js("history.back()")),
            MenuAction(_("Forward"), lambda: self._window.evaluate_js("history.forward()")),
            MenuAction(_("Reload"), lambda: self._window.evaluate_js("location.reload()")),
            MenuSeparator(),
            MenuAction(_("Open in the system's browser"), self._open_outside),
        ]
        storage = os.environ.get("ASTCTI_CLIENT_PAGES", "")
        webview.start(
            self._follow,
            menu=[Menu(_("Page"), entries)],
            private_mode=not storage,
            storage_path=storage or None,
        )

    def _follow(self) -> None:
        """On a thread of pywebview's: open what comes."""
        while (url := _read(self._lines)) is not None:
            self._window.load_url(url)
            self._window.restore()
            self._window.show()
        self._window.destroy()

    def _show_address(self, *_arguments: object) -> None:
        address = self._window.get_current_url() or ""
        self._window.set_title(f"{address} – {self._title}" if address else self._title)

    def _open_outside(self) -> None:
        address = self._window.get_current_url() or ""
        if address.startswith(("http://", "https://")):
            webbrowser.open(address)


def _read(lines: TextIO) -> str | None:
    """The next address; None at the end."""
    for line in lines:
        try:
            url = json.loads(line)
        except ValueError:
            continue
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            return url
    return None


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a thread may still wait for an address; nothing is left to tidy up
