"""How a browser window comes into sight: where its user left it, within the panels, and flashing.

In the window's process, with Qt, on the main thread.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from qtpy import QtCore, QtGui, QtWidgets

from astcti_client.ui.browser.page import SIZE, places_file
from astcti_client.ui.theme.attention import demand_attention

FRAME = (16, 44)
"""Dots that a window manager's frame may add to width and height; before a window is shown nobody knows."""
SETTLED = 500  # milliseconds without a further change, after which a place is kept


class PagePlace(QtCore.QObject):  # type: ignore[misc,valid-type,unused-ignore]
    """Puts a window where it was, and keeps where it is put. One entry for each service."""

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window, self._service = window, ""
        self.closed = False
        """Whether its user closed it: the process is about to end."""
        self._due = QtCore.QTimer(self, singleShot=True, interval=SETTLED)
        self._due.timeout.connect(self._keep)
        window.installEventFilter(self)

    def restore(self, service: str) -> None:
        """Have the place that the service's window had last, or the middle; before the window is shown."""
        self._service = service
        kept = _numbers(self._settings().value(self._key(), ""))
        screen = kept and QtGui.QGuiApplication.screenAt(QtCore.QPoint(kept[0] + kept[2] // 2, kept[1]))
        free = (screen or QtGui.QGuiApplication.primaryScreen()).availableGeometry()
        most = free.width() - FRAME[0], free.height() - FRAME[1]
        width, height = (min(has, can) for has, can in zip(kept[2:] if kept else SIZE, most, strict=True))
        if kept:
            x = max(free.left(), min(kept[0], free.left() + most[0] - width))
            y = max(free.top(), min(kept[1], free.top() + most[1] - height))
        else:
            x, y = free.left() + (most[0] - width) // 2, free.top() + (most[1] - height) // 2
        self._window.resize(width, height)
        self._window.move(x, y)

    def eventFilter(self, _window: Any, event: Any) -> bool:  # noqa: N802
        """Qt tells of everything that happens to the window."""
        kinds = QtCore.QEvent.Type
        if event.type() in (kinds.Move, kinds.Resize):
            self._due.start()
        elif event.type() == kinds.Close:
            self._keep()
            self.closed = True
        return False

    def _keep(self) -> None:
        window = self._window
        if not window.isVisible() or window.isMaximized() or window.isMinimized() or not self._service:
            return
        numbers = window.x(), window.y(), window.width(), window.height()
        settings = self._settings()
        settings.setValue(self._key(), " ".join(map(str, numbers)))
        settings.sync()

    def _key(self) -> str:
        return quote(self._service, safe="").replace("%", ".")  # else it is quoted once more

    @staticmethod
    def _settings() -> Any:
        return QtCore.QSettings(str(places_file()), QtCore.QSettings.Format.IniFormat)


class Attention(QtCore.QObject):  # type: ignore[misc,valid-type,unused-ignore]
    """Has a window's entry in the panel flash until somebody comes to it."""

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window = window
        self._handle: Any = None

    def ask(self) -> None:
        """Flash, unless it is the active one already."""
        window = self._window
        if window.isActiveWindow():
            return
        QtWidgets.QApplication.alert(window)
        if QtGui.QGuiApplication.platformName() != "xcb":
            return
        # Qt says it once until somebody came; a window that was hidden meanwhile has lost it.
        if window.windowHandle().isExposed():
            self._demand()
        elif self._handle is not window.windowHandle():
            self._handle = window.windowHandle()
            self._handle.installEventFilter(self)

    def eventFilter(self, handle: Any, event: Any) -> bool:  # noqa: N802
        """The window manager takes no wish for a window that it does not show yet."""
        if event.type() == QtCore.QEvent.Type.Expose and handle.isExposed():
            handle.removeEventFilter(self)
            self._handle = None
            if not self._window.isActiveWindow():
                self._demand()
        return False

    def _demand(self) -> None:
        demand_attention(int(self._window.winId()))


def _numbers(text: object) -> tuple[int, int, int, int] | None:
    """Left and top of the frame, width and height inside; None if that is no place."""
    try:
        x, y, width, height = (int(number) for number in str(text).split())
    except ValueError:
        return None
    return (x, y, width, height) if width > 0 and height > 0 else None
