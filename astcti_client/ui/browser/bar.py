"""The bar of the Qt browser window: buttons, and an address that no page can forge. Main thread there."""

from __future__ import annotations

import math
from typing import Any

from PIL import Image, ImageDraw
from qtpy import QtCore, QtGui, QtWidgets

from astcti_client.ui.browser.open_outside import open_in_system_browser
from astcti_client.ui.i18n import _
from astcti_client.ui.theme.icons import icon
from astcti_client.ui.theme.palette import DARK, LIGHT, Palette

_ICON = 20  # points
_STYLE = """
QToolBar {{
    background: {surface}; border: none; border-bottom: 1px solid {border}; padding: 5px; spacing: 4px;
}}
QToolButton {{ border: none; border-radius: 6px; padding: 6px; background: transparent; }}
QToolButton:hover, QToolButton:focus {{ background: {raised}; }}
QToolButton:pressed {{ background: {border}; }}
QLineEdit {{
    background: {ground}; color: {muted}; border: 1px solid {border}; border-radius: 8px;
    padding: 6px 4px; font-size: 14px; selection-background-color: {accent}; selection-color: {on_accent};
}}
QLineEdit:focus {{ border: 1px solid {accent}; }}
QLabel {{ color: {bad}; padding: 0 6px; }}
QToolTip {{ background: {surface}; color: {text}; border: 1px solid {border}; padding: 4px; }}
"""


def follow_colours(application: Any, dark: bool) -> None:
    """Have Qt, and pages that ask for it, be light or dark."""
    scheme = getattr(QtCore.Qt, "ColorScheme", None)
    set_scheme = getattr(application.styleHints(), "setColorScheme", None)
    if scheme is not None and set_scheme is not None:  # Qt 6.8
        set_scheme(scheme.Dark if dark else scheme.Light)
    application.setStyle("Fusion")
    ours, roles, theirs = DARK if dark else LIGHT, QtGui.QPalette.ColorRole, QtGui.QPalette()
    for role, colour in (
        (roles.Window, ours.surface),
        (roles.WindowText, ours.text),
        (roles.Base, ours.ground),
        (roles.Text, ours.text),
        (roles.PlaceholderText, ours.muted),
        (roles.Button, ours.raised),
        (roles.ButtonText, ours.text),
        (roles.ToolTipBase, ours.surface),
        (roles.ToolTipText, ours.text),
        (roles.Highlight, ours.accent),
        (roles.HighlightedText, ours.on_accent),
    ):
        theirs.setColor(role, QtGui.QColor(colour))
    theirs.setColor(QtGui.QPalette.ColorGroup.Disabled, roles.Text, QtGui.QColor(ours.border))
    application.setPalette(theirs)


