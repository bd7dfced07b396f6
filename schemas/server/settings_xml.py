"""server.xml (`server.xsd`) into `ServerSettings`. Any thread.

Names of files are relative to its directory.
"""

from __future__ import annotations

import codecs
import ipaddress
import os
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lxml import etree

from schemas import xml_reading
from schemas.configuration import formats
from schemas.problems import ConfigurationError, Problem, bounded
from schemas.server import file_checks
from schemas.server.settings import (
    AmiSettings,
    AuditSettings,
    CallSettings,
    ClientSettings,
    KeptAmiSettings,
    ListenSettings,
    LoggingSettings,
    MetricsSettings,
    OriginateSettings,
    QueueSettings,
    ServerSettings,
)
from schemas.xml_reading import ElementLines

_SCHEMA = "server.xsd"
LONGEST_SECRET = 1024
_MOST_OF_A_SECRET = 4096  # bytes
_RETRIES = re.compile(r"[0-9]{1,9}")
_THIS_MACHINE = (
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "ip6-localhost",
    "ip6-loopback",
)

_Section = TypeVar(
    "_Section",
    AmiSettings,
    ListenSettings,
    ClientSettings,
    CallSettings,
    QueueSettings,
    OriginateSettings,
    KeptAmiSettings,
    LoggingSettings,
    AuditSettings,
    MetricsSettings,
)


class CheckedSettings(NamedTuple):
    """Valid settings, and what in them is hardly meant."""

    settings: ServerSettings
    warnings: tuple[Problem, ...]


def load_settings(path: Path) -> ServerSettings:
    """Read a file. ConfigurationError with every problem in it; OSError if it cannot be read."""
    return parse_settings(path.read_bytes(), path).settings


def parse_settings(data: bytes, path: Path) -> CheckedSettings:
    """Read a file's bytes; `path` is where it stands. ConfigurationError as for `load_settings`."""
    root, schema, lines = xml_reading.read_document(data, str(path), _SCHEMA)
    reader = _Reader(root, lines, path)
    settings = reader.settings()
    mistakes = schema.mistakes(root, lines)
    known = {(mistake.line, mistake.field) for mistake in mistakes}
    problems = [Problem(str(path), mistake.line, mistake.message) for mistake in mistakes]
    found = [*reader.problems, *reader.check(settings)]
    problems += [Problem(str(path), line, text) for line, name, text in found if (line, name) not in known]
    if problems:
        raise ConfigurationError(sorted(problems, key=lambda problem: problem.line))
    warnings = bounded(Problem(str(path), line, text) for line, _, text in reader.warn(settings))
    return CheckedSettings(settings, warnings)


class _Found(NamedTuple):
    line: int
    field: str
    message: str


