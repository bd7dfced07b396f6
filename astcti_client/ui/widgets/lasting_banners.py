"""The messages that stay until they are put away, one below the other. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from astcti_client.ui.i18n import _
from astcti_client.ui.state.lasting_messages import LastingMessage
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button, icon_button
from astcti_client.ui.widgets.message_banner import MessageBanner


class LastingBanner(MessageBanner):
    """One message with a cross, and what an administrator needs to know on demand."""

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        message: LastingMessage,
        put_away: Callable[[], None],
        copy: Callable[[str], None],
    ) -> None:
        super().__init__(parent, look)
        self._message, self._copy = message, copy
        self._detail_shown = False
        self.say(message.text)
        icon_button(self, look, "close", _("Put away"), put_away, style=look.on(self, "Flat.TButton")).grid(
            row=0, column=2, sticky="ne"
        )
        if message.detail:
            above = (look.px(6), 0)
            self._more = button(self.actions, look, _("Details"), self._show_detail)
            self._more.pack(side="left", pady=above)
            button(self.actions, look, _("Copy"), self._copy_all, icon="copy").pack(
                side="left", padx=(look.px(8), 0), pady=above
            )

    def _show_detail(self) -> None:
        self._detail_shown = not self._detail_shown
        message = self._message
        self.say(f"{message.text}\n{message.detail}" if self._detail_shown else message.text)

    def _copy_all(self) -> None:
        self._copy(f"{self._message.text}\n{self._message.detail}")

    def fit(self, width: int) -> None:
        """To be as wide as this; the cross takes its part."""
        super().fit(width - self._look.px(40))


class LastingBanners(ttk.Frame):
    """It goes away where there is none."""

    def __init__(
        self, parent: tk.Misc, look: Look, put_away: Callable[[str], None], copy: Callable[[str], None]
    ) -> None:
        """`put_away` hears the topic of the message whose cross was pressed."""
        super().__init__(parent)
        self._look, self._put_away, self._copy = look, put_away, copy
        self.columnconfigure(0, weight=1)
        self._banners: dict[LastingMessage, LastingBanner] = {}

    def show(self, messages: tuple[LastingMessage, ...]) -> None:
        """Show these; one that is there already stays as it is."""
        if tuple(self._banners) == messages:
            return
        for message in [known for known in self._banners if known not in messages]:
            self._banners.pop(message).destroy()
        shown: dict[LastingMessage, LastingBanner] = {}
        for row, message in enumerate(messages):
            banner = self._banners.get(message) or self._new(message)
            banner.grid(row=row, column=0, sticky="ew", pady=(0, self._look.px(10)))
            shown[message] = banner
        self._banners = shown
        self.grid() if messages else self.grid_remove()

    def _new(self, message: LastingMessage) -> LastingBanner:
        return LastingBanner(self, self._look, message, lambda: self._put_away(message.topic), self._copy)
