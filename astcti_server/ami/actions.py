"""The actions that the server asks of Asterisk, as frozen values. No I/O.

Values are not escaped, for Asterisk knows no escaping: encoding an action with a line break in it fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from astcti_server.ami.wire.parser import LONGEST_ACTION_LINE, encode_action

LIST_WITHIN: Final = 30.0
"""Seconds to wait for a list of channels: thousands of them take Asterisk a while."""

_SECRET_HEADERS: Final = frozenset({"Secret", "Key"})
_LONGEST_VARIABLES: Final = LONGEST_ACTION_LINE - len("Variables: ") - 2
# Asterisk splits the names into an array of 100 and takes all the rest for the last one's name (manager.c,
# action_status; seen in 16 and 22).
_MOST_VARIABLES: Final = 99


@dataclass(frozen=True, slots=True)
class AmiAction:
    """One action without its ActionID. Safe to log: its `repr` hides secrets."""

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    list_end: str = ""
    """The event that ends the answer of an action which lists something; empty for any other action."""

    def encode(self, action_id: str) -> bytes:
        """The bytes for the wire. Raises ValueError for values that Asterisk would misread."""
        return encode_action((("Action", self.name), ("ActionID", action_id), *self.headers))

    def __repr__(self) -> str:
        shown = (f"{key}={'***' if key in _SECRET_HEADERS else value!r}" for key, value in self.headers)
        return f"{self.name}({' '.join(shown)})"


def challenge() -> AmiAction:
    """Ask for a challenge, so that the secret does not travel."""
    return AmiAction("Challenge", (("AuthType", "MD5"),))


def login_challenge(username: str, secret: str, challenge: str) -> AmiAction:
    """Log in with the answer to a challenge; all events that the user may read are wanted."""
    key = hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()
    return AmiAction("Login", (("AuthType", "MD5"), ("Username", username), ("Key", key), ("Events", "on")))


def login(username: str, secret: str) -> AmiAction:
    """Log in with the secret itself."""
    return AmiAction("Login", (("Username", username), ("Secret", secret), ("Events", "on")))


def logoff() -> AmiAction:
    """Say goodbye; Asterisk closes the connection."""
    return AmiAction("Logoff")


def ping() -> AmiAction:
    """Ask whether Asterisk is there."""
    return AmiAction("Ping")


def list_commands() -> AmiAction:
    """List the actions that this user may ask for: each is a header of the response."""
    return AmiAction("ListCommands")


def core_settings() -> AmiAction:
    """Which Asterisk it is (1.6.0 and later; class `system` or `reporting`)."""
    return AmiAction("CoreSettings")


def status(variables: Iterable[str] = ()) -> AmiAction:
    """List all channels, with these variables (1.6.1 and later), as many as one line can name."""
    names = ",".join(variables)
    return AmiAction("Status", (("Variables", names),) if names else (), list_end="StatusComplete")


def status_of(channel: str) -> AmiAction:
    """List one channel, by its name; an Error `No such channel` if there is none."""
    return AmiAction("Status", (("Channel", channel),), list_end="StatusComplete")


def status_lists(variables: Iterable[str]) -> list[AmiAction]:
    """As many `Status` actions as it takes to ask for all these variables; at least one."""
    groups: list[list[str]] = [[]]
    length = 0
    for name in variables:
        length += len(name.encode()) + 1  # with the comma before it
        if groups[-1] and (length > _LONGEST_VARIABLES + 1 or len(groups[-1]) == _MOST_VARIABLES):
            groups.append([])
            length = len(name.encode()) + 1
        groups[-1].append(name)
    return [status(names) for names in groups]


def getvar(variable: str) -> AmiAction:
    """Ask for a global variable. Class `call`, from 1.6 on also `reporting`; an unset one is empty."""
    return AmiAction("Getvar", (("Variable", variable),))


def channel_variable(channel: str, variable: str) -> AmiAction:
    """Ask for a variable or a function of a channel, as `getvar`; what there is not is empty."""
    return AmiAction("Getvar", (("Channel", channel), ("Variable", variable)))


def configuration_file(name: str, category: str) -> AmiAction:
    """Read a category of one of Asterisk's own files, with what it includes (class `system` or `config`).

    Each line is a header `Line-000000-000000` with `name=value`; an Error if there is no such file.
    """
    return AmiAction("GetConfig", (("Filename", name), ("Category", category)))


def queue_status(queue: str = "") -> AmiAction:
    """List members and callers of one queue, or of all."""
    return AmiAction("QueueStatus", _given(Queue=queue), list_end="QueueStatusComplete")


def queue_add(
    queue: str,
    interface: str,
    penalty: int = 0,
    paused: bool = False,
    member_name: str = "",
    state_interface: str = "",
    reason: str = "",
) -> AmiAction:
    """Make an interface a member of a queue, paused or not from the first moment on."""
    headers = (
        ("Queue", queue),
        ("Interface", interface),
        ("Penalty", str(penalty)),
        ("Paused", _truth(paused)),
    )
    more = _given(MemberName=member_name, StateInterface=state_interface, Reason=reason)
    return AmiAction("QueueAdd", headers + more)


def queue_remove(queue: str, interface: str) -> AmiAction:
    """End a membership; only of a dynamic member (`Member not dynamic` else)."""
    return AmiAction("QueueRemove", (("Queue", queue), ("Interface", interface)))


def queue_pause(interface: str, paused: bool, reason: str = "", queue: str = "") -> AmiAction:
    """Pause a member in one queue, or in every queue it is in; or end its pause."""
    headers = (("Interface", interface), ("Paused", _truth(paused)))
    return AmiAction("QueuePause", headers + _given(Queue=queue, Reason=reason))


def queue_penalty(queue: str, interface: str, penalty: int) -> AmiAction:
    """Change a member's penalty (1.6 and later)."""
    return AmiAction("QueuePenalty", (("Queue", queue), ("Interface", interface), ("Penalty", str(penalty))))


