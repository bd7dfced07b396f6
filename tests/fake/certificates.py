"""Certificates made for a test, signed by themselves. Needs the program openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.fake.patience import PATIENCE


def make_certificate(
    directory: Path, name: str = "server", *more: str, subjects: str = "DNS:localhost", days: int = 2
) -> tuple[Path, Path]:
    """A new `name`.crt with its `name`.key for localhost, in place of one that is there.

    `more` are further arguments of `openssl req`.
    """
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    names = ["-days", str(days), "-subj", "/CN=localhost", "-addext", f"subjectAltName={subjects}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    arguments = [*command.split(), *names, *files, *more]
    subprocess.run(arguments, check=True, capture_output=True, timeout=PATIENCE)
    return certificate, key
