"""The browser window where the toolkit is Qt: a bar with back, forward, reload and the true address.

pywebview makes the window and runs its loop; the page in it is one of our own, for two reasons: pywebview
would give pages a channel into this process, and microphone and camera without asking. Runs in the window's
process, on the main thread; only `_follow` has a thread of its own.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, TextIO

import qtpy.QtWebEngineWidgets  # noqa: F401  (before Qt starts, or it is too late)
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtWebEngineCore import QWebEnginePage, QWebEngineProfile, QWebEngineSettings

from astcti_client.ui.browser.bar import BrowserBar, follow_colours, picture_of
from astcti_client.ui.browser.page import (
    HANDED_ON,
    NAME,
    SIZE,
    WEB,
    PageRequest,
    host_of,
    may_be_shown,
    read_page,
    say_taken,
    storage_folder,
)
from astcti_client.ui.browser.window_place import Attention, PagePlace
from astcti_client.ui.i18n import _
from astcti_client.ui.theme.icons import tray_icon

_NOTHING = "about:blank"
_NOTICED = 1000  # milliseconds until somebody sees that there is another page


class WebPage(QWebEnginePage):  # type: ignore[misc,valid-type,unused-ignore]
    """A page that stays on the web and opens no further windows: what asks for one replaces the page."""

    def __init__(self, profile: Any, parent: Any) -> None:
        super().__init__(profile, parent)
        self._nothing_yet = False
        settings, names = self.settings(), QWebEngineSettings.WebAttribute
        settings.setAttribute(names.JavascriptCanOpenWindows, False)  # unless a person clicked
        settings.setAttribute(names.LocalContentCanAccessFileUrls, False)
        settings.setAttribute(names.FullScreenSupportEnabled, False)  # it would cover the address
        settings.setUnknownUrlSchemePolicy(
            QWebEngineSettings.UnknownUrlSchemePolicy.AllowUnknownUrlSchemesFromUserInteraction
        )
        self.featurePermissionRequested.connect(self._refuse)

    def warm_up(self) -> None:
        """Load nothing, for which the engine starts all that the first page needs."""
        self._nothing_yet = True
        self.setUrl(QtCore.QUrl(_NOTHING))

    def show_page(self, url: Any) -> None:
        """Load a page that a call brought."""
        if self._nothing_yet:
            self._nothing_yet = False
            self.urlChanged.connect(self._forget_nothing)
        self.setUrl(url)

    def _forget_nothing(self, url: Any) -> None:
        """No step leads back to before the first page."""
        if url.scheme() in WEB:
            self.urlChanged.disconnect(self._forget_nothing)
            self.history().clear()

    def acceptNavigationRequest(self, url: Any, _kind: Any, is_main_frame: bool) -> bool:  # noqa: N802
        """Qt asks before it loads anything. Links of HANDED_ON it gives to the desktop by itself."""
        if self._nothing_yet and url.toString() == _NOTHING:
            return True
        return url.scheme() in HANDED_ON or may_be_shown(url.scheme(), whole_page=is_main_frame)

    def createWindow(self, _kind: Any) -> Any:  # noqa: N802
        """Qt wants a page for a new window."""
        return _NewWindow(self)

    def _refuse(self, origin: Any, feature: Any) -> None:
        """Microphone, camera, place, notices: nothing of it belongs to the page of a call."""
        self.setFeaturePermission(origin, feature, QWebEnginePage.PermissionPolicy.PermissionDeniedByUser)


class _NewWindow(QWebEnginePage):  # type: ignore[misc,valid-type,unused-ignore]
    """Takes the address that a new window was wanted for, and has the present one show it."""

    def __init__(self, opener: WebPage) -> None:
        super().__init__(opener.profile(), opener)
        self._opener = opener

    def acceptNavigationRequest(self, url: Any, _kind: Any, _is_main_frame: bool) -> bool:  # noqa: N802
        """Qt asks before it loads anything."""
        if url.scheme() in WEB:
            # Not from within Qt's question: the engine is busy with this very page.
            QtCore.QTimer.singleShot(0, lambda: self._opener.setUrl(url))
            self.deleteLater()
        elif url.scheme() in HANDED_ON:
            QtGui.QDesktopServices.openUrl(url)
            self.deleteLater()
        return False


class _PageSignal(QtCore.QObject):  # type: ignore[misc,valid-type,unused-ignore]
    """What the reading thread has for the main one: Qt queues a signal that is sent from another thread."""

    page = QtCore.Signal(object)
    """A `Page`, or None at the end."""


class QtBrowser:
    """The window of one process."""

    def __init__(self, webview: Any, first: PageRequest, lines: TextIO) -> None:
        """`first` says how the window looks; without an address it waits, unseen, for one that has."""
        self._webview, self._title, self._first, self._lines = webview, NAME, first, lines
        self._signal = _PageSignal()
        self._signal.page.connect(self._take)
        self._window: Any = None
        self._view: Any = None

    def run(self) -> None:
        """Returns when the window was closed."""
        sys.excepthook = traceback.print_exception  # or Qt aborts at the first one
        application = QtWidgets.QApplication([sys.argv[0]])
        application.setApplicationName("AsteriskCTI")
        application.setDesktopFileName("astcti-client")
        follow_colours(application, self._first.dark)
        # Before pywebview makes its own: the engine starts with the first profile, and pywebview would have
        # it grant microphone and camera to every page.
        self._profile = _profile()
        width, height = SIZE
        window = self._webview.create_window(NAME, html="", width=width, height=height, hidden=True)
        window.events.before_show += lambda: self._fill_window(window.native)
        window.events.closed += lambda: os._exit(0)
        threading.Thread(target=self._follow, name="addresses", daemon=True).start()
        self._webview.start(gui="qt")

    def _fill_window(self, native: Any) -> None:
        """Put our page and the bar into pywebview's window. On the main thread, before it is shown."""
        try:
            self._window, self._view = native, native.webview
            native.setWindowIcon(picture_of(tray_icon("available", 128)))
            page = WebPage(self._profile, self._view)
            # It would put pywebview's scripts into our page.
            self._view.page().loadFinished.disconnect(native.on_load_finished)
            self._view.page().setWebChannel(None)
            self._view.setPage(page)
            self._view.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.CustomContextMenu)
            self._view.customContextMenuRequested.connect(self._offer_menu)
            native.addToolBar(BrowserBar(native, self._view, self._first.dark))
            page.urlChanged.connect(self._show_host)
            page.warm_up()
            self._view.setFocus()
            # Whoever gets a call types somewhere else: the keyboard comes with a click.
            native.setAttribute(QtCore.Qt.WidgetAttribute.WA_ShowWithoutActivating)
            self._place, self._attention = PagePlace(native), Attention(native)
            # Not from within pywebview's making of the window.
            QtCore.QTimer.singleShot(0, lambda: self._take(self._first))
        except Exception:
            traceback.print_exc()
            os._exit(3)  # rather the system's browser than a window without an address

    def _follow(self) -> None:
        while (page := read_page(self._lines)) is not None:
            self._signal.page.emit(page)
        self._signal.page.emit(None)

    def _take(self, page: PageRequest | None) -> None:
        if page is None:
            os._exit(0)
        if self._place.closed:
            return  # not taken: this process ends, and another one shows it
        if not page.url:
            say_taken()
            return
        if self._window.isVisible():
            # Who closes it within a moment meant the page that was there.
            QtCore.QTimer.singleShot(_NOTICED, say_taken)
        else:
            say_taken()
        self._title = page.title or NAME
        self._view.page().show_page(QtCore.QUrl(page.url))
        self._show_window()

    def _show_window(self) -> None:
        """In sight and flashing, and the keyboard stays where it is."""
        window, minimized = self._window, QtCore.Qt.WindowState.WindowMinimized
        if window.windowState() & minimized:
            window.hide()  # a window that comes out of the panel would be given the keyboard
            window.setWindowState(window.windowState() & ~minimized)
        if not window.isVisible():
            self._place.restore(self._title)
        window.show()
        window.raise_()
        self._attention.ask()

    def _show_host(self, url: Any) -> None:
        """In the title stands whose page it is; what a page calls itself is up to the page."""
        host = host_of(bytes(url.toEncoded()).decode("ascii", "replace"))
        self._window.setWindowTitle(f"{self._title} – {host}" if host else self._title)

    def _offer_menu(self, place: Any) -> None:
        actions = QWebEnginePage.WebAction
        menu = QtWidgets.QMenu(self._view)
        for words, action in (
            (_("Cut"), actions.Cut),
            (_("Copy"), actions.Copy),
            (_("Paste"), actions.Paste),
            (_("Select all"), actions.SelectAll),
        ):
            entry = menu.addAction(words)
            entry.setEnabled(self._view.page().action(action).isEnabled())
            entry.triggered.connect(lambda _on=False, action=action: self._view.page().triggerAction(action))
        menu.exec(self._view.mapToGlobal(place))
        menu.deleteLater()


def _profile() -> Any:
    storage = storage_folder()
    if not storage:
        return QWebEngineProfile()  # forgets everything with the window
    profile = QWebEngineProfile("astcti")
    profile.setPersistentStoragePath(storage)
    profile.setCachePath(str(Path(storage) / "cache"))
    profile.setPersistentCookiesPolicy(QWebEngineProfile.PersistentCookiesPolicy.ForcePersistentCookies)
    return profile
