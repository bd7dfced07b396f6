"""What is wrong with files beyond what is in them: who can read them, and how old a certificate is.

Standard library only. Any thread that may wait for a disk.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

RENEW_WITHIN = 30 * 86400.0
"""Seconds before its end in which a certificate is to be renewed."""

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


def open_to_others(path: Path, what: str) -> str:
    """Say that users other than owner and group can get at a file with `what` in it; empty if they cannot.

    They need a way through every directory above it, by the name given and by that of a link's target.
    """
    try:
        mode = path.stat().st_mode
        folders = {*path.absolute().parents, *path.resolve().parents}
        if not mode & 0o006 or not all(folder.stat().st_mode & 0o001 for folder in folders):
            return ""
    except OSError:
        return ""
    verb = "change" if mode & 0o002 else "read"
    return f"every user of this machine can {verb} {path}, which has {what} in it: chmod o-rwx {path}"


def unusable_pair(certificate: Path, key: Path) -> str:
    """Say why a certificate and its key cannot be used, as files that can be read; empty if they can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _KeyPasswordError:
        return f"the key {key} is protected by a password, and nobody is there to type it"
    except ssl.SSLError as error:
        return refused_pair(certificate, key, error)
    except (OSError, ValueError):
        return ""  # it cannot be read, which is said elsewhere
    return ""


def refused_pair(certificate: Path | str, key: Path | str, error: ssl.SSLError) -> str:
    """In words why OpenSSL did not take a certificate with its key."""
    reason = error.reason or "one of them is no PEM file of its kind"
    return f"{certificate} and {key} cannot be used together: {reason}"


def unusable_authority(file: Path) -> str:
    """Say why no certificate can be checked with a file of authorities; empty if some can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        return f"{file} has no certificate to check others with: {error.reason or error}"
    except (OSError, ValueError):
        return ""
    return ""


class _KeyPasswordError(Exception):
    """OpenSSL asked for the password of a key."""


def _no_password() -> str:
    raise _KeyPasswordError


def expiring_certificate(certificate: Path, key: Path, clock: Callable[[], float] = time.time) -> str:
    """Say that a certificate has expired or will within 30 days; empty if not, or if it cannot be told.

    `clock` tells seconds since 1970.
    """
    try:
        until = _end_of(certificate, key)
    except ssl.SSLCertVerificationError as error:
        return f"the certificate {certificate} has expired: renew it" if error.verify_code == _EXPIRED else ""
    except (OSError, ValueError):  # SSLError is an OSError; who starts with these files says what is wrong
        return ""
    return _words(f"the certificate {certificate}", until, clock()) if until is not None else ""


def expiring_authority(file: Path, clock: Callable[[], float] = time.time) -> str:
    """The same of a file with certificates of authorities: when the last of them ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file)
    except (OSError, ValueError):
        return ""
    ends = [ssl.cert_time_to_seconds(str(found["notAfter"])) for found in context.get_ca_certs()]
    return _words(f"the certificate {file}", max(ends), clock()) if ends else ""


def _words(what: str, until: float, now: float) -> str:
    day = datetime.fromtimestamp(until, UTC).date().isoformat()
    if until <= now:
        return f"{what} expired on {day}: renew it"
    if until - now <= RENEW_WITHIN:
        return f"{what} expires on {day}, in {int((until - now) // 86400)} days: renew it"
    return ""


def _end_of(certificate: Path, key: Path) -> float | None:
    """Return when a certificate ends, as a client of this very certificate hears it in a handshake.

    The standard library tells what is in a certificate of the other end only, so both ends are played here.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key, password=lambda: "")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it vouches for itself, whoever has signed it
    found = _CERTIFICATE.search(certificate.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        return None
    client.load_verify_locations(cadata=found[0])
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True))
    for _ in range(4):  # more than a handshake has turns
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    peer = ends[0].getpeercert()
    return ssl.cert_time_to_seconds(str(peer["notAfter"])) if peer else None
