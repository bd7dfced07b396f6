"""`configurator.ini` in the data directory: mail for lost passwords, second factor. Standard library only.

[mail]
host = smtp.example.com
port = 587
user = astcti
password = ...
encryption = starttls        ; or tls, or none
from = AsteriskCTI <cti@example.com>
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any


class MailSettingsError(ValueError):
    """The file says something that makes no sense; the text says what."""


def read_mail_settings(path: Path) -> dict[str, Any]:
    """Return Django's settings for mail; without a host there is none. Raises MailSettingsError."""
    try:
        parser = parse_settings(path)
        mail = parser["mail"] if parser.has_section("mail") else None
        if mail is None or not mail.get("host"):
            return {"EMAIL_HOST": "", "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
        port = mail.get("port", "587")
    except OSError as error:
        raise MailSettingsError(f"{path}: {error.strerror}") from None
    except (configparser.Error, ValueError, UnicodeDecodeError) as error:
        raise MailSettingsError(f"{path}: {error}") from None
    if not re.fullmatch("[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise MailSettingsError(f"{path}: port is a number from 1 to 65535, not {port[:20]!r}")
    encryption = mail.get("encryption", "starttls")
    if encryption not in ("starttls", "tls", "none"):
        raise MailSettingsError(f"{path}: encryption is starttls, tls or none, not {encryption!r}")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": mail["host"],
        "EMAIL_PORT": int(port),
        "EMAIL_HOST_USER": mail.get("user", ""),
        "EMAIL_HOST_PASSWORD": mail.get("password", ""),
        "EMAIL_USE_TLS": encryption == "starttls",
        "EMAIL_USE_SSL": encryption == "tls",
        "EMAIL_TIMEOUT": 15,
        "DEFAULT_FROM_EMAIL": mail.get("from", "astcti@localhost"),
    }


def read_second_factor(path: Path, installed: bool) -> frozenset[str]:
    """The roles whose users have to log in with a code of an app, too. MailSettingsError.

    [login]
    second-factor = administrators      ; or nobody, the default, or everybody
    """
    try:
        wanted = parse_settings(path).get("login", "second-factor", fallback="nobody")
    except (OSError, configparser.Error, ValueError) as error:
        raise MailSettingsError(f"{path}: {error}") from None
    roles = {
        "nobody": frozenset[str](),
        "administrators": frozenset({"administrator"}),
        "everybody": frozenset({"administrator", "supervisor", "viewer"}),
    }
    if wanted not in roles:
        raise MailSettingsError(
            f"{path}: second-factor is nobody, administrators or everybody, not {wanted[:40]!r}"
        )
    if roles[wanted] and not installed:
        raise MailSettingsError(
            f"{path}: second-factor needs packages: pip install 'asteriskcti[two-factor]'"
        )
    return roles[wanted]


def parse_settings(path: Path) -> configparser.ConfigParser:
    """The file's sections; none where there is no file. OSError, configparser.Error, UnicodeDecodeError."""
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    if path.exists():
        parser.read_string(path.read_text(encoding="utf-8-sig"), str(path))
    return parser