class _Reader:
    """Reads the tree as it is; what is wrong in it the schema says, and `check` where the schema cannot."""

    def __init__(self, root: etree._Element, lines: ElementLines, path: Path) -> None:
        self._root = root
        self._path = path
        self._directory = path.parent
        self._nodes = {str(child.tag): child for child in root}
        self._lines = {tag: lines.of(node) for tag, node in self._nodes.items()}
        self._contexts = [
            (lines.of(node), (node.text or "").strip()) for node in root.iterfind("transfer/context")
        ]
        self.problems: list[_Found] = []

    def settings(self) -> ServerSettings:
        """Read everything. Called once, before the schema sees the tree."""
        scope: Any = (self._root.get("events") or "services").strip()
        listen = self._section("listen", ListenSettings())
        return ServerSettings(
            ami=self._section("ami", AmiSettings("", self._secret(), retries=self._retries())),
            events=scope,
            listen=listen,
            clients=self._section("clients", ClientSettings()),
            calls=self._section("calls", CallSettings()),
            queues=self._section("queues", QueueSettings()),
            originate=self._section("originate", OriginateSettings()),
            transfer=tuple(context for _, context in self._contexts),
            kept_ami=self._section("kept-ami", KeptAmiSettings()),
            logging=self._section("logging", LoggingSettings()),
            audit=self._section("audit", AuditSettings()),
            metrics=self._section("metrics", MetricsSettings()) if "metrics" in self._nodes else None,
        )

    def check(self, settings: ServerSettings) -> Iterator[_Found]:
        """Say what the schema cannot know."""
        yield from self._check_ami(settings.ami)
        yield from self._check_listen(settings.listen)
        yield from self._check_emptied()
        for tag, what, file in (
            ("logging", "log", settings.logging.file),
            ("audit", "audit", settings.audit.file),
        ):
            if file:
                yield from _check_appended(self._lines.get(tag, 0), what, Path(file))
        yield from self._check_metrics(settings)
        for line, context in self._contexts:
            wrong = formats.check_dialplan_word(context)
            if wrong:
                yield _Found(line, "context", f"the context {wrong}")

    def _check_emptied(self) -> Iterator[_Found]:
        """An address that is there but empty says nothing; hardly anybody means the default by it."""
        for tag, name, default in (("ami", "host", "127.0.0.1"), ("listen", "address", "127.0.0.1")):
            node = self._nodes.get(tag)
            text = node.get(name) if node is not None else None
            if text is not None and not text.strip():
                message = f"the {name} of <{tag}> is empty: fill it in, or leave it out for {default}"
                yield _Found(self._lines[tag], name, message)

    def _check_metrics(self, settings: ServerSettings) -> Iterator[_Found]:
        metrics = settings.metrics
        if metrics is None:
            return
        line = self._lines["metrics"]
        wrong = formats.check_address(metrics.address)
        if wrong:
            yield _Found(line, "address", f"the address of <metrics> {wrong}, or 0.0.0.0 for all it has")
        if metrics.port == settings.listen.port and metrics.address == settings.listen.address:
            yield _Found(line, "port", f"clients connect to port {metrics.port}: give <metrics> another")

    def warn(self, settings: ServerSettings) -> Iterator[_Found]:
        """Say what is valid but hardly meant."""
        listen = settings.listen
        if not listen.certificate and not _is_loopback(listen.address):
            message = f"clients reach {listen.address} without TLS: others can read passwords and call data"
            yield _Found(self._lines.get("listen", 0), "plain", message)
        metrics = settings.metrics
        if metrics is not None and not _is_loopback(metrics.address):
            message = f"others reach the figures at {metrics.address}: they have no password and no TLS"
            yield _Found(self._lines["metrics"], "address", message)
        ami = settings.ami
        if not ami.tls and not _is_this_machine(ami.host):
            message = (
                f"Asterisk at {ami.host} is reached without TLS: others can read calls, take over the "
                'connection and, with auth="plain", read the secret; '
                'set tlsenable in manager.conf and tls="yes" here'
            )
            yield _Found(self._lines["ami"], "tls", message)
        if ami.ca_file and not ami.tls:
            yield _Found(self._lines["ami"], "ca-file", 'ca-file has no effect without tls="yes"')
        yield from self._warn_of_files(settings)

    def _warn_of_files(self, settings: ServerSettings) -> Iterator[_Found]:
        """Secrets that others can read, and certificates that end."""
        ami, listen = settings.ami, settings.listen
        secret_file = self._ami("secret-file").strip()
        secret = self._directory / secret_file if secret_file else self._path
        at_ami, at_listen = self._lines["ami"], self._lines.get("listen", 0)
        found = [(at_ami, "secret", file_checks.open_to_others(secret, "the manager user's secret"))]
        if ami.tls and ami.ca_file:
            found.append((at_ami, "ca-file", file_checks.expiring_authority(Path(ami.ca_file))))
        if listen.certificate and listen.key:
            certificate, key = Path(listen.certificate), Path(listen.key)
            found.append((at_listen, "key", file_checks.open_to_others(key, "the certificate's key")))
            found.append((at_listen, "certificate", file_checks.expiring_certificate(certificate, key)))
        for line, name, message in found:
            if message:
                yield _Found(line, name, message)

    def _section(self, tag: str, default: _Section) -> _Section:
        node = self._nodes.get(tag)
        if node is None:
            return default
        values: dict[str, Any] = {}
        for setting in fields(default):
            name = setting.name.replace("_", "-")
            text = (node.get(name) or "").strip()
            before = getattr(default, setting.name)
            given = bool(text) and name not in ("secret", "retries")
            values[setting.name] = _convert(text, before) if given else before
        for name in ("ca_file", "certificate", "key", "file"):
            if values.get(name):
                values[name] = str(self._directory / values[name])
        return type(default)(**values)

    def _retries(self) -> int | None:
        text = self._ami("retries").strip()
        return int(text) if _RETRIES.fullmatch(text) else None  # anything else the schema refuses

    def _ami(self, attribute: str) -> str:
        node = self._nodes.get("ami")
        return (node.get(attribute) or "") if node is not None else ""

    def _secret(self) -> str:
        secret, name, line = self._ami("secret"), self._ami("secret-file").strip(), self._lines.get("ami", 0)
        if "ami" not in self._nodes:
            return ""
        if bool(secret) == bool(name):
            message = '<ami> needs either secret="..." or secret-file="...", and only one of the two'
            self.problems.append(_Found(line, "secret", message))
            return ""
        if not name:
            return secret
        path = self._directory / name
        try:
            secret = file_checks.read_regular(path, _MOST_OF_A_SECRET).decode().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            message = f"the secret's file {path} cannot be read: {reason}"
            self.problems.append(_Found(line, "secret-file", message))
            return ""
        if not secret:
            self.problems.append(_Found(line, "secret-file", f"the secret's file {path} is empty"))
        return secret

    def _check_ami(self, ami: AmiSettings) -> Iterator[_Found]:
        line = self._lines.get("ami", 0)
        if "ami" not in self._nodes:
            return
        wrong = formats.check_word(ami.username)
        if wrong:
            yield _Found(line, "username", f"the user name of <ami> {wrong}")
        wrong = formats.check_word(ami.host)
        if wrong:
            yield _Found(line, "host", f"the host of <ami> {wrong}")
        if formats.CONTROL.search(ami.secret) or len(ami.secret) > LONGEST_SECRET:
            message = "the secret of <ami> contains a line break or another control character, or is too long"
            yield _Found(line, "secret", message)
        try:
            codecs.lookup(ami.encoding)
            "".encode(ami.encoding)
        except (LookupError, UnicodeError):
            message = f"the encoding {ami.encoding!r} of <ami> is not known: use cp1252, latin-1 or utf-8"
            yield _Found(line, "encoding", message)
        if ami.ca_file:
            yield from _check_file(line, "ca-file", ami.ca_file)
            wrong = file_checks.unusable_authority(Path(ami.ca_file)) if ami.tls else ""
            if wrong:
                yield _Found(line, "ca-file", wrong)

    def _check_listen(self, listen: ListenSettings) -> Iterator[_Found]:
        line = self._lines.get("listen", 0)
        wrong = formats.check_address(listen.address)
        if wrong:
            yield _Found(line, "address", f"the address of <listen> {wrong}, or 0.0.0.0 for all it has")
        elif not listen.certificate and not listen.plain and not _is_loopback(listen.address):
            message = (
                f"others reach {listen.address}: give certificate and key so that clients use TLS, "
                'or allow it unencrypted with plain="yes"'
            )
            yield _Found(line, "plain", message)
        if bool(listen.certificate) != bool(listen.key):
            yield _Found(line, "key", "certificate and key of <listen> belong together: give both or none")
        for name, file in (("certificate", listen.certificate), ("key", listen.key)):
            if file:
                yield from _check_file(line, name, file)
        if listen.certificate and listen.key:
            wrong = file_checks.unusable_pair(Path(listen.certificate), Path(listen.key))
            if wrong:
                yield _Found(line, "certificate", wrong)


