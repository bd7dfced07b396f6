"""Logging in to the manager interface, without I/O: nothing else is asked until Login is accepted.

The same in every version from 1.2 on: `Challenge`, then `Login` with the MD5 of challenge and secret
(manager.c, authenticate). Asterisk waits a second before it refuses a login, and then closes the connection.
So whoever refuses the challenge is no Asterisk as it comes, or somebody between who is after the secret.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from astcti_server.ami import actions
from astcti_server.ami.actions import AmiAction
from astcti_server.ami.wire.messages import AmiResponse
from schemas.server.settings import AmiSettings
from schemas.wire import clean

CLOSED_BEFORE_LOGIN: Final = (
    "Asterisk closed the connection before the login was accepted: check the permit, deny and acl "
    "lines of manager.conf, and authlimit"
)

LONGEST_MESSAGE: Final = 200  # Asterisk's have a few words

logger = logging.getLogger(__name__)


class AmiLoginRefusedError(Exception):
    """Asterisk does not let us in; the text says why and what to change in manager.conf."""


class AmiLogin:
    """One login: `greeted` and `take` make what is to be sent next, nothing where there is nothing to say."""

    def __init__(self, settings: AmiSettings, next_id: Callable[[], str]) -> None:
        """`next_id` makes an ActionID that nothing else has."""
        self._settings = settings
        self._next_id = next_id
        self._greeted = self._challenged = self._unasked = False
        self._action_id = ""
        """Of the action that waits for its response."""
        self.accepted = False
        """Logged in."""
        self.banner_version = ""

    def greeted(self, banner_version: str) -> bytes:
        """Asterisk sent its first line: ask for a challenge. Another such line is not its own."""
        if self._greeted:
            return b""
        self._greeted = True
        self.banner_version = banner_version
        return self._ask(actions.challenge())

    def take(self, response: AmiResponse) -> bytes:
        """Take a response. Raises `AmiLoginRefusedError`.

        Every version from 1.4 on repeats the ActionID of Challenge and Login, in errors too (astman_send_ack,
        astman_send_error): a response with another one, or with none, is not to what was asked.
        """
        if not self._action_id or response.action_id != self._action_id:
            self._unasked = True
            logger.debug("A response that nothing was asked for, while logging in: %r", response)
            return b""
        if not self._challenged:
            self._challenged = True
            return self._ask(self._login(response))
        if not response.ok:
            raise AmiLoginRefusedError(self._explained(_words(response)))
        self.accepted = True
        return b""

    def why_late(self) -> str:
        """What to make of a login that takes too long."""
        if self._unasked:
            return (
                "Asterisk did not answer the login, but something else: every Asterisk repeats the ActionID "
                "of what it answers; does a proxy between not?"
            )
        if self._greeted:
            return "Asterisk did not answer the login"
        return (
            "whatever listens there does not greet as Asterisk's manager interface does: check port and tls "
            "in server.xml"
        )

    def _ask(self, action: AmiAction) -> bytes:
        self._action_id = self._next_id()
        try:
            return action.encode(self._action_id)
        except ValueError as error:
            raise AmiLoginRefusedError(
                f"the username or secret in server.xml cannot be sent: {error}"
            ) from None

    def _login(self, response: AmiResponse) -> AmiAction:
        """What to log in with after the response to Challenge."""
        username, secret = self._settings.username, self._settings.secret
        challenge = response.get("Challenge")
        if response.ok and challenge:
            return actions.login_challenge(username, secret, challenge)
        reason = _words(response) or "no challenge"
        if self._settings.auth != "plain":
            raise AmiLoginRefusedError(
                f"Asterisk offers no MD5 login ({reason}), and the secret itself is not sent: every Asterisk "
                "from 1.4 on offers one, so look at what answers at this host and port; if it is trusted, "
                'write auth="plain" into <ami> of server.xml'
            )
        if not self._settings.tls:
            logger.warning(
                "Asterisk offers no MD5 login (%s): the secret goes over the network as it is", reason
            )
        return actions.login(username, secret)

    def _explained(self, message: str) -> str:
        username = self._settings.username
        if "in use" in message.lower():
            return (
                f"Asterisk says that user {username!r} is logged in already ({message}): "
                "give this server a user of its own, or set allowmultiplelogin = yes in manager.conf"
            )
        return (
            f"Asterisk refused the login of user {username!r} ({message or 'no reason given'}): "
            f"in manager.conf check the section [{username}], its secret, and its permit, deny and acl lines"
        )


def _words(response: AmiResponse) -> str:
    """Its message, fit for a line of the log."""
    return clean(response.message[:LONGEST_MESSAGE])
