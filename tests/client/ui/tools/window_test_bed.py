"""The client's program on a test's desktop, in the test's own process, against a scripted server."""

from __future__ import annotations

import gc
import os
import re
import time
import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image, ImageGrab

from astcti_client.net.messages import ConnectionMessage
from astcti_client.settings import LoadedSettings, Settings, load_settings
from astcti_client.triggers.memory_file import MemoryFile
from astcti_client.triggers.trigger_memory import TriggerMemory
from astcti_client.ui.app.app import App
from astcti_client.ui.state.history import History
from astcti_client.ui.state.pause_file import PauseFile
from astcti_client.ui.state.seat_session import SessionMessage
from astcti_client.ui.text import words
from astcti_client.ui.theme.screen import draws_emoji
from astcti_client.ui.widgets.call_list import MOST_CARDS
from astcti_client.ui.widgets.press_guard import PressGuard
from astcti_client.ui.windows.history import HistoryWindow
from astcti_client.ui.windows.login import LoginWindow
from astcti_client.ui.windows.settings import SettingsWindow
from schemas.protocol import CommandName
from tests.client.ui.tools.widgets import inside
from tests.fake.cti_server import CtiServer, Peer
from tests.fake.patience import PATIENCE

MARIO = "PJSIP/201 Mario Rossi"


