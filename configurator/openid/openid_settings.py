"""The section [openid] of `configurator.ini`: who may log in with an account of which provider.

Standard library only: Django's settings are made of it.
"""

from __future__ import annotations

import configparser
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from configurator.mail_settings import MailSettingsError, parse_settings
from configurator.options import OPENID_SECRET_NAME

BACKEND = "configurator.openid.backend.OpenIdBackend"
"""What Django calls the way in; each session says by which it began."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_SECRET = 4096  # bytes; also keeps a device without an end from being read

_ROLES = (("administrators", "administrator"), ("supervisors", "supervisor"), ("viewers", "viewer"))
_LOCAL_LOGIN = {
    "nobody": frozenset[str](),
    "administrators": frozenset({"administrator"}),
    "everybody": frozenset({"administrator", "supervisor", "viewer"}),
}
_KEYS = frozenset(
    {"issuer", "client-id", "client-secret-file", "name", "scopes", "user-claim", "role-claim", "algorithm"}
    | {"local-login", "ca-file"}
    | {word for word, _ in _ROLES}
)


@dataclass(frozen=True)
class OpenIdSettings:
    """One provider, and what its users may here."""

    issuer: str
    """As the provider calls itself: an https address, http on this machine alone."""
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    """What people call an account of this provider."""
    scopes: str
    user_claim: str
    """Whose value is the user id here."""
    role_claim: str
    """Whose values decide about the role; `a.b` is the member b of the claim a."""
    roles: tuple[tuple[str, frozenset[str]], ...]
    """For each role the values that mean it, the role that may most first."""
    algorithm: str
    """Of the signature of ID tokens."""
    local_login: frozenset[str]
    """The roles whose users may log in with a password, too."""
    ca_file: str
    """Certificates that the provider's is checked with; empty for the usual ones."""


def read_openid_settings(path: Path, installed: bool) -> OpenIdSettings | None:
    """What the file says; None where it has no such section. MailSettingsError says what makes no sense."""
    try:
        parser = parse_settings(path)
    except (OSError, configparser.Error, ValueError) as error:
        raise MailSettingsError(f"{path}: {error}") from None
    if not parser.has_section("openid"):
        return None
    if not installed:
        raise MailSettingsError(f"{path}: [openid] needs packages: pip install 'asteriskcti[openid]'")
    try:
        return _settings(dict(parser["openid"]), path.parent)
    except ValueError as error:
        raise MailSettingsError(f"{path}: [openid]: {error}") from None


def is_safe_address(address: str) -> bool:
    """Whether secrets may be sent there: https, or this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


def _settings(said: Mapping[str, str], directory: Path) -> OpenIdSettings:
    unknown = sorted(said.keys() - _KEYS)
    if unknown:
        raise ValueError(f"there is no setting {unknown[0][:40]!r}")
    for key in ("issuer", "client-id"):
        if not said.get(key):
            raise ValueError(f"{key} is missing")
    if not is_safe_address(said["issuer"]):
        raise ValueError("issuer is an address with https:// (http:// on this machine alone)")
    algorithm = said.get("algorithm") or "RS256"
    if not re.fullmatch("(RS|ES)(256|384|512)", algorithm):
        raise ValueError(f"algorithm is RS256, RS384, RS512, ES256, ES384 or ES512, not {algorithm[:40]!r}")
    local = said.get("local-login") or "administrators"
    if local not in _LOCAL_LOGIN:
        raise ValueError(f"local-login is nobody, administrators or everybody, not {local[:40]!r}")
    scopes = (said.get("scopes") or "openid profile email").split()
    if "openid" not in scopes:
        raise ValueError("scopes has to have openid in it")
    ca_file = said.get("ca-file", "")
    if ca_file and not (directory / ca_file).is_file():
        raise ValueError(f"ca-file: there is no file {directory / ca_file}")
    return OpenIdSettings(
        issuer=said["issuer"],
        client_id=said["client-id"],
        client_secret=_secret(directory / (said.get("client-secret-file") or OPENID_SECRET_NAME)),
        name=said.get("name") or "OpenID",
        scopes=" ".join(scopes),
        user_claim=said.get("user-claim") or "preferred_username",
        role_claim=said.get("role-claim") or "roles",
        roles=_roles(said),
        algorithm=algorithm,
        local_login=_LOCAL_LOGIN[local],
        ca_file=str(directory / ca_file) if ca_file else "",
    )


def _roles(said: Mapping[str, str]) -> tuple[tuple[str, frozenset[str]], ...]:
    found: list[tuple[str, frozenset[str]]] = []
    for word, role in _ROLES:
        values = frozenset(filter(None, (value.strip() for value in re.split("[,\n]", said.get(word, "")))))
        for other, taken in found:
            if values & taken:
                raise ValueError(f"{min(values & taken)[:40]!r} cannot mean both {other} and {role}")
        found.append((role, values))
    if not any(values for _, values in found):
        raise ValueError(f"name the values that mean a role: {', '.join(word for word, _ in _ROLES)}")
    return tuple(found)


def _secret(path: Path) -> str:
    """The client's secret, of a file that nobody else may read. ValueError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(f"client-secret-file: {path} is no file")
            if os.name == "posix" and status.st_mode & 0o077:
                raise ValueError(
                    f"client-secret-file: others may read or write {path} (mode"
                    f" {stat.S_IMODE(status.st_mode):o}): chmod 600 {path}"
                )
            secret = stream.read(LONGEST_SECRET).decode("utf-8").strip()
    except OSError as error:
        raise ValueError(f"client-secret-file: {path}: {error.strerror}") from None
    if not secret:
        raise ValueError(f"client-secret-file: {path} is empty")
    return secret
