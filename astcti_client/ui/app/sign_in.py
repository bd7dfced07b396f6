"""Logging in and out: with what is known, with what is typed, and what to say when it fails. Main thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from astcti_client.net.messages import ConnectionState
from astcti_client.password import Password
from astcti_client.settings import Settings
from astcti_client.ui.app.open_windows import Windows
from astcti_client.ui.desktop import system_keyring
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import LoginWish
from astcti_client.ui.state.preferences import CannotChange, Preferences
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.session import SeatSession
from astcti_client.ui.text import problems


class SignIn:
    """Between the log-in window and the session."""

    def __init__(
        self, preferences: Preferences, model: SeatModel, session: SeatSession, windows: Windows
    ) -> None:
        self._preferences, self._model, self._session, self._windows = preferences, model, session, windows
        self._password: Password | None = None
        self._wish: LoginWish | None = None

    def with_what_is_known(self) -> bool:
        """Log in with the password of the settings or of the keyring; whether there is one."""
        settings = self._preferences.now
        password = settings.password or (
            system_keyring.remembered(settings.host, settings.user) if settings.remember else None
        )
        if not settings.user or not password:
            return False
        self._connect(settings, password)
        return True

    def ask(self) -> None:
        """Show the log-in window."""
        settings = self._preferences.now
        remembered = bool(settings.password or system_keyring.remembered(settings.host, settings.user))
        self._windows.ask_login(remembered=remembered, can_remember=system_keyring.can_remember())

    def log_in(self, wish: LoginWish) -> None:
        """Log in with what was typed."""
        before = self._preferences.now
        settings = replace(
            before,
            host=wish.host,
            # The field of the server holds both, and perhaps the port alone is fixed.
            port=before.port if "port" in self._preferences.locked else wish.port,
            tls=wish.tls,
            user=wish.user,
            ca_file=wish.ca_file,
        )
        if wish.password:
            password: Password | None = Password.from_text(wish.password)
        else:
            password = system_keyring.remembered(wish.host, wish.user) or settings.password
        if password is None:
            self.fail(lambda: _("Write your password."))
            return
        self._wish = wish
        if self._windows.login is not None:
            self._windows.login.busy()
        self._connect(settings, password)

    def log_out(self) -> None:
        """End the session and forget whom it was for."""
        self._session.stop()
        self._model.forget()
        self._windows.close_all()
        self.ask()

    def is_password(self, text: str) -> bool:
        """Whether this is the password of the present session; true where nobody knows it."""
        return self._password is None or (bool(text) and Password.from_text(text) == self._password)

    def connection_changed(self, state: ConnectionState) -> None:
        """After the model has heard of it."""
        if state.phase == "up":
            self._logged_in()
        elif state.phase == "waiting" and self._wish is not None:
            # Somebody waits in front of the log-in window: say what is wrong instead of trying on.
            self._failed(state)
        elif state.phase == "ended":
            self._session.stop()
            if self._wish is not None or state.ending == "refused":
                self._failed(state)
            else:
                self._windows.show()

    def fail(self, text: Callable[[], str], **more: Any) -> None:
        """Say in the log-in window what went wrong; see its `fail`."""
        self._wish = None
        if self._windows.login is None:
            self.ask()
        assert self._windows.login is not None
        self._windows.login.fail(text, **more)

    def _connect(self, settings: Settings, password: Password) -> None:
        self._preferences.now, self._password = settings, password
        self._session.start(settings, password)

    def _logged_in(self) -> None:
        wish, self._wish = self._wish, None
        if wish is None:
            return
        if self._model.seat_missing:
            macs = [mac for mac, _reason in self._model.macs_refused]
            self._session.stop()
            self.fail(lambda: unknown_pc_text(macs), macs=macs)
            return
        self._keep(wish)
        self._windows.close_login()
        self._windows.show()

    def _keep(self, wish: LoginWish) -> None:
        try:
            self._preferences.keep_login(wish)
        except CannotChange as error:
            self._windows.tell(str(error))
        if wish.remember and self._password is not None:
            system_keyring.remember(wish.host, wish.user, self._password, self._windows.tell)
        elif not wish.remember:
            system_keyring.forget(wish.host, wish.user)

    def _failed(self, state: ConnectionState) -> None:
        self._session.stop()
        self.fail(lambda: problems.problem_text(state), certificate="certificate of" in state.detail)


def unknown_pc_text(macs: Sequence[str]) -> str:
    """What to do where the server knows none of this PC's addresses."""
    text = _("The server does not know this PC. Give its address (MAC) to your administrator: {mac}")
    return text.format(mac=", ".join(macs) or _("none was found"))
