"""What is wrong with the connection, in plain words of the user's language. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from astcti_client.net.messages import ConnectionState, Protection
from astcti_client.ui.i18n import _
from astcti_client.ui.text.words import displayable, server_reason
from schemas.protocol import ByeReason, Refusal

_Say = Callable[[re.Match[str]], str]


def _refused(reason: str) -> str:
    if reason == Refusal.WRONG_PASSWORD.text():
        return _("User name or password are wrong.")
    return _("The server refused the log-in: {reason}").format(reason=server_reason(reason))


def _because(sentence: str, reason: str | None) -> str:
    """The sentence, with what the server said about it, if it said anything."""
    return f"{sentence.removesuffix('.')}: {server_reason(reason)}" if reason else sentence


def _of_the_way() -> list[tuple[str, _Say]]:
    """What hinders the client to reach a server, and how to say it here."""
    return [
        (
            r"the name (\S+) is not known",
            lambda m: _("There is no server named {name}. Check the address.").format(name=m[1]),
        ),
        (
            r"(\S+) refuses connections",
            lambda m: _("No AsteriskCTI server answers at {where}. Check address and port.").format(
                where=m[1]
            ),
        ),
        (
            r"(\S+) (does not answer|cannot be reached)(?! in TLS)",
            lambda m: _("{where} cannot be reached. Check the address and the network.").format(where=m[1]),
        ),
    ]


def _of_the_encryption() -> list[tuple[str, _Say]]:
    return [
        (
            r"the connection to (\S+) would not be encrypted",
            lambda m: _(
                "The connection to {where} would not be encrypted: others could read your password. Use "
                "encryption (TLS), or ask your administrator whether this network may do without."
            ).format(where=m[1]),
        ),
        (
            r"the certificate of (\S+) is not for",
            lambda m: _(
                "The certificate of {where} is for another name. If it is the right server, ask your "
                "administrator for the server's name in its certificate."
            ).format(where=m[1]),
        ),
        (
            r"the certificate of (\S+) is not trusted",
            lambda m: _(
                "The certificate of {where} is not trusted. If it is the right server, choose the file with "
                "the certificate that your administrator gave you."
            ).format(where=m[1]),
        ),
        (
            r"\S+ does not answer in TLS",
            lambda m: _(
                "The server is there but does not answer. It may be waiting for the telephone system. "
                "If this goes on, ask your administrator whether it speaks TLS at this port."
            ),
        ),
        (
            r"\S+ does not speak TLS",
            lambda m: _(
                "The server does not speak TLS at this port: switch encryption off, or correct the port."
            ),
        ),
        (
            r"connected, but the server says nothing",
            lambda m: _(
                "The server is there but says nothing. It may be waiting for the telephone system. "
                "If this goes on, ask your administrator whether it wants encryption (TLS)."
            ),
        ),
    ]


def _of_the_server() -> list[tuple[str, _Say]]:
    return [
        (
            r"what answers there is not an AsteriskCTI server",
            lambda m: _("What answers there is not an AsteriskCTI server. Check address and port."),
        ),
        (r"ca-file", lambda m: _("The certificate file cannot be used.")),
        (r"the server refused the log-in of .*?: (.*)", lambda m: _refused(m[1])),
        (
            r"not logged in at (\S+): the server took this log-in by SCRAM before",
            lambda m: _(
                "Your password was not sent: {where} used to log you in without it, and no longer does. "
                "Somebody may be in between. Ask your administrator."
            ).format(where=m[1]),
        ),
        (
            r"not logged in at (\S+): the server('s part of SCRAM| did not prove)",
            lambda m: _(
                "{where} could not prove that it is your server: somebody may be in its place. "
                "Ask your administrator."
            ).format(where=m[1]),
        ),
        (
            r"the server turned this client away: (.*)",
            lambda m: _because(_("The server does not take this client."), m[1]),
        ),
        (r"the server closed the connection", lambda m: _("The server closed the connection.")),
        (r"the server does not answer", lambda m: _("The server does not answer.")),
        (r"the connection broke", lambda m: _("The connection was lost.")),
    ]


def _of_the_end() -> list[tuple[str, _Say]]:
    """How the server ended a session that went well."""
    return [
        (
            r"somebody logged in as the same operator or on the same seat(?:: (.*))?",
            lambda m: _because(
                _("Somebody logged in with your user name or at your seat, so this client was logged out."),
                m[1],
            ),
        ),
        (
            rf"this operator was disabled or removed: {Refusal.LOGGED_OUT_BY_ADMINISTRATOR.value}",
            lambda m: _("An administrator logged you out."),
        ),
        (
            r"this operator was disabled or removed(?:: (.*))?",
            lambda m: _because(_("Your operator account was disabled."), m[1]),
        ),
        (rf"the server ended the session: {ByeReason.SHUTDOWN}", lambda m: _("The server was stopped.")),
        (
            rf"the server ended the session: {ByeReason.CONFIG}(?: (.*))?",
            lambda m: _because(_("Your account or seat was changed on the server."), m[1]),
        ),
    ]


def protection_text(protection: Protection | Literal[""]) -> str:
    """What the connection does not keep from others; empty if that is nothing."""
    programs = _("Programs of calls are started only if the settings list them.")
    match protection:
        case "plain":
            text = _("The connection is not encrypted: others on the network can read your calls.")
        case "unverified":
            text = _("The server's certificate is not checked: others may pose as the server.")
        case _:
            return ""
    return f"{text} {programs}"


def problem_text(state: ConnectionState) -> str:
    """Why there is no connection, in plain words; empty if nothing is wrong."""
    if state.phase not in ("waiting", "ended") or state.ending == "stopped":
        return ""
    detail = re.sub(r"; next attempt in [\d.]+ s$", "", state.detail)
    for pattern, say in (*_of_the_way(), *_of_the_encryption(), *_of_the_server(), *_of_the_end()):
        if found := re.match(pattern, detail):
            return say(found)
    return displayable(detail)