class BrowserBar(QtWidgets.QToolBar):  # type: ignore[misc,valid-type,unused-ignore]
    """Works on the page of `view`, whichever it is."""

    _not_opened = QtCore.Signal()
    """From the thread that asked the system's browser: Qt queues it for the main one."""

    def __init__(self, window: Any, view: Any, dark: bool) -> None:
        super().__init__(window)
        self._view, self._window = view, window
        self._palette = DARK if dark else LIGHT
        self._loading = False
        self.setMovable(False)
        # Or a menu would offer to hide the bar.
        self.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.PreventContextMenu)
        self.setStyleSheet(_STYLE.format_map(_colours(self._palette)))
        self.setIconSize(QtCore.QSize(_ICON, _ICON))
        self._back = self._button("back", _("Back"), view.back, "Alt+Left", "Back")
        self._forward = self._button("forward", _("Forward"), view.forward, "Alt+Right", "Forward")
        self._reload = self._button("reload", _("Reload"), self._reload_or_stop, "F5", "Ctrl+R")
        self.address = AddressField(self, self._palette)
        self.addWidget(self.address)
        self._outside = self._button(
            "elsewhere", _("Open in the system's browser"), self._open_outside, "Ctrl+Shift+O"
        )
        self._trouble = self.addWidget(QtWidgets.QLabel(_("No browser could be started")))
        self._trouble.setVisible(False)
        self._not_opened.connect(lambda: self._trouble.setVisible(True))
        self._shortcut("Ctrl+L", self.address.take)
        self._shortcut("Ctrl+W", window.close)
        for keys, factor in (("Ctrl++", 1.1), ("Ctrl+=", 1.1), ("Ctrl+-", 1 / 1.1), ("Ctrl+0", 0.0)):
            self._shortcut(keys, lambda factor=factor: self._zoom(factor))
        page = view.page()
        page.urlChanged.connect(self.address.show_url)
        page.loadStarted.connect(lambda: self._busy(True))
        page.loadStarted.connect(lambda: self._trouble.setVisible(False))
        page.loadFinished.connect(lambda _well: self._busy(False))
        # The engine's own actions for these do not say each time that they changed.
        for told in (page.urlChanged, page.loadStarted, page.loadFinished):
            told.connect(lambda *_what: self._show_steps())
        self._show_steps()
        self.address.show_url(page.url())

    def _button(self, picture: str, words: str, do: Any, *keys: str) -> Any:
        action = QtGui.QAction(_picture(picture, self._palette), words, self)
        action.setToolTip(f"{words} ({keys[0]})")
        action.setShortcuts([QtGui.QKeySequence(key) for key in keys])
        action.triggered.connect(lambda _on=False: do())
        self.addAction(action)
        button = self.widgetForAction(action)
        button.setAccessibleName(words)
        button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        return action

    def _shortcut(self, keys: str, do: Any) -> None:
        QtGui.QShortcut(QtGui.QKeySequence(keys), self._window).activated.connect(do)

    def _busy(self, loading: bool) -> None:
        self._loading = loading
        words = _("Stop") if loading else _("Reload")
        self._reload.setIcon(_picture("close" if loading else "reload", self._palette))
        self._reload.setToolTip(f"{words} (F5)")
        self.address.show_url(self._view.page().url())

    def _show_steps(self) -> None:
        history = self._view.page().history()
        self._back.setEnabled(history.canGoBack())
        self._forward.setEnabled(history.canGoForward())

    def _reload_or_stop(self) -> None:
        self._view.stop() if self._loading else self._view.reload()

    def _zoom(self, factor: float) -> None:
        self._view.setZoomFactor(min(5.0, max(0.3, self._view.zoomFactor() * factor)) if factor else 1.0)

    def _open_outside(self) -> None:
        self._trouble.setVisible(False)
        open_in_system_browser(shown_address(self._view.page().url()), self._not_opened.emit)


class AddressField(QtWidgets.QLineEdit):  # type: ignore[misc,valid-type,unused-ignore]
    """Can be marked and copied, not written. The host stands out, and is always in sight."""

    def __init__(self, parent: Any, palette: Palette) -> None:
        super().__init__(parent)
        self._palette = palette
        self._mark: Any = None
        self.setReadOnly(True)
        self.setAccessibleName(_("Address"))
        self.setMinimumWidth(120)

    def show_url(self, url: Any) -> None:
        """Show where the page really is."""
        text = shown_address(url)
        if text == self.text():
            return
        self.setText(text)
        self.setToolTip(f"<p style='white-space: pre-wrap'>{_escaped(text)}</p>")
        start, end = host_place(text)
        self._emphasize(start, end)
        self.setCursorPosition(0)
        self.setCursorPosition(end)  # a long name of the host is scrolled to its end, where its owner stands
        self._tell_safety(url.scheme())

    def take(self) -> None:
        """Mark everything, to be copied."""
        self.setFocus()
        self.selectAll()

    def mouseDoubleClickEvent(self, _event: Any) -> None:  # noqa: N802
        """As in other browsers, mark everything."""
        self.selectAll()

    def _emphasize(self, start: int, end: int) -> None:
        look = QtGui.QTextCharFormat()
        look.setForeground(QtGui.QColor(self._palette.text))
        kind = QtGui.QInputMethodEvent.AttributeType.TextFormat
        mark = QtGui.QInputMethodEvent.Attribute(
            kind, start - self.cursorPosition(), end - start, QtGui.QTextFormat(look)
        )
        self.setReadOnly(False)  # else Qt drops it
        QtWidgets.QApplication.sendEvent(self, QtGui.QInputMethodEvent("", [mark]))
        self.setReadOnly(True)

    def _tell_safety(self, scheme: str) -> None:
        if self._mark is not None:
            self.removeAction(self._mark)
        safe = scheme == "https"
        colour = self._palette.good if safe else self._palette.warn
        self._mark = QtGui.QAction(picture_of(icon("lock" if safe else "warning", 48, colour)), "", self)
        self._mark.setToolTip(_("Encrypted") if safe else _("Not encrypted"))
        self.addAction(self._mark, QtWidgets.QLineEdit.ActionPosition.LeadingPosition)


