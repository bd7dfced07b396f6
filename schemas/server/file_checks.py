"""What is wrong with files beyond what is in them: who can read them, and how old a certificate is.

Standard library only. Any thread that may wait for a disk.
"""

from __future__ import annotations

import errno
import re
import ssl
import stat
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

RENEW_WITHIN = 30 * 86400.0
"""Seconds before its end in which a certificate is to be renewed."""

MOST_OF_A_CERTIFICATE = 1024 * 1024
"""Bytes; with a whole chain it has a few thousand."""

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME (x509_vfy.h); Python has no name for it


class Validity(NamedTuple):
    """From when to when a certificate is valid, in seconds since 1970."""

    begin: float
    end: float


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a file that somebody names. OSError if it is none, cannot be read or has more than `most`.

    A device may have no end, and a pipe may never say anything.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is a device, a pipe or a directory", str(path))
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


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
    if not _are_files(certificate, key):
        return ""  # which is said elsewhere
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _KeyPasswordError:
        return f"the key {key} is protected by a password, and nobody is there to type it"
    except ssl.SSLError as error:
        return refused_pair(certificate, key, error)
    except (OSError, ValueError):
        return ""
    return ""


def refused_pair(certificate: Path | str, key: Path | str, error: ssl.SSLError) -> str:
    """In words why OpenSSL did not take a certificate with its key."""
    reason = error.reason or "one of them is no PEM file of its kind"
    return f"{certificate} and {key} cannot be used together: {reason}"


def unusable_authority(file: Path) -> str:
    """Say why no certificate can be checked with a file of authorities; empty if some can."""
    if not _are_files(file):
        return ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        return f"{file} has no certificate to check others with: {error.reason or error}"
    except (OSError, ValueError):
        return ""
    return ""


def _are_files(*files: Path) -> bool:
    """Whether they are files that can be read: OpenSSL would read a device or a pipe without an end."""
    try:
        for file in files:
            read_regular(file, MOST_OF_A_CERTIFICATE)
    except (OSError, ValueError):
        return False
    return True


class _KeyPasswordError(Exception):
    """OpenSSL asked for the password of a key."""


def _no_password() -> str:
    raise _KeyPasswordError


def expiring_certificate(certificate: Path, key: Path, clock: Callable[[], float] = time.time) -> str:
    """Say that a certificate is not valid now, or not for 30 days more; empty if it is, or nobody can tell.

    `clock` tells seconds since 1970.
    """
    found = validity_of(certificate, key)
    return validity_in_words(f"the certificate {certificate}", found, clock()) if found is not None else ""


def expiring_authority(file: Path, clock: Callable[[], float] = time.time) -> str:
    """The same of a file with certificates of authorities: when the last of them ends."""
    if not _are_files(file):
        return ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file)
    except (OSError, ValueError):
        return ""
    found = [_validity(certificate) for certificate in context.get_ca_certs()]
    if not found:
        return ""
    longest = max(found, key=lambda validity: validity.end)
    return validity_in_words(f"the certificate {file}", longest, clock())


def validity_in_words(what: str, validity: Validity, now: float) -> str:
    """Say that a certificate is not valid now, or not for long any more; empty if it is."""
    begin, end = (datetime.fromtimestamp(moment, UTC).date().isoformat() for moment in validity)
    if validity.end <= now:
        return f"{what} expired on {end}: renew it"
    if validity.begin > now:
        return (
            f"{what} is not valid before {begin}: wait, make another one, or set this machine's clock right"
        )
    if validity.end - now <= RENEW_WITHIN:
        return f"{what} expires on {end}, in {int((validity.end - now) // 86400)} days: renew it"
    return ""


def validity_of(certificate: Path, key: Path) -> Validity | None:
    """Return when a certificate is valid; None if it cannot be told.

    The standard library tells what is in a certificate of the other end only, so both ends of a handshake are
    played here. The client is told to accept whatever time it is.
    """
    if not _are_files(certificate, key):
        return None
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    # It vouches for itself, whoever has signed it.
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    try:
        server.load_cert_chain(certificate, key, password=lambda: "")
        found = _CERTIFICATE.search(certificate.read_text(encoding="utf-8", errors="replace"))
        if found is None:
            return None
        client.load_verify_locations(cadata=found[0])
        peer = _heard_in_a_handshake(server, client)
    except (OSError, ValueError):  # SSLError is an OSError; who starts with these files says what is wrong
        return None
    return _validity(peer) if peer else None


def _validity(certificate: Mapping[str, object]) -> Validity:
    """What `ssl` tells of a certificate."""
    return Validity(*(ssl.cert_time_to_seconds(str(certificate[name])) for name in ("notBefore", "notAfter")))


def _heard_in_a_handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> Mapping[str, object] | None:
    """What a client hears of the server's certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True))
    for _ in range(4):  # more than a handshake has turns
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[0].getpeercert()