def originate(
    channel: str, context: str, exten: str, priority: int = 1, *, timeout: float = 30.0, uniqueid: str = ""
) -> AmiAction:
    """Ring `channel` for at most `timeout` seconds, then send it to an extension.

    `uniqueid`: what the new channel is to be known by; Asterisk 12 and later do so, others ignore it.

    The response only says that the call is queued (but from 11 on it refuses at once an extension that is not
    there); an OriginateResponse event tells the result.
    """
    headers = (
        ("Channel", channel),
        ("Context", context),
        ("Exten", exten),
        ("Priority", str(priority)),
        ("Timeout", str(int(timeout * 1000))),
        # Else one session thread of Asterisk waits for the phone and says nothing meanwhile: no event, no
        # response to anything (action_originate, all versions).
        ("Async", "true"),
    )
    return AmiAction("Originate", headers + _given(ChannelId=uniqueid))


def hangup(channel: str) -> AmiAction:
    """Hang up a channel."""
    return AmiAction("Hangup", (("Channel", channel),))


def redirect(channel: str, context: str, exten: str, priority: int = 1) -> AmiAction:
    """Send a channel to an extension: a blind transfer.

    Asterisk 16 and 22 answer Success also where the extension does not exist, and end the call: ask
    `show_dialplan` first.
    """
    headers = (("Channel", channel), ("Context", context), ("Exten", exten), ("Priority", str(priority)))
    return AmiAction("Redirect", headers)


def attended_transfer(channel: str, context: str, exten: str) -> AmiAction:
    """Have a channel call an extension while whom it talked to waits (class `call`, from 1.8 on).

    Asterisk acts as if the phone had pressed the feature code `atxfer` and the number (manager.c,
    action_atxfer): so only where features.conf has that code and Dial's or Queue's options allow it to this
    end, else the other one hears the tones. The response comes before anything is done.

    To go back, hang up what the channel is connected with meanwhile: there is an action CancelAtxfer, but it
    presses keys, too. Those may come to nothing while Asterisk joins the channels, and where no transfer is
    under way they may end the call (Asterisk 16 and 22).
    """
    headers = (("Channel", channel), ("Context", context), ("Exten", exten), ("Priority", "1"))
    return AmiAction("Atxfer", headers)


def bridge(channel1: str, channel2: str) -> AmiAction:
    """Connect two channels, which leave whom they were connected with (class `call`, from 1.6 on)."""
    return AmiAction("Bridge", (("Channel1", channel1), ("Channel2", channel2), ("Tone", "no")))


def pjsip_notify(channel: str, event: str) -> AmiAction:
    """Send the phone of chan_pjsip a NOTIFY inside its call (class `system`, module res_pjsip_notify).

    Asterisk 16.28 and 22 know `Channel`, older ones ask for an endpoint, which would be outside the call. An
    Error `Channel not found` if there is none; the response comes before the phone has answered the NOTIFY.
    """
    return AmiAction("PJSIPNotify", (("Channel", channel), ("Variable", f"Event={event}")))


def sip_notify(peer: str, call_id: str, event: str) -> AmiAction:
    """Send the phone of chan_sip a NOTIFY inside the call with this Call-ID (class `system`; seen in 16).

    An Error `Call-ID not found` if there is none. `peer` has to be there and decides nothing.
    """
    return AmiAction("SIPnotify", (("Channel", peer), ("Call-ID", call_id), ("Variable", f"Event={event}")))


def show_dialplan(context: str, exten: str = "") -> AmiAction:
    """List what a context has for a number, patterns and includes counted; without a number all of it.

    From 1.6 on, class `config` or `reporting`. An Error says that there is nothing: `Did not find extension
    ...` or `Did not find context ...`. It comes after the list where that is not empty, so for a context
    with a `switch`, which is listed, and whose numbers are known to nobody (pbx.c, manager_show_dialplan).
    """
    return AmiAction(
        "ShowDialPlan", (("Context", context), *_given(Extension=exten)), list_end="ShowDialPlanComplete"
    )


def _given(**headers: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in headers.items() if value)


def _truth(value: bool) -> str:
    return "true" if value else "false"