def shown_address(url: Any) -> str:
    """The address in plain ASCII, so that no letter can pass for another, and without a name before an @."""
    plain = url.adjusted(QtCore.QUrl.UrlFormattingOption.RemoveUserInfo).toEncoded()
    return bytes(plain).decode("ascii", "replace")


def host_place(address: str) -> tuple[int, int]:
    """Where the host begins and ends in an address."""
    start = address.find("://") + 3
    if start < 3:
        return 0, 0
    ends = [place for place in (address.find(mark, start) for mark in "/?#") if place >= 0]
    return start, min(ends, default=len(address))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _colours(palette: Palette) -> dict[str, str]:
    return {name: str(getattr(palette, name)) for name in Palette.__dataclass_fields__}


def _picture(name: str, palette: Palette) -> Any:
    """An icon for a button, pale while the button can do nothing."""
    drawn = QtGui.QIcon()
    for mode, colour in (
        (QtGui.QIcon.Mode.Normal, palette.text),
        (QtGui.QIcon.Mode.Disabled, palette.border),
    ):
        drawn.addPixmap(_pixmap(_image(name, _ICON * 3, colour)), mode)
    return drawn


def picture_of(picture: Image.Image) -> Any:
    """Pillow's picture as an icon of Qt."""
    return QtGui.QIcon(_pixmap(picture))


def _image(name: str, size: int, colour: str) -> Image.Image:
    if name == "reload":
        return _round_arrow(size, colour)
    if name == "forward":
        return icon("back", size, colour).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return icon(name, size, colour)


def _round_arrow(size: int, colour: str) -> Image.Image:
    fine = 4 * size
    whole = Image.new("RGBA", (fine, fine))
    pen = ImageDraw.Draw(whole)
    middle, radius, width = fine / 2, fine * 0.32, fine * 2 / 24
    pen.arc(
        (
            middle - radius - width / 2,
            middle - radius - width / 2,
            middle + radius + width / 2,
            middle + radius + width / 2,
        ),
        10,
        300,
        fill=colour,
        width=round(width),
    )
    tip = math.radians(300)
    x, y = middle + radius * math.cos(tip), middle + radius * math.sin(tip)
    far = fine * 0.17
    corners = [(x + far * 0.85, y + far * 0.5), (x - far * 0.35, y - far), (x - far * 0.45, y + far)]
    pen.polygon(corners, fill=colour)
    return whole.resize((size, size), Image.Resampling.LANCZOS)


def _pixmap(picture: Image.Image) -> Any:
    data = picture.convert("RGBA").tobytes()
    image = QtGui.QImage(data, picture.width, picture.height, QtGui.QImage.Format.Format_RGBA8888)
    return QtGui.QPixmap.fromImage(image.copy())  # the data belongs to Python and goes
