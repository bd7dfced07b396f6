"""Logging in to the manager interface, without I/O: nothing else is asked until Login is accepted.

The same in every version from 1.2 on: `Challenge`, then `Login` with the MD5 of challenge and secret
(manager.c, authenticate). Asterisk waits a second before it refuses a login, and then closes the connection.
"""

from __future__ import annotations

import logging
from typing import Final

from astcti_server.ami import actions
from astcti_server.ami.actions import AmiAction
from astcti_server.ami.wire.messages import AmiResponse
from schemas.server.settings import AmiSettings

CLOSED_BEFORE_LOGIN: Final = (
    "Asterisk closed the connection before the login was accepted: check the permit, deny and acl "
    "lines of manager.conf, and authlimit"
)

logger = logging.getLogger(__name__)


class AmiLoginRefusedError(Exception):
    """Asterisk does not let us in; the text says why and what to change in manager.conf."""


class AmiLogin:
    """One login. `greeted`, then `take` each response: it returns the next action, or None when logged in."""

    def __init__(self, settings: AmiSettings) -> None:
        self._settings = settings
        self._challenged = False
        self.banner_version = ""

    def greeted(self, banner_version: str) -> AmiAction:
        """Asterisk sent its first line: ask for a challenge."""
        self.banner_version = banner_version
        return actions.challenge()

    def take(self, response: AmiResponse) -> AmiAction | None:
        """Take the response to the last action. Raises `AmiLoginRefusedError`."""
        if self._challenged:
            if response.ok:
                return None
            raise AmiLoginRefusedError(self._explained(response.message))
        self._challenged = True
        username, secret = self._settings.username, self._settings.secret
        challenge = response.get("Challenge")
        if response.ok and challenge:
            return actions.login_challenge(username, secret, challenge)
        if not self._settings.tls:
            logger.warning(
                "Asterisk offers no MD5 login (%s): the secret goes over the network as it is",
                response.message or "no challenge",
            )
        return actions.login(username, secret)

    def why_late(self) -> str:
        """What to make of a login that takes too long."""
        if self.banner_version:
            return "Asterisk did not answer the login"
        return (
            "whatever listens there does not greet as Asterisk's manager interface does: check port and tls "
            "in server.xml"
        )

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
