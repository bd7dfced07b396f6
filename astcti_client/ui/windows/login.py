"""Who logs in, where, and what went wrong. Main thread."""

from __future__ import annotations

import ipaddress
import tkinter as tk
from collections.abc import Callable
from tkinter import filedialog, ttk

from astcti_client.settings import Settings
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import Actions, LoginRequest
from astcti_client.ui.state.prompts import LoginFailed
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button, keep_on_screen, see_soon
from astcti_client.ui.widgets.message_banner import MessageBanner
from astcti_client.ui.windows.side_window import SideWindow

USUAL_PORT = 5000
KEYRING_LOOK = 300  # milliseconds between two looks whether the keyring is open


class LoginWindow(SideWindow):
    """One window for the first start and for every other one."""

    def __init__(
        self,
        root: tk.Tk,
        look: Look,
        actions: Actions,
        settings: Settings,
        locked: frozenset[str],
        *,
        remembered: bool,
        can_remember: bool,
    ) -> None:
        """`remembered`: there is a password in the keyring."""
        super().__init__(root, look)
        self._actions = actions
        self._locked, self._remembered, self._can_remember = locked, remembered, can_remember
        self._ca_file, self._plain = settings.ca_file, settings.plain
        self._busy = False
        self._failure: LoginFailed | None = None
        self.protocol("WM_DELETE_WINDOW", actions.windows.hide)
        self.server = tk.StringVar(self, server_text(settings))
        self.user = tk.StringVar(self, settings.user)
        self.password = tk.StringVar(self)
        self.tls = tk.BooleanVar(self, settings.tls)
        self.remember = tk.BooleanVar(self, can_remember and settings.remember)
        self._build()
        for typed in (self.server, self.tls):
            typed.trace_add("write", self._show_note)
        self.bind("<Return>", lambda _event: self._go())
        self._centre()
        first = self.user_field if settings.user == "" and settings.host else self.password_field
        first = self.server_field if settings == Settings() else first
        first.focus_set()
        see_soon(self._button, first)
        if actions.session.keyring_is_asking():
            self.fail(
                lambda: _("Your keyring is closed. Open it in the window that asks, or write your password.")
            )
            self._await_keyring(settings.host, settings.user)

    def _build(self) -> None:
        look = self._look
        self.title(_("Log in – AsteriskCTI"))
        body = self._scrolled_body(28)
        if not self._low:
            self._build_head(body)
        self._banner = MessageBanner(body, look, "Bad")
        self._fields = ttk.Frame(body)
        self._fields.pack(fill="x")
        self._build_fields()
        self._button = button(body, look, "", self._go, style="Accent.TButton")
        self._button.pack(fill="x", pady=(self._edge(18), 0))
        self._show_note()
        self._show_state()

    def _build_head(self, body: ttk.Frame) -> None:
        look = self._look
        ttk.Label(body, image=look.program_icon("available", look.px(56))).pack()
        ttk.Label(body, text="AsteriskCTI", style="Title.TLabel").pack(pady=(look.px(8), 0))
        ttk.Label(body, text=_("Log in to receive your calls"), style="Muted.TLabel").pack(
            pady=(0, look.px(16))
        )

    def _build_fields(self) -> None:
        look = self._look
        self.server_field = self._field(_("Server (name or name:port)"), self.server, "host" in self._locked)
        self._tls = ttk.Checkbutton(self._fields, text=_("Encrypted connection (TLS)"), variable=self.tls)
        self._tls.pack(anchor="w", pady=(look.px(6), 0))
        if "tls" in self._locked:
            self._tls.configure(state="disabled")
        text = _("Not encrypted: others on the network can read your calls, maybe your password.")
        self._note = ttk.Label(self._fields, text=text, style="Small.TLabel", wraplength=look.px(310))
        self.user_field = self._field(_("User name"), self.user, "user" in self._locked)
        self.password_field = self._field(_("Password"), self.password, False)
        self.password_field.configure(show="•")
        if self._remembered:
            ttk.Label(
                self._fields, text=_("Leave it empty to use the saved one."), style="Small.TLabel"
            ).pack(anchor="w")
        text = _("Remember me") if self._can_remember else _("Remember me (this system has no keyring)")
        remember = ttk.Checkbutton(self._fields, text=text, variable=self.remember)
        if not self._can_remember or "remember" in self._locked:
            remember.configure(state="disabled")
        remember.pack(anchor="w", pady=(look.px(10), 0))

    def _field(self, label: str, variable: tk.StringVar, locked: bool) -> ttk.Entry:
        look = self._look
        ttk.Label(self._fields, text=label, style="Small.TLabel").pack(
            anchor="w", pady=(look.px(8), look.px(2))
        )
        field = ttk.Entry(self._fields, textvariable=variable, width=34)
        if locked:
            field.configure(state="disabled")
        field.pack(fill="x")
        return field

    # --- what happens ---

    def _await_keyring(self, host: str, user: str) -> None:
        """Go on by itself once the keyring is open, unless somebody writes the password meanwhile."""
        if self._actions.session.keyring_is_asking():
            self.after(KEYRING_LOOK, self._await_keyring, host, user)
        elif not self._actions.session.keyring_gave(host, user):
            self.fail(lambda: _("The keyring stayed closed: write your password."))
        else:
            self._remembered = True
            self._failure = None
            self._banner.pack_forget()
            if not self.password.get():
                self._go()

    def busy(self) -> None:
        """Show that the log-in is on its way."""
        self._busy = True
        self._show_state()

    def fail(self, text: Callable[[], str]) -> None:
        """Show what is wrong with what was typed, `text` in the language of the moment."""
        self.show_failure(LoginFailed(text))

    def show_failure(self, failure: LoginFailed) -> None:
        """Show what went wrong, and the buttons that may help."""
        self._busy, self._failure = False, failure
        self._show_state()
        self._fit()
        see_soon(self._banner)

    def _fit(self) -> None:
        self._centre() if not self.winfo_viewable() else self._ask_for_room()
        self.update_idletasks()
        self.geometry("")  # as high as it needs to be now
        keep_on_screen(self)

    def _show_state(self) -> None:
        self._button.configure(
            state="disabled" if self._busy else "normal",
            text=_("Logging in …") if self._busy else _("Log in"),
        )
        if self._failure is not None:
            self._show_failure(self._failure)

    def _show_failure(self, failure: LoginFailed) -> None:
        self._banner.say(failure.text())
        for widget in self._banner.actions.winfo_children():
            widget.destroy()
        above = (self._look.px(8), 0)
        if failure.certificate and "ca-file" not in self._locked:
            button(self._banner.actions, self._look, _("Choose certificate …"), self._choose_file).pack(
                pady=above
            )
        if failure.unencrypted and "tls" not in self._locked:
            button(self._banner.actions, self._look, _("Log in with encryption"), self._encrypt).pack(
                anchor="w", pady=above
            )
        if failure.unencrypted and "plain" not in self._locked:
            button(self._banner.actions, self._look, _("Allow without encryption"), self._allow_plain).pack(
                anchor="w", pady=above
            )
        if failure.macs:
            button(
                self._banner.actions,
                self._look,
                _("Copy {mac}").format(mac=failure.macs[0]),
                lambda: self._actions.windows.copy("\n".join(failure.macs)),
                icon="copy",
            ).pack(pady=above)
        self._banner.pack(fill="x", before=self._fields, pady=(0, self._look.px(8)))
        self._banner.fit(self._look.px(310))

    def _encrypt(self) -> None:
        self.tls.set(True)
        self._go()

    def _allow_plain(self) -> None:
        self._plain = True
        self._show_note()
        self._go()

    def _show_note(self, *_changed: object) -> None:
        """Say below the switch when the password will travel in clear: then only, and only if it may."""
        try:
            host = parse_server(self.server.get())[0]
        except ValueError:
            host = ""
        wanted = self._plain and not self.tls.get() and bool(host) and not _is_this_pc(host)
        if wanted == bool(self._note.winfo_manager()):
            return
        if wanted:
            self._note.pack(anchor="w", after=self._tls)
        else:
            self._note.pack_forget()
        self._fit()

    def _choose_file(self) -> None:
        chosen = filedialog.askopenfilename(
            parent=self,
            title=_("Certificate"),
            filetypes=[(_("Certificates"), "*.pem *.crt *.cer"), (_("All files"), "*")],
        )
        if chosen:
            self._ca_file = chosen
            self._go()

    def _go(self) -> None:
        if str(self._button.cget("state")) == "disabled":
            return
        try:
            host, port = parse_server(self.server.get())
        except ValueError:
            self.fail(lambda: _("Write the server as name or name:port, for example cti.example:5000."))
            self.server_field.focus_set()
            return
        if not self.user.get().strip():
            self.fail(lambda: _("Write your user name."))
            self.user_field.focus_set()
            return
        if not self.password.get() and not self._remembered:
            self.fail(lambda: _("Write your password."))
            self.password_field.focus_set()
            return
        self._actions.session.log_in(
            LoginRequest(
                host,
                port,
                self.tls.get(),
                self.user.get().strip(),
                self.password.get(),
                self.remember.get(),
                self._ca_file,
                self._plain,
            )
        )


def server_text(settings: Settings) -> str:
    """Server and port as one text; the usual port is left out."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return host if settings.port == USUAL_PORT else f"{host}:{settings.port}"


def parse_server(text: str) -> tuple[str, int]:
    """Host and port of `name`, `name:port`, `[address]:port`. Raises ValueError."""
    text = text.strip()
    host, port = text, str(USUAL_PORT)
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(text)
        port = rest[1:] or port
    elif text.count(":") == 1:
        host, _colon, port = text.partition(":")
    if not host or any(character in host for character in " /@") or not (port.isascii() and port.isdigit()):
        raise ValueError(text)
    if not 1 <= int(port) <= 65535:
        raise ValueError(text)
    return host, int(port)


def _is_this_pc(host: str) -> bool:
    """Whether this surely names this PC; only the connection will know of other names."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
