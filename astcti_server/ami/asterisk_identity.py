"""Which Asterisk it is, for people: what its greeting and CoreSettings say. AMI thread; any may read `known`.

Nothing is decided by it: what a version can do is found out by trying, for forks port things back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from astcti_server.ami import actions
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests


@dataclass(frozen=True, slots=True)
class AsteriskIdentity:
    """What is known of the Asterisk at the other end."""

    manager: str = ""
    """The version of its manager interface, from the greeting: `11.0.0`."""
    version: str = ""
    """Its own version: `22.5.2`. Empty where it does not say so (1.4), or the user may not ask."""

    @property
    def dialect(self) -> str:
        """Which of the three ways of telling calls the greeting promises."""
        if not self.manager[:1].isdigit():
            return ""
        if self.manager.startswith("1."):
            return "1.4" if self.manager == "1.0" else "1.6-11"
        return "12-22"


class IdentityReader:
    """Asks once a connection."""

    def __init__(self, requests: AmiRequests) -> None:
        self._requests = requests
        self.known = AsteriskIdentity()
        """Replaced as a whole."""

    def connected(self, banner_version: str) -> None:
        """Logged in; it may be another Asterisk than before."""
        self.known = AsteriskIdentity(banner_version)

    def commands_listed(self, outcome: ActionOutcome) -> None:
        """Ask only who is allowed to and can tell: a refusal would look as if something were missing."""
        response = outcome.response
        if response is None or not outcome.ok:
            return
        if any(name.lower() == "coresettings" for name, _value in response.items()):
            self._requests.ask(actions.core_settings(), self._told)

    def _told(self, outcome: ActionOutcome) -> None:
        if outcome.response is not None and outcome.ok:
            self.known = replace(self.known, version=outcome.response.get("AsteriskVersion"))
