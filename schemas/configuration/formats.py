"""Checks the shape of single values of the configuration. Standard library only, pure.

Each function returns what is wrong with a value, in plain words, or an empty string. Values go into AMI
actions and into lines of the client protocol, so none may hold a control character and some no blank.
"""

from __future__ import annotations

import ipaddress
import re

from schemas import mac_address
from schemas.sentences import said

LONGEST_NAME = 200
LONGEST_TEXT = 4096

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""Characters that would end a line, or that XML cannot hold."""
_BREAKS_ALLOWED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_WORD_BREAKERS = re.compile(r"[\s,|&;\"]")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_EXTENSION = re.compile(r"[A-Za-z][A-Za-z0-9]*/[A-Za-z0-9_.@+:*#-]+")
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9]*/[^\s,|&;\"]+")
_STATE_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9]*[:/][^\s,|&;\"]+")
_TECHNOLOGIES = {
    name.upper(): name
    for name in (
        "SIP",
        "PJSIP",
        "IAX2",
        "DAHDI",
        "Zap",
        "SCCP",
        "Skinny",
        "MGCP",
        "H323",
        "OOH323",
        "UNISTIM",
        "Local",
        "Console",
        "Agent",
        "Motif",
        "Dongle",
        "Khomp",
        "mISDN",
        "CAPI",
    )
}


def check_name(text: str) -> str:
    """A name for people: services, operators, pause reasons."""
    if not text:
        return said("is empty")
    if CONTROL.search(text):
        return said("contains a line break or another control character")
    return said("is longer than {most} characters", most=LONGEST_NAME) if len(text) > LONGEST_NAME else ""


def check_word(text: str) -> str:
    """A name that stands among others in a line of the protocol: contexts, queues, user names."""
    wrong = check_name(text)
    if wrong:
        return wrong
    if any(character.isspace() for character in text):
        return said("contains a blank")
    return ""


def check_dialplan_word(text: str) -> str:
    """A context or a queue as Asterisk names it. Asterisk allows blanks; a line of the protocol does not."""
    wrong = check_name(text)
    if not wrong and any(character.isspace() for character in text):
        return said(
            "contains a blank: rename it in Asterisk's files (queues.conf, the dialplan), "
            "for example to {name}",
            name="_".join(text.split()),
        )
    if not wrong and _WORD_BREAKERS.search(text):
        return said("contains one of , | & ; \" which no name of Asterisk's configuration has")
    return wrong


def check_variable(text: str) -> str:
    """A dialplan variable's name, without the underscores that make it inherited."""
    if text.startswith("_"):
        return said("begins with an underscore: write the name as it reads after inheritance, without any")
    if not text or not _VARIABLE.fullmatch(text) or len(text) > LONGEST_NAME:
        return said("is no name of a dialplan variable (letters, digits, _ . - and a letter first)")
    return ""


def check_extension(text: str) -> str:
    """A phone as Asterisk's device."""
    if not _EXTENSION.fullmatch(text) or len(text) > LONGEST_NAME:
        return said("has to be Asterisk's device, technology/name, such as PJSIP/201")
    return _technology(text)


def check_interface(text: str) -> str:
    """A queue member's interface."""
    if not _INTERFACE.fullmatch(text) or len(text) > LONGEST_NAME or CONTROL.search(text):
        return said("has to be a queue member as Asterisk writes it, such as PJSIP/201 or Local/201@agents/n")
    return _technology(text)


def check_state_interface(text: str) -> str:
    """The device whose state decides whether a queue member is free."""
    if not _STATE_INTERFACE.fullmatch(text) or len(text) > LONGEST_NAME or CONTROL.search(text):
        return said("has to be a device as Asterisk writes it, such as PJSIP/201 or hint:201@phones")
    return _technology(text)


def check_mac(text: str) -> str:
    """A seat's MAC address."""
    try:
        mac_address.canonical(text)
    except ValueError as error:
        return said("is wrong: {reason}", reason=error.args[0])
    return ""


def check_address(text: str) -> str:
    """An IP address, written out."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return said("has to be a single IP address, such as 192.0.2.10")
    return ""


def check_lines(text: str) -> str:
    """A text that may be written over several lines: an application's parameters."""
    if _BREAKS_ALLOWED.search(text):
        return said("contains a control character")
    return said("is longer than {most} characters", most=LONGEST_TEXT) if len(text) > LONGEST_TEXT else ""


def check_text(value: str) -> str:
    """Any other text; may be empty."""
    if CONTROL.search(value):
        return said("contains a line break or another control character")
    return said("is longer than {most} characters", most=LONGEST_TEXT) if len(value) > LONGEST_TEXT else ""


def is_batch_file(application: str) -> bool:
    """Tell whether Windows hands this program to a shell, whatever blanks, dots or streams end its name."""
    last = re.split(r"[\\/]", application)[-1]
    return any(part.rstrip(' ."').lower().endswith((".bat", ".cmd")) for part in last.split(":"))


def _technology(device: str) -> str:
    technology = re.split("[/:]", device, maxsplit=1)[0]
    usual = _TECHNOLOGIES.get(technology.upper(), technology)
    if usual != technology:
        written = f"{usual}{device[len(technology) :]}"
        return said("has to be written as Asterisk does, {device}", device=written)
    return ""
