"""A lost password, as its owner lives it: the running Configurator, a mail server, the link in the mail."""

from __future__ import annotations

import http.cookiejar
import os
import queue
import re
import socketserver
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake.patience import PATIENCE

pytest.importorskip("django", reason="the Configurator's packages are not installed")

USER, OLD, NEW = "boss", "correct-horse-9", "battery-staple-7"


class _Mailbox(socketserver.StreamRequestHandler):
    """As much SMTP as it takes to receive one mail."""

    server: MailServer

    def handle(self) -> None:
        self._say(220, "mail.example")
        while line := self.rfile.readline().decode().strip():
            word = line[:4].upper()
            if word == "DATA":
                self._say(354, "go on")
                mail = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.received.put(mail.decode())
            self._say(221 if word == "QUIT" else 250, "ok")
            if word == "QUIT":
                return

    def _say(self, code: int, text: str) -> None:
        self.wfile.write(f"{code} {text}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a port of its own; `received` has the mails."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mailbox)
        self.received: queue.SimpleQueue[str] = queue.SimpleQueue()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, name="mail-server")
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def address(tmp_path: Path, mail_server: MailServer) -> Iterator[str]:
    """Where the running Configurator is."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "configurator.ini").write_text(
        f"[mail]\nhost = 127.0.0.1\nport = {mail_server.server_address[1]}\nencryption = none\n"
        "from = CTI <cti@example.com>\n"
    )
    command = [
        sys.executable,
        "-u",
        "-m",
        "configurator",
        "--data",
        str(data),
        "--publish",
        str(tmp_path),
        "--listen",
        "127.0.0.1:0",
    ]
    first_user = {
        "ASTCTI_CONFIGURATOR_USER": USER,
        "ASTCTI_CONFIGURATOR_PASSWORD": OLD,
        "ASTCTI_CONFIGURATOR_EMAIL": "boss@example.com",
    }
    with subprocess.Popen(
        command, env=os.environ | first_user, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        assert program.stdout is not None
        lines = []
        for line in program.stdout:
            lines.append(line)
            if line.startswith("Configurator: "):
                break
        assert lines[-1].startswith("Configurator: "), "".join(lines)
        yield lines[-1].removeprefix("Configurator: ").strip().rstrip("/")
        program.terminate()
        program.stdout.read()


class Person:
    """A browser without scripts: cookies, forms."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def get(self, path: str) -> tuple[str, str]:
        """A page's final address and its text."""
        with self._opener.open(self.address + path, timeout=PATIENCE) as page:
            return page.url.removeprefix(self.address), page.read().decode()

    def send(self, path: str, **fields: str) -> tuple[str, str]:
        """Fill in the form of a page."""
        path, text = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
        assert token is not None
        form = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token[1]}).encode()
        with self._opener.open(self.address + path, form, timeout=PATIENCE) as page:
            return page.url.removeprefix(self.address), page.read().decode()

    def log_in(self, password: str) -> bool:
        path, _text = self.send("/login/", username=USER, password=password)
        return not path.startswith("/login/")


def test_link_in_the_mail_gives_a_new_password(address: str, mail_server: MailServer) -> None:
    _path, page = Person(address).get("/password-lost/")
    field = "email" if 'name="email"' in page else "username"
    Person(address).send("/password-lost/", **{field: "boss@example.com" if field == "email" else USER})
    mail = mail_server.received.get(timeout=PATIENCE)
    assert "boss@example.com" in mail
    assert OLD not in mail
    link = re.search(r"https?://\S+(/password-new/\S+)", mail.replace("=\r\n", ""))
    assert link is not None, mail
    person = Person(address)
    person.send(link[1], new_password1=NEW, new_password2=NEW)
    assert not Person(address).log_in(OLD)
    assert Person(address).log_in(NEW)
