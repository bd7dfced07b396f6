"""Checks of single values, by the code that the server uses, as Django's validators."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError

from configurator.checks.translation import lazy_form_sentence
from schemas.configuration import formats


def _refuse(check: Callable[[str], str], value: str) -> None:
    wrong = check(value)
    if wrong:
        raise ValidationError(lazy_form_sentence(wrong))


def validate_name(value: str) -> None:
    """A name for people."""
    _refuse(formats.check_name, value)


def validate_word(value: str) -> None:
    """A name without blanks."""
    _refuse(formats.check_word, value)


def validate_reason(value: str) -> None:
    """A pause reason: END is the protocol's own word."""
    _refuse(formats.check_name, value)
    if value.upper() == "END":
        raise ValidationError(lazy_form_sentence("END ends the list of reasons: choose another word"))


def validate_dialplan_word(value: str) -> None:
    """A context or a queue."""
    _refuse(formats.check_dialplan_word, value)


def validate_variable(value: str) -> None:
    """A dialplan variable."""
    _refuse(formats.check_variable, value)


def validate_extension(value: str) -> None:
    """A phone as Asterisk's device."""
    _refuse(formats.check_extension, value)


def validate_interface(value: str) -> None:
    """A queue member."""
    _refuse(formats.check_interface, value)


def validate_state_interface(value: str) -> None:
    """A device with a state."""
    _refuse(formats.check_state_interface, value)


def validate_mac(value: str) -> None:
    """A MAC address."""
    _refuse(formats.check_mac, value)


def validate_address(value: str) -> None:
    """A single IP address."""
    _refuse(formats.check_address, value)


def validate_text(value: str) -> None:
    """Any text on one line."""
    _refuse(formats.check_text, value)
