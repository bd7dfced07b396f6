"""What is uploaded to the Configurator, or given to its command, and what asks its server for figures."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random

from schemas.configuration import xml_form
from schemas.problems import ConfigurationError
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets import configuration, manager
from tests.fuzz.targets.kept_files import folder

SEATS = (
    b"mac,extension,description,address\n00:11:22:33:44:55,PJSIP/201,First row,\n00-11-22-33-44-66,SIP/202,,192.0.2.7\n",
    "\ufeffMAC;Extension;queue_interface\n001122334477;PJSIP/203;Local/203@a/n\n".encode(),
    b'mac,extension\n"00:11:22:33:44:55","PJSIP/2\n01"\n\n,\nx\n',
)
OPERATORS = (
    b"username,full-name,password,seat,begin-in-pause,enabled\n"
    b"mario,Mario Rossi,md5:098f6bcd4621d373cade4e832627b4f6,00:11:22:33:44:01,no,yes\nanna,Anna,,,1,0\n",
    "username;full-name;password;scram\nluca;Luc\u00e0;md5:098f6bcd4621d373cade4e832627b4f6;200000:a:b:c\n".encode(),
    b"username,full-name,password\na,b,secret\nat-PJSIP/201,c,scrypt:14:8:1:a:b\n",
)
CSV_TOKENS = (
    *(
        b",",
        b";",
        b'"',
        b'""',
        b"\n",
        b"\r",
        b"md5:",
        b"scrypt:14:8:1:",
        b"00:11:22:33:44:55",
        b"PJSIP/201",
        b"yes",
        b"no",
    ),
    *(
        b"mac",
        b"extension",
        b"username",
        b"full-name",
        b"password",
        b"scram",
        b"seat",
        b"enabled",
        b"at-PJSIP/201",
    ),
)


def _django() -> None:
    """The application on a database of this process, with the entries of a small office."""
    from configurator.commands import data_directory
    from configurator.options import Options

    directory = folder()
    data_directory.set_up(Options(directory, publish=directory))

    from configurator.publishing import working_copy

    with working_copy.writing():
        working_copy.replace_all(manager.CONFIGURATION)


def _csv(kind: str) -> Callable[[], Attempt]:
    def prepare() -> Attempt:
        _django()
        from configurator.importing import csv_file, csv_import
        from configurator.publishing import working_copy

        def attempt(data: bytes) -> str:
            file = csv_file.read_csv(kind, data, store=False)
            with working_copy.writing():
                found = csv_import.import_csv(file, store=False)
            for bad in found.bad:
                if len(bad.message) > 2000 or not 0 <= bad.line <= data.count(b"\n") + data.count(b"\r") + 2:
                    raise Broken(f"line {bad.line}: {bad.message[:200]!r}")
            return "bad rows" if found.bad else "good rows" if found.good else "no rows"

        return attempt

    return prepare


def _upload() -> Attempt:
    """A file of either form, as its page does it, up to the differences that it shows."""
    _django()
    from django.core.files.uploadedfile import SimpleUploadedFile

    from configurator.checks.translation import translated_for_file
    from configurator.publishing import differences, working_copy
    from configurator.views.imports import read_upload

    def attempt(data: bytes) -> str:
        try:
            wanted = read_upload(SimpleUploadedFile("../x", data))
        except ConfigurationError as error:
            for problem in error.problems:
                translated_for_file(problem.message)
            return "problems"
        with working_copy.writing():
            differences.between(working_copy.configuration(), wanted)
        return "valid"

    return attempt


def _upload_seeds() -> list[bytes]:
    return [
        xml_form.dump_xml(manager.CONFIGURATION),
        *configuration.xml_seeds(),
        *configuration.database_seeds(),
    ]


def _grow_upload(random: Random) -> bytes:
    if random.random() < 0.2:
        return configuration.grow_database(random)
    return configuration.grow_xml(random)


# -- figures

REQUESTS = (
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain;version=0.0.4\r\n\r\n",
    b"HEAD /health/ready HTTP/1.0\r\n\r\n",
    b"GET /metrics?name[]=a%00&name[]=b HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip;q=0\r\nAccept: application/openmetrics-text;"
    b" version=1.0.0; escaping=allow-utf-8\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    b"GET http://u:p@h/%2e%2e/health/live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
)
HTTP_TOKENS = (
    *(
        b"GET ",
        b"HEAD ",
        b"/metrics",
        b"/health/live",
        b"?name[]=",
        b" HTTP/1.1\r\n",
        b"Host: ",
        b"Accept: ",
        b"Accept-Encoding: ",
    ),
    *(
        b"Content-Length: ",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: ",
        b";q=",
        b"%ff",
        b"//",
    ),
    *(
        b"application/openmetrics-text; version=1.0.0; escaping=values",
        b"X-Forwarded-For: 1\r\n",
        b"\r\n\r\n",
        b"\r\n ",
    ),
)


def _figures() -> Attempt:
    """What waitress makes of a request, and what is answered; only the socket is missing."""
    from prometheus_client import CollectorRegistry
    from waitress.adjustments import Adjustments

    from astcti_server.metrics.web_server import MetricsServer
    from schemas.server.settings import MetricsSettings
    from schemas.web.http_requests import QuickRequestParser

    server = MetricsServer(
        MetricsSettings("127.0.0.1", 0), CollectorRegistry(), dead=dict, not_ready=lambda: {"pbx": "down"}
    )
    adjustments = Adjustments(max_request_header_size=16384, max_request_body_size=1024)

    def attempt(data: bytes) -> str:
        parser = QuickRequestParser(adjustments)
        while data and not parser.completed:
            try:
                taken = parser.received(data)
            except ValueError:  # of an address that is none: waitress closes the connection, and says so once
                return "closed by waitress"
            data = data[taken:]
            if not taken:
                break
        if not parser.completed:
            return "not complete"
        if parser.empty:
            return "empty"
        if parser.error is not None:
            return f"refused: {parser.error.code}"
        environ = {
            "REQUEST_METHOD": parser.command.upper(),
            "PATH_INFO": parser.path,
            "QUERY_STRING": parser.query,
            "wsgi.input": io.BytesIO(),
            **{f"HTTP_{name}": value for name, value in parser.headers.items()},
        }
        said: list[str] = []

        def start(status: str, *_: object) -> Callable[[bytes], object]:
            said.append(status)
            return lambda _data: None

        body = b"".join(server.answer(environ, start))
        if len(said) != 1 or len(body) > 1 << 20:
            raise Broken(f"{said} and {len(body)} bytes")
        return said[0]

    return attempt


TARGETS = (
    FuzzTarget(
        "import-seats",
        "CSV of seats, uploaded to the Configurator",
        _csv("seats"),
        lambda: SEATS,
        tokens=CSV_TOKENS,
        longest=16384,
    ),
    FuzzTarget(
        "import-operators",
        "CSV of operators, uploaded to the Configurator",
        _csv("operators"),
        lambda: OPERATORS,
        tokens=CSV_TOKENS,
        longest=16384,
    ),
    FuzzTarget(
        "import-configuration",
        "a configuration uploaded to the Configurator, XML or SQLite",
        _upload,
        _upload_seeds,
        tokens=configuration.XML_TOKENS,
        grow=_grow_upload,
        longest=262144,
    ),
    FuzzTarget(
        "metrics-requests",
        "HTTP requests to the figures' address",
        _figures,
        lambda: REQUESTS,
        tokens=HTTP_TOKENS,
        longest=8192,
    ),
)
