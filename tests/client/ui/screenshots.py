"""`make screenshots`: every window of the client in every state, light and dark, as PNG files.

python -m tests.client.ui.screenshots [FOLDER]   (build/screenshots, and docs/screenshots, without one)
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import tkinter as tk
from collections.abc import Callable
from pathlib import Path

from astcti_client.net import connecting
from astcti_client.net.messages import ConnectionState
from astcti_client.password import Password
from astcti_client.settings import Settings
from astcti_client.ui import i18n
from astcti_client.ui.app import tray_menu
from astcti_client.ui.app.sign_in import unknown_pc_text
from astcti_client.ui.text.problems import problem_text
from astcti_client.ui.windows.dialogs import PasswordQuestion
from tests.client.ui.tools.desktop import Desktop, missing
from tests.client.ui.tools.window_test_bed import Desk, event
from tests.fake.cti_server import CtiServer

CHOSEN = (
    "login-light",
    "main-talking-light",
    "main-talking-dark",
    "main-paused-light",
    "screen-ringing-light",
    "screen-three-calls-dark",
    "history-light",
    "settings-dark",
)
DOCUMENTS = Path(__file__).resolve().parents[3] / "docs/screenshots"
QUEUES = ("200 astcti", "200 support", "210 sales", "211 KO vip no such queue")
PAGE = '<trigger type="browser" os="any"><url>https://crm.example/12345</url></trigger>'


class Photographer:
    """Takes the pictures of one colour scheme."""

    def __init__(self, folder: Path, theme: str, language: str = "en", scale: float = 1.0) -> None:
        self._folder, self._theme, self._language, self._scale = folder, theme, language, scale

    def take_all(self) -> None:
        """Each scene starts anew."""
        for scene in (self._login, self._main, self._calls, self._windows, self._troubles):
            self._with_desk(scene)

    def _with_desk(self, scene: Callable[[Desk, CtiServer], None]) -> None:
        i18n.use(self._language)
        with tempfile.TemporaryDirectory() as place, CtiServer() as server:
            os.environ["XDG_RUNTIME_DIR"] = place
            settings = Settings(
                host="127.0.0.1",
                port=server.port,
                user="mario",
                theme=self._theme,
                scale=self._scale,
                password=Password.from_text("test"),
                notice_time=0,
            )
            desk = Desk(Path(place), server, settings, frozenset({"notices"}))
            try:
                scene(desk, server)
            finally:
                server.close()
                desk.close()

    def _save(self, desk: Desk, name: str, window: tk.Misc | None = None) -> None:
        desk.turn(0.4)
        more = f"-{self._language}" if self._language != "en" else ""
        more += f"-{self._scale:g}x" if self._scale != 1 else ""
        desk.picture(window).convert("RGB").save(
            self._folder / f"{name}-{self._theme}{more}.png", optimize=True
        )

    def _login(self, desk: Desk, server: CtiServer) -> None:
        app = desk.app
        app.sign_in.ask()
        assert app.windows.login is not None
        self._save(desk, "login", app.windows.login)
        app.windows.login.fail(lambda: i18n._("User name or password are wrong."))
        self._save(desk, "login-wrong-password", app.windows.login)
        macs = ["00:11:22:33:44:55"]
        app.sign_in.fail(lambda: unknown_pc_text(macs), macs=macs)
        self._save(desk, "login-unknown-pc", app.windows.login)
        state = ConnectionState("waiting", "the certificate of cti.example:5000 is not trusted")
        app.sign_in.fail(lambda: problem_text(state), certificate=True)
        self._save(desk, "login-certificate", app.windows.login)

    def _main(self, desk: Desk, server: CtiServer) -> None:
        peer = desk.log_in("PJSIP/201 Mario Rossi", *QUEUES)
        self._save(desk, "main-available", desk.root)
        desk.app.ask_pause("Lunch break")
        self._save(desk, "main-pause-requested", desk.root)
        peer.say("301 PAUSE PENDING", "300 OK")
        desk.pump(lambda: desk.app.model.pause.phase == "in")
        self._save(desk, "main-paused", desk.root)
        desk.app.windows.main.dial_bar._service.current(0)
        desk.app.windows.main.dial_bar._lock()
        self._save(desk, "main-dial-locked", desk.root)

    def _calls(self, desk: Desk, server: CtiServer) -> None:
        peer = desk.log_in("PJSIP/201 Mario Rossi", *QUEUES)
        desk.ring("7.1", data="calldata=12345|customer=Rossi & Figli")
        self._save(desk, "main-ringing", desk.root)
        self._save(desk, "screen-ringing")
        peer.say(event("Link", "7.1", trigger=PAGE, data="calldata=12345|customer=Rossi & Figli"))
        desk.pump(lambda: desk.app.model.calls["7.1"].phase == "talking")
        self._save(desk, "main-talking", desk.root)
        desk.ring("8.1", name="Jürgen Groß", number="+493012345678", queue="support")
        desk.ring("9.1", name="", number="0287654321", queue="", service="Outside line", data="")
        desk.pump(lambda: "9.1" in desk.app.windows.notices.shown)
        peer.say(event("Hangup", "9.1", name="", number="0287654321", queue="", data="", end="missed"))
        desk.pump(lambda: desk.app.model.calls["9.1"].phase == "over")
        self._save(desk, "screen-three-calls")
        desk.app.windows.main.calls.cards["7.1"]._transfer_pressed()
        self._save(desk, "main-transfer", desk.root)

    def _windows(self, desk: Desk, server: CtiServer) -> None:
        peer = desk.log_in("PJSIP/201 Mario Rossi", *QUEUES)
        people = (
            ("Anna Bianchi", "0551234567", "missed"),
            ("Siobhán O'Brien", "+35315550123", "answered-elsewhere"),
            ("Łukasz Nowak", "+48225550199", "refused"),
        )
        for number, (name, phone, end) in enumerate(people):
            peer.say(event("Callerid", f"{number}.1", name=name, number=phone))
            peer.say(event("Hangup", f"{number}.1", name=name, number=phone, end=end))
        peer.say(event("Link", "6.1", name="Acme Srl", number="0287654321"))
        peer.say(event("Hangup", "6.1", name="Acme Srl", number="0287654321", end="answered"))
        peer.say(event("Dial", "5.1", name="", number="3479876543", direction="outbound"))
        peer.say(event("Hangup", "5.1", name="", number="3479876543", direction="outbound", end="cancelled"))
        desk.pump(lambda: len(desk.history.find()) == 5)
        desk.app.windows.notices.close_all()
        desk.app.show_history()
        assert desk.app.windows.history is not None
        desk.app.windows.history.table.selection_set(desk.app.windows.history.table.get_children()[1])
        self._save(desk, "history", desk.app.windows.history)
        desk.app.windows.history.destroy()
        desk.app.show_settings()
        assert desk.app.windows.settings is not None
        self._save(desk, "settings", desk.app.windows.settings)
        desk.app.windows.settings._pages._canvas.yview_moveto(0.5)
        self._save(desk, "settings-2", desk.app.windows.settings)
        desk.app.windows.settings.destroy()
        desk.app.show_about()
        self._save(desk, "about", desk.app.windows.questions[-1])
        desk.app.windows.questions[-1].destroy()
        question = PasswordQuestion(desk.root, desk.app.windows.look, lambda _text: False, lambda: None)
        self._save(desk, "come-back", question)
        question.destroy()
        tray_menu.post(900, 200, desk.root, desk.app.model, desk.app)
        self._save(desk, "tray-menu")

    def _troubles(self, desk: Desk, server: CtiServer) -> None:
        peer = desk.log_in("PJSIP/201 Mario Rossi", *QUEUES)
        desk.ring("7.1")
        peer.say("901 PBX DOWN")
        desk.pump(lambda: not desk.app.model.pbx_up)
        self._save(desk, "main-pbx-down", desk.root)
        peer.say("910 BYE TAKEOVER mario logged in at 10.0.0.7")
        desk.pump(lambda: desk.app.model.connection.phase == "ended")
        self._save(desk, "main-taken-over", desk.root)


def main() -> int:
    parser = argparse.ArgumentParser(description="Takes pictures of every window of the client.")
    parser.add_argument("folder", nargs="?", type=Path, help="the pictures of the documents stay as they are")
    wanted: Path | None = parser.parse_args().folder
    if lacking := missing():
        print(f"screenshots need: {', '.join(lacking)}", file=sys.stderr)
        return 1
    folder = wanted or Path("build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    connecting.own_macs = lambda _local: ("00:11:22:33:44:55",)
    with tempfile.TemporaryDirectory() as place:
        desktop = Desktop(Path(place), size="1280x800")
        if shutil.which("xsetroot"):
            desktop.run("xsetroot", "-solid", "#4a5a6a")
        os.environ["DISPLAY"] = desktop.display
        try:
            for theme in ("light", "dark"):
                Photographer(folder, theme).take_all()
            Photographer(folder, "light", "it").take_all()
            Photographer(folder, "dark", "en", 2.0)._with_desk(Photographer(folder, "dark", "en", 2.0)._calls)
        finally:
            desktop.close()
    if wanted is None:
        DOCUMENTS.mkdir(exist_ok=True)
        for name in CHOSEN:
            shutil.copy(folder / f"{name}.png", DOCUMENTS)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
