"""The real Configurator as a process of its own, with a configuration that it took over."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from copy import copy
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, Request, build_opener

from lxml import html

from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from tests.bench.processes.server_process import PROJECT, ServerFailed
from tests.bench.processor_time import processor_time

START_WITHIN = 600.0  # seconds; the first start takes the whole configuration over
ANSWER_WITHIN = 120.0
STOP_WITHIN = 20.0
USER, PASSWORD = "bench", "correct-horse-9"
_BOUNDARY = "end-of-a-part-of-a-form"
_LISTENS = re.compile(r"Configurator: (http://\S+?)/?$", re.MULTILINE)

Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    status: int
    text: str
    milliseconds: float
    """From sending the request to the last byte of the answer."""
    processor: float
    """Milliseconds of processor time that the program used meanwhile."""


class ConfiguratorProcess:
    """A Configurator that was started; one user, who is logged in, sends one request after the other."""

    def __init__(self, folder: Path, configuration: Configuration) -> None:
        """`folder` is empty. Raises ServerFailed."""
        self.taken_over = configuration
        """What it was given last."""
        self.publish = folder / "etc"
        self.publish.mkdir()
        (self.publish / "configuration.xml").write_bytes(xml_form.dump_xml(configuration))
        self._log = folder / "log"
        places = {"--data": folder / "data", "--publish": self.publish, "--status": folder / "status.json"}
        command = [sys.executable, "-m", "configurator", "--listen", "127.0.0.1:0"]
        for option, path in places.items():
            command += [option, str(path)]
        environment = os.environ | {
            "PYTHONPATH": "",
            "PYTHONUNBUFFERED": "1",  # it says where it listens, and then no more
            "ASTCTI_CONFIGURATOR_USER": USER,
            "ASTCTI_CONFIGURATOR_PASSWORD": PASSWORD,
        }
        with self._log.open("wb") as log:
            begun = time.perf_counter()
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=PROJECT, env=environment)
        self._opener = _browser()
        try:
            self._address = self._await_address()
            self.start = time.perf_counter() - begun
            """Seconds of the first start, with which it took the configuration over."""
            self._log_in()
        except BaseException:
            self.stop()
            raise

    def another_browser(self) -> Self:
        """The same program, for a user who is logged in beside the others. Only the first one stops it."""
        other = copy(self)
        other._opener = _browser()
        other._log_in()
        return other

    def first_page(self) -> float:
        """Milliseconds of the page for publishing, to be asked for before any other."""
        return self.get("/publish/").milliseconds

    def take_over(self, configuration: Configuration, store: str) -> Answer:
        """Upload a whole configuration: `store` is `no` to look at it, then what the page says to agree."""
        answer = self.upload(xml_form.dump_xml(configuration), store)
        if store != "no":
            self.taken_over = configuration
        return answer

    def upload(self, data: bytes, store: str) -> Answer:
        """The same with a file's bytes."""
        fields = form_fields(self.get("/publish/import/").text, "what")
        fields |= {"what": "configuration", "store": store}
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
            if name != "file"
        ]
        head = 'Content-Disposition: form-data; name="file"; filename="other.xml"'
        parts.append(f"--{_BOUNDARY}\r\n{head}\r\nContent-Type: text/xml\r\n\r\n".encode())
        parts.append(data + f"\r\n--{_BOUNDARY}--\r\n".encode())
        return self._ask(
            Request(
                f"{self._address}/publish/import/",
                b"".join(parts),
                {
                    "Referer": self._address,
                    "Origin": self._address,
                    "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
                },
            )
        )

    def get(self, path: str, *, part: bool = False) -> Answer:
        """A page; `part`: as the page's script asks, for a part of it. Raises ServerFailed."""
        return self._ask(Request(self._address + path, headers={"HX-Request": "true"} if part else {}))

    def post(self, path: str, fields: Fields) -> Answer:
        """What a form sends; redirections are not followed. Raises ServerFailed."""
        return self._ask(
            Request(
                self._address + path,
                urlencode(fields).encode(),
                {"Referer": self._address, "Origin": self._address},
            )
        )

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def memory(self, line: str = "VmRSS") -> float:
        """Megabytes; `VmHWM` is the most there ever was."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = next(text for text in status.splitlines() if text.startswith(f"{line}:"))
        return int(found.split()[1]) * 1024 / 1_000_000

    @property
    def log(self) -> str:
        """The end of what it logged."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])

    def stop(self) -> None:
        """Ask it to stop; kill it if it does not."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, request: Request) -> Answer:
        before = processor_time(self.pid).total
        begun = time.perf_counter()
        try:
            with self._opener.open(request, timeout=ANSWER_WITHIN) as answer:
                status, body = answer.status, answer.read()
        except HTTPError as error:
            status, body = error.code, error.read()
        except OSError as error:
            raise ServerFailed(f"{request.full_url}: {error}\n{self.log}") from error
        taken = time.perf_counter() - begun
        used = processor_time(self.pid).total - before
        return Answer(status, body.decode(), taken * 1000, used * 1000)

    def _await_address(self) -> str:
        until = time.monotonic() + START_WITHIN
        while time.monotonic() < until and self._process.poll() is None:
            if said := _LISTENS.search(self._log.read_text(errors="replace")):
                return said[1]
            time.sleep(0.05)  # nothing but its log tells another process of it
        raise ServerFailed(f"the Configurator is not there:\n{self.log}")

    def _log_in(self) -> None:
        fields = form_fields(self.get("/login/").text, "username")
        answer = self.post("/login/", fields | {"username": USER, "password": PASSWORD})
        if answer.status != 302:
            raise ServerFailed(f"the Configurator does not let the user in ({answer.status}):\n{self.log}")


def _browser() -> OpenerDirector:
    return build_opener(HTTPCookieProcessor(CookieJar()), _Stay)


def agreement(page: str) -> str:
    """What a page that asks whether to take over wants to hear for a yes. Raises ServerFailed."""
    said = re.search(r'name="store" value="([0-9a-f]{64})"', page)
    if said is None:
        raise ServerFailed(f"a page of the Configurator asks for no agreement:\n{page[:2000]}")
    return said[1]


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Leave a redirection to whoever asked: it is an answer that is measured by itself."""


def form_fields(page: str, field: str) -> Fields:
    """What the form that has this field sends if nothing is changed. Raises ServerFailed if there is none."""
    document: Any = html.document_fromstring(page)  # lxml's stubs know no forms
    for template in document.findall(".//template"):  # of which a browser sends nothing
        template.drop_tree()
    for form in document.forms:
        fields = {str(name): str(value) for name, value in form.form_values()}
        if field in fields or field in form.fields:
            return fields
    raise ServerFailed(f"a page of the Configurator has no form with the field {field}:\n{page[:2000]}")