class WindowTestBed:
    """An `App` whose main loop is turned by the test."""

    def __init__(
        self, folder: Path, server: CtiServer, settings: Settings, locked: frozenset[str], rest: float = 0
    ) -> None:
        """`rest`: seconds that buttons are inert after a change; most tests press quicker than anybody."""
        self.folder, self.server = folder, server
        self.file = folder / "client.toml"
        self.root = tk.Tk(className="Astcti")
        self.root.withdraw()
        PressGuard(self.root, rest=rest)
        words.draw_emoji(draws_emoji(self.root))
        self.failures: list[BaseException] = []
        """What callbacks of Tk raised."""
        self.root.report_callback_exception = lambda _kind, error, _trace: self.failures.append(error)
        self.history = History(folder / "history.sqlite", settings.history_days)
        self._locked = locked
        self.settings = settings
        self.app = App(
            self.root,
            LoadedSettings(settings, (), locked),
            self._again,
            self.file,
            self.history,
            TriggerMemory(MemoryFile(folder / "pop-ups")),
            PauseFile(folder / "pause"),
        )
        self.peer: Peer

    def _again(self) -> LoadedSettings:
        return replace(load_settings({}, {}, self.file, self.folder / "none.toml"), locked=self._locked)

    def pump(self, fact: Callable[[], object], what: str = "") -> None:
        """Turn the main loop until something is so."""
        until = time.monotonic() + PATIENCE
        while not fact():
            assert time.monotonic() < until, what or "it did not happen"
            self.root.update()
            time.sleep(0.005)
        self.root.update()

    def wait_for_keyboard(self, widget: tk.Misc) -> None:
        """Until what is typed goes to this widget: the window manager gives the focus when it likes."""
        self.pump(lambda: self._focus() is widget, f"the keyboard does not come to {widget}")

    def wait_for_menu(self) -> None:
        """Until a menu is open."""
        self.pump(lambda: any(map(_is_open_menu, inside(self.root))), "no menu opens")

    def _focus(self) -> tk.Misc | None:
        try:
            return self.root.focus_get()
        except KeyError:  # something that Tk made by itself
            return None

    def turn(self, seconds: float = 0.15) -> None:
        """Let the windows settle on the screen before a picture is taken."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.root.update()
            time.sleep(0.005)

    def log_in(
        self, who: str = MARIO, *lines: str, targets: Sequence[str] = (), resume: str = "", **more: Any
    ) -> Peer:
        """Start with a known password, and have the server accept it.

        Returns when the client took in what these lines tell of the pause and of queues joined, too.
        """
        self.app.start()
        self.peer = self.server.accept()
        self.peer.log_in(who=who, targets=targets, resume=resume, **more)
        self.peer.say("310 OUT", *lines)
        joined = {line[4:] for line in lines if re.fullmatch(r"200 [\w-]+", line)}
        in_pause = any(line.startswith("310 IN") for line in lines)

        def knows_all() -> bool:
            model = self.app.model
            return joined <= model.queues.keys() and (not in_pause or model.pause.phase == "in")

        self.pump(
            lambda: self.app.model.up and self.app.root.winfo_viewable() and knows_all(), "not logged in"
        )
        return self.peer

    def ring(self, key: str, **more: Any) -> None:
        """The server tells of a ring, and the window shows it."""
        self.peer.say(event("Newchannel", key, state="Down", **more), event("Callerid", key, **more))
        cards = self.app.windows.main.calls.cards
        self.pump(lambda: key in self.app.model.calls and (key in cards or len(cards) == MOST_CARDS))

    def hears(self) -> str:
        """The client's next line; its windows live on while the test waits for it.

        On a slow machine that may be after the client asked whether the server is still there.
        """
        heard: list[str] = []

        def hears_more() -> bool:
            if self.peer.would_hear():
                heard.append(self.peer.hear())
                if heard[-1] == CommandName.NOOP:
                    self.peer.say("100 OK")
            return bool(heard) and heard[-1] != CommandName.NOOP

        self.pump(hears_more, "the client says nothing")
        return heard[-1]

    def tell(self, *messages: ConnectionMessage) -> None:
        """Have the program get messages as the network thread puts them."""
        for message in messages:
            self.app.inbox.put(SessionMessage(self.app.session.number, message))

    def login(self) -> LoginWindow:
        """The log-in window, which is open."""
        assert self.app.windows.login is not None
        return self.app.windows.login

    def open_history(self) -> HistoryWindow:
        """The history, opened."""
        self.app.windows.show_history()
        assert self.app.windows.history is not None
        return self.app.windows.history

    def open_settings(self) -> SettingsWindow:
        """The settings, opened."""
        self.app.windows.show_settings()
        assert self.app.windows.settings is not None
        return self.app.windows.settings

    def picture(self, window: tk.Misc | None = None) -> Image.Image:
        """The screen, or the part of it that a window takes."""
        self.turn()
        whole = ImageGrab.grab(xdisplay=os.environ["DISPLAY"])
        if window is None:
            return whole
        top = window.winfo_toplevel()
        x, y = top.winfo_rootx(), top.winfo_rooty()
        return whole.crop((x, y, x + top.winfo_width(), y + top.winfo_height()))

    def close(self) -> None:
        if not self.__dict__:
            return  # closed by the test already
        failures = self.failures
        self.app.session.stop()
        self.app.close()
        self.app.inbox.close()
        self.root.destroy()
        self.__dict__.clear()
        gc.collect()  # what Tk made goes while it can
        assert not failures, failures


def _is_open_menu(widget: tk.Misc) -> bool:
    return isinstance(widget, tk.Menu) and bool(widget.winfo_viewable())


def event(
    kind: str,
    key: str,
    *,
    number: str = "3331234567",
    name: str = "Anna Bianchi",
    service: str = "Demo",
    queue: str = "astcti",
    state: str = "Ringing",
    data: str = "calldata=12345",
    end: str = "",
    trigger: str = "",
    direction: str = "inbound",
    other: str = "1.0",
    repeat: bool = False,
    seq: int = 0,
    late: bool = False,
) -> str:
    """An event as the server writes it. `data` is name=value, several of them separated by |."""
    pairs = [pair.partition("=") for pair in data.split("|") if pair]
    appdata = "".join(f'<data key="{escape(k)}">{escape(v)}</data>' for k, _, v in pairs)
    appdata = appdata or '<data key=""></data>'
    told = (f' seq="{seq}"' if seq else "") + (' late="true"' if late else "")
    told += ' repeat="true"' if repeat else ""
    cause = f'<cause code="16" end="{end}">Normal Clearing</cause>' if end else ""
    connected = f"<connected><uniqueid>{other}</uniqueid><channel>PJSIP/caller</channel></connected>"
    return (
        f'<event id="{kind}"{told}><call><uniqueid>{key}</uniqueid>'
        f"<channel>PJSIP/201-{key}</channel><calleridnum>{escape(number)}</calleridnum>"
        f"<calleridname>{escape(name)}</calleridname><context>astctidemo</context><appdata>{appdata}</appdata>"
        f"<state>{state}</state><linkedid>l{key}</linkedid><direction>{direction}</direction>"
        f"<queue>{escape(queue)}</queue>{connected if kind == 'Link' else ''}</call>"
        f"<service>{escape(service)}</service>{cause}{trigger}</event>"
    )
