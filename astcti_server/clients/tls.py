"""The server's side of TLS: the certificate, and what is asked of clients."""

from __future__ import annotations

import ssl
from pathlib import Path

from schemas.server.settings import ListenSettings


class CertificateError(Exception):
    """A certificate or key that cannot be used; the text names the file and says why."""


def context(listen: ListenSettings) -> ssl.SSLContext | None:
    """What handshakes need, or None where no certificate is given. Raises CertificateError."""
    if not listen.certificate:
        return None
    key = listen.key or listen.certificate
    for path in (listen.certificate, key):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise CertificateError(f"{path}: {error.strerror}") from None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION  # so a write never waits for something to read
    try:
        made.load_cert_chain(listen.certificate, key, password=_no_password)
    except ssl.SSLError as error:
        reason = error.reason or str(error)
        raise CertificateError(f"{listen.certificate} and {key} cannot be used together: {reason}") from None
    return made


def _no_password() -> str:
    raise CertificateError("the key is protected by a password, and nobody is there to type it")
