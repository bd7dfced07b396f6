"""A provider and the Configurator, each in a process of its own, and a person with a browser."""

from __future__ import annotations

import os
import queue
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from lxml import html

from tests.configurator.openid.toolkit_provider import CLIENT_ID, CLIENT_SECRET, PASSWORD
from tests.fake.patience import PATIENCE

LOCAL_USER, LOCAL_PASSWORD = "root", "correct-horse-9"
SECTION = """\
[openid]
issuer = {issuer}
client-id = {client_id}
name = Office account
administrators = cti-admins
supervisors = cti-supervisors, cti-leads
"""


@contextmanager
def started(*command: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A program of ours, ended with the block."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as program:
        try:
            yield program
        finally:
            program.terminate()
            assert program.stdout is not None
            program.stdout.read()


class RunningProvider:
    """Django OAuth Toolkit; knows the Configurator once that has an address."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        assert program.stdout is not None
        self._program = program
        self.address = f"http://127.0.0.1:{int(program.stdout.readline())}"
        self.issuer = f"{self.address}/o"

    def register(self, callback: str) -> None:
        """Let it send people back there."""
        assert self._program.stdin is not None and self._program.stdout is not None
        self._program.stdin.write(f"{callback}\n")
        self._program.stdin.flush()
        assert self._program.stdout.readline() == "ready\n"

    def set_group(self, user: str, group: str) -> None:
        """Another role."""
        sent = {"user": user, "group": group}
        requests.post(f"{self.address}/test/group/", sent, timeout=PATIENCE).raise_for_status()


class RunningConfigurator:
    """The application with its database and what it says."""

    def __init__(self, data: Path, program: subprocess.Popen[str]) -> None:
        assert program.stdout is not None
        self.data = data
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        said = []
        for line in program.stdout:
            said.append(line)
            if line.startswith("Configurator: "):
                break
        assert said and said[-1].startswith("Configurator: "), "".join(said)
        self.address = said[-1].removeprefix("Configurator: ").strip().rstrip("/")
        self._reader = threading.Thread(target=self._read, args=(program,), name="configurator-output")
        self._reader.start()

    def _read(self, program: subprocess.Popen[str]) -> None:
        assert program.stdout is not None
        for line in program.stdout:
            self.lines.put(line)

    def line_with(self, words: str) -> str:
        """The next line of the log with these words."""
        while words not in (line := self.lines.get(timeout=PATIENCE)):
            pass
        return line

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What its database says of users and log."""
        with closing(sqlite3.connect(self.data / "managers.sqlite")) as database:
            return database.execute(query, values).fetchall()


def write_settings(data: Path, issuer: str, more: str = "") -> None:
    """`configurator.ini` and the client's secret."""
    data.mkdir(exist_ok=True)
    text = SECTION.format(issuer=issuer, client_id=CLIENT_ID) + more
    (data / "configurator.ini").write_text(text)
    secret = data / "openid-secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{CLIENT_SECRET}\n")


@contextmanager
def running_configurator(data: Path, *options: str) -> Iterator[RunningConfigurator]:
    """The application on this data, with a local administrator."""
    user = {
        "ASTCTI_CONFIGURATOR_USER": LOCAL_USER,
        "ASTCTI_CONFIGURATOR_PASSWORD": LOCAL_PASSWORD,
        "ASTCTI_CONFIGURATOR_EMAIL": "mary@example.com",
    }
    command = ["--data", str(data), "--publish", str(data.parent), "--listen", "127.0.0.1:0", *options]
    with started("configurator", *command, environment=user) as program:
        yield RunningConfigurator(data, program)


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """Its users are those of `toolkit_provider.USERS`."""
    with started("tests.configurator.openid.toolkit_provider") as program:
        yield RunningProvider(program)


@pytest.fixture(scope="module")
def site(
    provider: RunningProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningConfigurator]:
    """The Configurator, whose accounts are the provider's."""
    data = tmp_path_factory.mktemp("openid") / "data"
    write_settings(data, provider.issuer)
    with running_configurator(data) as configurator:
        provider.register(f"{configurator.address}/sign-on/callback/")
        yield configurator


class WebPerson:
    """A browser without scripts; keeps the pages' addresses that it came by."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.way: list[str] = []

    def get(self, path: str, **headers: str) -> requests.Response:
        """A page, after all redirections."""
        return self._kept(self.session.get(urljoin(self.address, path), headers=headers, timeout=PATIENCE))

    def send(self, page: requests.Response, path: str = "", **fields: str) -> requests.Response:
        """Fill in the form of a page."""
        found: Any = html.fromstring(page.text).xpath('//input[@type="hidden"]')
        form = {**{field.name: field.value for field in reversed(found)}, **fields}
        where = urljoin(page.url, path or page.url)
        return self._kept(self.session.post(where, form, headers={"Referer": page.url}, timeout=PATIENCE))

    def sign_on(self, user: str, where: str = "/services/") -> requests.Response:
        """Log in by the provider, whose form comes where it does not know this browser yet."""
        page = self.get(f"/sign-on/?next={where}")
        if "<h1>Provider</h1>" in page.text:
            page = self.send(page, username=user, password=PASSWORD)
        return page

    def log_in(self, user: str = LOCAL_USER, password: str = LOCAL_PASSWORD) -> requests.Response:
        """By password."""
        return self.send(self.get("/login/"), username=user, password=password)

    def _kept(self, answer: requests.Response) -> requests.Response:
        self.way += [one.url for one in (*answer.history, answer)]
        return answer


@pytest.fixture
def somebody(site: RunningConfigurator) -> Iterator[Callable[[], WebPerson]]:
    """Makes people, each with a browser that knows nothing."""
    made: list[WebPerson] = []

    def one() -> WebPerson:
        made.append(WebPerson(site.address))
        return made[-1]

    yield one
    for person in made:
        person.session.close()
