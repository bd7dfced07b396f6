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
from typing import Any

from astcti_client.net import mac_addresses
from astcti_client.net.messages import ConnectionState, OfferedService, ServerReply, Services
from astcti_client.password import Password
from astcti_client.settings import Settings
from astcti_client.ui import i18n
from astcti_client.ui.app.sign_in import unknown_pc_text
from astcti_client.ui.app.tray_menu import TrayMenu
from astcti_client.ui.state.prompts import LoginFailed
from astcti_client.ui.text.problems import problem_text
from astcti_client.ui.windows.dialogs import PasswordDialog
from schemas.wire import Reply
from tests.client.ui.tools.desktop import Desktop, missing
from tests.client.ui.tools.widgets import all_of, press
from tests.client.ui.tools.window_test_bed import WindowTestBed, event
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
PROGRAM = (
    '<trigger type="application" os="any"><application>/opt/crm/crm</application>'
    "<argument>--ticket</argument><argument>12345</argument></trigger>"
)
TARGETS = ("astctidemo Demo", "phones Colleagues")
PAGE = '<trigger type="browser" os="any"><url>https://crm.example/12345</url></trigger>'


class Photographer:
    """Takes the pictures of one colour scheme."""

    def __init__(self, folder: Path, theme: str, language: str = "en", scale: float = 1.0) -> None:
        self._folder, self._theme, self._language, self._scale = folder, theme, language, scale

    def take_all(self) -> None:
        """Each scene starts anew."""
        for scene in (
            self._login,
            self._main,
            self._calls,
            self._dialling,
            self._answer,
            self._consult,
            self._team,
            self._windows,
            self._troubles,
            self._losses,
        ):
            self._with_client(scene)
        self.take_small()

    def take_small(self) -> None:
        """What a small screen, and the mini view, leave of the window."""
        self._with_client(self._small)
        self._with_client(self._small, mini=True)

    def _small(self, bed: WindowTestBed, server: CtiServer) -> None:
        peer = bed.log_in("PJSIP/201 Mario Rossi", *QUEUES, targets=TARGETS, phone=["224 PHONE CONSULT"])
        if not bed.app.windows.main.mini:
            height = bed.app.windows.look.px(340)
            bed.root.geometry(f"{bed.root.winfo_width()}x{height}")
            bed.pump(lambda: bed.root.winfo_height() == height)
        kind = "mini" if bed.app.windows.main.mini else "low"
        bed.ring("7.1", data="calldata=12345|customer=Rossi & Figli")
        bed.app.windows.notices.close_all()
        self._save(bed, f"{kind}-ringing", bed.root)
        peer.say(event("Link", "7.1", trigger=PAGE, data="calldata=12345|customer=Rossi & Figli"))
        bed.pump(lambda: bed.app.model.calls["7.1"].phase == "talking")
        bed.ring("8.1", name="Jürgen Groß", number="+493012345678", queue="support")
        bed.app.windows.notices.close_all()
        self._save(bed, f"{kind}-two-calls", bed.root)
        press(bed.app.windows.main.calls.cards["7.1"], i18n._("Transfer"))
        self._save(bed, f"{kind}-transfer", bed.root)
        bed.app.commands.ask_pause("Lunch break")
        peer.say("301 PAUSE PENDING", "300 OK")
        bed.pump(lambda: bed.app.model.pause.phase == "in")
        self._save(bed, f"{kind}-paused", bed.root)
        bed.tell(ConnectionState("waiting", "the server closed the connection", retry_in=9.0))
        bed.pump(lambda: not bed.app.model.up)
        self._save(bed, f"{kind}-connection-lost", bed.root)

    def take_losses(self) -> None:
        """What keeps calls from the agent, and what failed, alone."""
        self._with_client(self._losses)

    def take_calls(self) -> None:
        """The calls alone, those that come and those that are made."""
        self._with_client(self._calls)
        self._with_client(self._dialling)
        self._with_client(self._answer)
        self._with_client(self._consult)

    def _with_client(self, scene: Callable[[WindowTestBed, CtiServer], None], *, mini: bool = False) -> None:
        i18n.use_language(self._language)
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
                mini_view=mini,
            )
            bed = WindowTestBed(Path(place), server, settings, frozenset({"notices"}))
            try:
                scene(bed, server)
            finally:
                server.close()
                bed.close()

    def _save(self, bed: WindowTestBed, name: str, window: tk.Misc | None = None) -> None:
        bed.turn(0.4)
        more = f"-{self._language}" if self._language != "en" else ""
        more += f"-{self._scale:g}x" if self._scale != 1 else ""
        bed.picture(window).convert("RGB").save(
            self._folder / f"{name}-{self._theme}{more}.png", optimize=True
        )

    def _login(self, bed: WindowTestBed, server: CtiServer) -> None:
        app = bed.app
        app.sign_in.ask()
        assert app.windows.login is not None
        self._save(bed, "login", app.windows.login)
        app.windows.login.fail(lambda: i18n._("User name or password are wrong."))
        self._save(bed, "login-wrong-password", app.windows.login)
        macs = ["00:11:22:33:44:55"]
        app.sign_in.fail(LoginFailed(lambda: unknown_pc_text(macs), macs=tuple(macs)))
        self._save(bed, "login-unknown-pc", app.windows.login)
        state = ConnectionState("waiting", "the certificate of cti.example:5000 is not trusted")
        app.sign_in.fail(LoginFailed(lambda: problem_text(state), certificate=True))
        self._save(bed, "login-certificate", app.windows.login)
        state = ConnectionState("ended", "the connection to cti.example:5000 would not be encrypted: whoever")
        app.sign_in.fail(LoginFailed(lambda: problem_text(state), unencrypted=True))
        self._save(bed, "login-unencrypted", app.windows.login)

    def _main(self, bed: WindowTestBed, server: CtiServer) -> None:
        peer = bed.log_in("PJSIP/201 Mario Rossi", *QUEUES)
        self._save(bed, "main-available", bed.root)
        bed.app.commands.ask_pause("Lunch break")
        self._save(bed, "main-pause-requested", bed.root)
        peer.say("301 PAUSE PENDING", "300 OK")
        bed.pump(lambda: bed.app.model.pause.phase == "in")
        self._save(bed, "main-paused", bed.root)
        bed.tell(Services((OfferedService("inbound", "astctidemo", "Demo"),)))
        bed.pump(lambda: not bed.app.model.outbound)
        self._save(bed, "main-dial-locked", bed.root)

    def _calls(self, bed: WindowTestBed, server: CtiServer) -> None:
        peer = bed.log_in("PJSIP/201 Mario Rossi", *QUEUES)
        bed.ring("7.1", data="calldata=12345|customer=Rossi & Figli")
        self._save(bed, "main-ringing", bed.root)
        self._save(bed, "screen-ringing")
        peer.say(event("Link", "7.1", trigger=PAGE, data="calldata=12345|customer=Rossi & Figli"))
        bed.pump(lambda: bed.app.model.calls["7.1"].phase == "talking")
        self._save(bed, "main-talking", bed.root)
        bed.ring("8.1", name="Jürgen Groß", number="+493012345678", queue="support")
        bed.ring("9.1", name="", number="0287654321", queue="", service="Outside line", data="")
        notices = bed.app.windows.notices  # at twice the size there is no room for all
        bed.pump(lambda: "9.1" in notices.shown or "9.1" in notices.waiting)
        peer.say(event("Hangup", "9.1", name="", number="0287654321", queue="", data="", end="missed"))
        bed.pump(lambda: bed.app.model.calls["9.1"].phase == "over")
        self._save(bed, "screen-three-calls")
        press(bed.app.windows.main.calls.cards["7.1"], i18n._("Transfer"))
        self._save(bed, "main-transfer", bed.root)

    def _dialling(self, bed: WindowTestBed, server: CtiServer) -> None:
        peer = bed.log_in("PJSIP/201 Mario Rossi", *QUEUES)
        bed.tell(ServerReply("", Reply(110, "CAPA", "MAC DIALLING"), None))
        bar, dialling = bed.app.windows.main.dial_bar, bed.app.model.dialling
        bar.number.set("055 123 4567")
        for outcome, name in (
            ('response="Failure" reason="0" phone="refused"', "main-dialling-refused"),
            ('response="Success" reason="4"', "main-dialling-calling"),
        ):
            press(bar, i18n._("Call"))
            assert peer.hear() == "ORIG 0551234567 outbound 1"
            peer.say("100 OK")
            bed.pump(lambda: dialling.call is not None and dialling.call.phase == "phone")
            self._save(bed, "main-dialling-phone", bed.root)
            told = f'<originate exten="0551234567" {outcome}/>'
            peer.say(event("OriginateResponse", "7.1", direction="outbound", trigger=told))
            bed.pump(lambda: dialling.call is not None and dialling.call.phase not in ("asked", "phone"))
            self._save(bed, name, bed.root)
        more: dict[str, Any] = {
            "direction": "outbound",
            "name": "",
            "number": "0551234567",
            "queue": "",
            "data": "",
        }
        peer.say(event("Dial", "7.1", state="Up", service="Outside line", **more))
        cause = '<cause code="17" end="refused" called="busy">User busy</cause>'
        peer.say(event("Hangup", "7.1", trigger=cause, service="Outside line", **more))
        bed.pump(lambda: dialling.call is not None and dialling.call.phase == "failed")
        self._save(bed, "main-dialling-busy", bed.root)

    def take_team(self) -> None:
        """Colleagues and queues alone."""
        self._with_client(self._team)

    def _team(self, bed: WindowTestBed, server: CtiServer) -> None:
        told = ("200 q-sales", "200 q-support", "210 q-night", "211 KO q-vip no such queue")
        own = ("stays q-sales Sales", "may-leave q-support Support, Returns", "may-leave q-night Night line")
        peer = bed.log_in(
            "PJSIP/201 Mario Rossi",
            *told,
            queues=(*own, "may-leave q-vip VIP"),
            colleagues=True,
            targets=TARGETS,
            phone=["224 PHONE CONSULT"],
        )
        peer.say(event("Link", "7.1", trigger=PAGE))
        bed.pump(lambda: bed.app.model.calls)
        for number in range(3):
            peer.say(event("Callerid", f"{number}.1"), event("Hangup", f"{number}.1", end="missed"))
        bed.pump(lambda: bed.app.model.missed == 3)
        self._save(bed, "screen-missed")
        self._save(bed, "main-queues-closed", bed.root)
        bed.app.windows.main.queues.toggle()
        self._save(bed, "main-queues", bed.root)
        bed.app.windows.show_colleagues()
        states = ("ready", "talking", "paused", "offline", "unreachable", "ringing")
        names = ("Anna Bianchi", "Siobhán O'Brien", "Łukasz Nowak", "Zoë Müller", "דוד לוי", "Jürgen Groß")
        rows = [
            f"242 user{n} PJSIP/{300 + n} {states[n % 6]} {names[n % 6]}{f' {n}' if n > 5 else ''}"
            for n in range(24)
        ]
        assert bed.hears() == "COLLEAGUES"
        peer.say(*rows, "242 END")
        window = bed.app.windows.colleagues
        assert window is not None
        bed.pump(window.table.get_children)
        window.table.selection_set("user0")
        self._save(bed, "colleagues", window)

    def _answer(self, bed: WindowTestBed, server: CtiServer) -> None:
        peer = bed.log_in("PJSIP/201 Mario Rossi", *QUEUES, targets=TARGETS, phone=["224 PHONE ANSWER"])
        bed.ring("7.1", data="calldata=12345|customer=Rossi & Figli", trigger=PAGE)
        self._save(bed, "screen-ringing-answer")
        peer.say(event("Link", "7.1", trigger=PAGE, data="calldata=12345|customer=Rossi & Figli"))
        bed.pump(lambda: bed.app.model.calls["7.1"].phase == "talking")
        self._save(bed, "main-answered", bed.root)

    def _consult(self, bed: WindowTestBed, server: CtiServer) -> None:
        peer = bed.log_in("PJSIP/201 Mario Rossi", *QUEUES, targets=TARGETS, phone=["224 PHONE CONSULT"])
        peer.say(event("Link", "7.1", trigger=PAGE, data="calldata=12345|customer=Rossi & Figli"))
        bed.pump(lambda: "7.1" in bed.app.windows.main.calls.cards)
        card = bed.app.windows.main.calls.cards["7.1"]
        press(card, i18n._("Transfer"))
        press(card, i18n._("Ask first"))
        self._save(bed, "main-transfer-mistake", bed.root)
        press(card, i18n._("Transfer"))
        for state in ("calling", "talking", "busy"):
            peer.say(f"225 CONSULT 7.1 {state} 203 phones")
            consults = bed.app.model.consults.by_call
            bed.pump(lambda: "7.1" in consults and consults["7.1"].state == state)  # noqa: B023
            self._save(bed, f"main-consult-{state}", bed.root)

    def _windows(self, bed: WindowTestBed, server: CtiServer) -> None:
        peer = bed.log_in("PJSIP/201 Mario Rossi", *QUEUES)
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
        bed.pump(lambda: len(bed.history.find()) == 5)
        bed.app.windows.notices.close_all()
        bed.history.explain(
            1, "nobody-answered 1795430727.120 PJSIP/201"
        )  # the first of them, last in the list
        history = bed.open_history()
        history.table.selection_set(history.table.get_children()[-1])
        bed.pump(lambda: history.reason.cget("text"))
        self._save(bed, "history", history)
        history.destroy()
        settings = bed.open_settings()
        self._save(bed, "settings", settings)
        next(all_of(settings, tk.Canvas)).yview_moveto(0.5)
        self._save(bed, "settings-2", settings)
        settings.destroy()
        bed.app.windows.show_about()
        self._save(bed, "about", bed.app.windows.dialogs[-1])
        bed.app.windows.dialogs[-1].destroy()
        question = PasswordDialog(bed.root, bed.app.windows.look, lambda _text: False, lambda: None)
        self._save(bed, "come-back", question)
        question.destroy()
        TrayMenu(bed.root, bed.app.model, bed.app.windows.actions).open_at(900, 200)
        self._save(bed, "tray-menu")

    def _troubles(self, bed: WindowTestBed, server: CtiServer) -> None:
        peer = bed.log_in("PJSIP/201 Mario Rossi", *QUEUES)
        bed.ring("7.1")
        peer.say("901 PBX DOWN")
        bed.pump(lambda: not bed.app.model.pbx_up)
        self._save(bed, "main-pbx-down", bed.root)
        peer.say("910 BYE TAKEOVER mario logged in at 10.0.0.7")
        bed.pump(lambda: bed.app.model.connection.phase == "ended")
        self._save(bed, "main-taken-over", bed.root)

    def _losses(self, bed: WindowTestBed, server: CtiServer) -> None:
        peer = bed.log_in("PJSIP/201 Mario Rossi", "211 KO vip No such queue")
        self._save(bed, "main-queues-refuse", bed.root)
        peer.say("200 astcti")
        bed.root.withdraw()
        peer.say(event("Link", "7.1", trigger=PROGRAM))
        notices = bed.app.windows.notices
        bed.pump(lambda: notices.message is not None and notices.message.winfo_viewable())
        self._save(bed, "screen-pop-up-failed")
        bed.app.windows.show()
        bed.pump(lambda: notices.message is None)
        press(bed.root, i18n._("Details"))
        self._save(bed, "main-pop-up-failed", bed.root)
        peer.say(event("Hangup", "7.1", end="answered"), "310 IN Lunch break")
        bed.pump(lambda: bed.app.model.pause.phase == "in")
        peer.close()
        again = server.accept()
        again.log_in(who="PJSIP/201 Mario Rossi")
        again.say("310 OUT", "200 astcti")
        bed.pump(again.would_hear)
        again.hear()
        again.say("301 PAUSE PENDING", "300 OK")
        bed.pump(lambda: bed.app.model.pause.phase == "in")
        self._save(bed, "main-pause-lost", bed.root)
        lost = ConnectionState("waiting", "the server closed the connection", retry_in=9.0)
        bed.tell(lost)
        bed.pump(lambda: not bed.app.model.up)
        self._save(bed, "main-connection-lost", bed.root)


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
    mac_addresses.read_interfaces = lambda: [mac_addresses.Interface("eth0", "00:11:22:33:44:55")]
    with tempfile.TemporaryDirectory() as place:
        desktop = Desktop(Path(place), size="1280x800")
        if shutil.which("xsetroot"):
            desktop.run("xsetroot", "-solid", "#4a5a6a")
        os.environ["DISPLAY"] = desktop.display
        try:
            for theme in ("light", "dark"):
                Photographer(folder, theme).take_all()
            Photographer(folder, "light", "it").take_all()
            Photographer(folder, "dark", "en", 2.0).take_calls()
            Photographer(folder, "light", "it", 2.0).take_small()
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