def _check_appended(line: int, what: str, file: Path) -> Iterator[_Found]:
    """A file that could not be appended to. It is not made here: who checks may be another user."""
    folder, wrong = file.parent, ""
    try:
        if file.is_dir():
            wrong = "it is a directory"
        elif file.is_fifo() or file.is_socket():
            wrong = "it is a pipe or a socket"
        elif not folder.is_dir():
            wrong = f"there is no directory {folder}"
        elif not os.access(*((file, os.W_OK) if file.exists() else (folder, os.W_OK | os.X_OK))):
            wrong = "Permission denied"
    except OSError as error:  # a folder above it that we may not enter
        wrong = error.strerror or str(error)
    if wrong:
        yield _Found(line, "file", f"the {what} file {file} cannot be written: {wrong}")


def _check_file(line: int, name: str, file: str) -> Iterator[_Found]:
    try:
        file_checks.read_regular(Path(file), file_checks.MOST_OF_A_CERTIFICATE)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield _Found(line, name, f"{name} {file} cannot be read: {reason}")


def _convert(text: str, before: object) -> object:
    """Read a value as the type of its default; what the schema refuses stays the default."""
    try:
        if isinstance(before, bool):
            return text == "yes"
        if isinstance(before, int | float):
            return type(before)(text)
    except ValueError:
        return before
    return text


def _is_this_machine(host: str) -> bool:
    """Whether a host is this one for certain: names are not looked up here."""
    return host.lower().rstrip(".") in _THIS_MACHINE or _is_loopback(host)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
