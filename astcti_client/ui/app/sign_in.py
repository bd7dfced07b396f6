"""Logging in and out: with what is known, with what is typed, and what to say when it fails. Main thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from astcti_client.net.messages import ConnectionState, Protection
from astcti_client.password import Password
from astcti_client.settings import Settings
from astcti_client.ui.app.pause_records import PauseRecords
from astcti_client.ui.desktop.system_keyring import SystemKeyring
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import LoginRequest
from astcti_client.ui.state.preferences import CannotChange, Preferences
from astcti_client.ui.state.prompts import (
    LoggedOut,
    LoginDone,
    LoginFailed,
    LoginStarted,
    LoginWanted,
    PassingMessage,
    ShowPrompt,
    WindowWanted,
)
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.seat_session import SeatSession
from astcti_client.ui.text import problems

logger = logging.getLogger(__name__)


class SignIn:
    """Between the log-in window and the session. See `actions.SessionActions`."""

    def __init__(
        self,
        preferences: Preferences,
        model: SeatModel,
        session: SeatSession,
        keyring: SystemKeyring,
        pauses: PauseRecords,
        show_prompt: ShowPrompt,
        model_changed: Callable[[], None],
    ) -> None:
        """`model_changed` is called when the model is another."""
        self._preferences, self._model, self._session, self._keyring = preferences, model, session, keyring
        self._pauses = pauses
        self._show_prompt, self._model_changed = show_prompt, model_changed
        self._password: Password | None = None
        self._asking = False
        """Whether the log-in window is open."""
        self._warned = False
        self._request: LoginRequest | None = None
        """What is being tried of what was typed; None if nobody waits in front of the log-in window."""

    def with_what_is_known(self) -> bool:
        """Log in with the password of the settings or of the keyring; whether there is one."""
        settings = self._preferences.now
        password = settings.password or (
            self._keyring.remembered(settings.host, settings.user) if settings.remember else None
        )
        if not settings.user or not password:
            return False
        self._connect(settings, password)
        return True

    def ask(self, *, unasked: bool = False) -> None:
        """Show the log-in window; `unasked`: nobody is waiting for it."""
        settings = self._preferences.now
        remembered = bool(settings.password or self._keyring.remembered(settings.host, settings.user))
        self._asking = True
        self._show_prompt(LoginWanted(remembered, self._keyring.can_remember(), unasked))

    def log_in(self, request: LoginRequest) -> None:
        """Log in with what was typed."""
        before = self._preferences.now
        settings = replace(
            before,
            host=request.host,
            # The field of the server holds both, and perhaps the port alone is fixed.
            port=before.port if "port" in self._preferences.locked else request.port,
            tls=request.tls,
            plain=before.plain if "plain" in self._preferences.locked else before.plain or request.plain,
            user=request.user,
            ca_file=request.ca_file,
        )
        if request.password:
            password: Password | None = Password.from_text(request.password)
        else:
            password = self._keyring.remembered(request.host, request.user) or settings.password
        if password is None:
            self.fail(LoginFailed(lambda: _("Write your password.")))
            return
        self._request = request
        if self._asking:
            self._show_prompt(LoginStarted())
        self._connect(settings, password)

    def log_out(self) -> None:
        """End the session and forget whom it was for."""
        self._session.stop()
        self._model.forget()
        self._pauses.log_out()
        self._asking = False
        self._show_prompt(LoggedOut())
        self.ask()
        self._model_changed()

    def try_now(self) -> None:
        """Do not wait for the next attempt to connect."""
        self._session.try_now()

    def is_password(self, text: str) -> bool:
        """Whether this is the password of the present session; true where nobody knows it."""
        return self._password is None or (bool(text) and Password.from_text(text) == self._password)

    def keyring_is_asking(self) -> bool:
        """Whether the system waits for somebody to open the keyring."""
        return self._keyring.is_asking()

    def keyring_gave(self, host: str, user: str) -> bool:
        """Whether the keyring gave a password for this user at this server by now."""
        return self._keyring.given(host, user) is not None

    def connection_changed(self, state: ConnectionState) -> None:
        """After the model has heard of it."""
        if state.phase == "up":
            self._logged_in()
            self._warn_of(state.protection)
        elif state.phase == "waiting" and self._request is not None:
            # Somebody waits in front of the log-in window: say what is wrong instead of trying on.
            self._failed(state)
        elif state.phase == "ended":
            self._session.stop()
            if self._request is not None or state.ending in ("refused", "unencrypted"):
                self._failed(state)
            else:
                self._show_prompt(WindowWanted())

    def fail(self, failure: LoginFailed) -> None:
        """Say in the log-in window what went wrong."""
        self._request = None
        if not self._asking:
            self.ask(unasked=True)
        self._show_prompt(failure)

    def _connect(self, settings: Settings, password: Password) -> None:
        self._preferences.use_for_session(settings)
        self._password = password
        self._warned = False
        self._pauses.begin(settings.place)
        self._session.start(settings, password)

    def _logged_in(self) -> None:
        request, self._request = self._request, None
        if request is None:
            return
        if self._model.seat_missing:
            macs = [mac for mac, _reason in self._model.macs_refused]
            self._session.stop()
            self.fail(LoginFailed(lambda: unknown_pc_text(macs), macs=tuple(macs)))
            return
        self._keep(request)
        self._asking = False
        self._show_prompt(LoginDone())

    def _keep(self, request: LoginRequest) -> None:
        try:
            self._preferences.keep_login(request)
        except CannotChange as error:
            self._tell(str(error))
        if request.remember and self._password is not None:
            self._keyring.remember(request.host, request.user, self._password, self._tell)
        elif not request.remember:
            self._keyring.forget(request.host, request.user)

    def _failed(self, state: ConnectionState) -> None:
        self._session.stop()
        self.fail(
            LoginFailed(
                lambda: problems.problem_text(state),
                certificate="certificate of" in state.detail,
                unencrypted=state.ending == "unencrypted",
            )
        )

    def _warn_of(self, protection: Protection | Literal[""]) -> None:
        """Say once for each log-in by the user, not after each loss, what does not protect the connection."""
        warning = problems.protection_text(protection)
        if warning and not self._warned:
            self._warned = True
            logger.warning("%s", warning)
            self._tell(warning)

    def _tell(self, text: str) -> None:
        self._show_prompt(PassingMessage(text))


def unknown_pc_text(macs: Sequence[str]) -> str:
    """What to do where the server knows none of this PC's addresses."""
    text = _("The server does not know this PC. Give its address (MAC) to your administrator: {mac}")
    return text.format(mac=", ".join(macs) or _("none was found"))
