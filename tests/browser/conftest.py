"""Everything that a real browser needs: demo PBX, server, a seat's client and the Configurator."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from astcti_server.demo.pbx import DemoPbx
from astcti_server.demo.player import Tempo
from schemas import passwords
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

expect.set_options(timeout=PATIENCE * 1000)
CHROMIUM = Path("/usr/bin/chromium")
NEEDED = os.environ.get("CI") == "true"
SHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
AXE = Path(__file__).resolve().parents[2] / "build" / "axe"
USER, PASSWORD = "admin", "correct-horse-9"
MAC, PHONE = "02:00:00:00:02:01", "PJSIP/201"

CONFIGURATION = """\
<configuration>
  <services>
    <service name="Outside line" context="outbound" type="outbound"><operator username="mario"/></service>
  </services>
  <seats><seat mac="{mac}" extension="{phone}" description="First row"/></seats>
  <operators>
    <operator username="mario" full-name="Mario Rossi" password="{password}" seat="{mac}"/>
  </operators>
  <pause-reasons><reason name="Lunch"/></pause-reasons>
</configuration>
"""
SERVER = """\
<server><ami host="127.0.0.1" port="{ami}" username="astcti" secret="astcti"/>
<listen address="127.0.0.1" port="{port}"/></server>
"""


class Programs:
    """Everything that runs, and what the seat's client printed."""

    def __init__(self, folder: Path, ami_port: int) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._programs: list[subprocess.Popen[str]] = []
        self._readers: list[threading.Thread] = []
        self.port = free_port()
        self.config.mkdir()
        stored = passwords.make_stored_password("demo", scheme="md5")
        (self.config / "configuration.xml").write_text(
            CONFIGURATION.format(mac=MAC, phone=PHONE, password=stored)
        )
        (self.config / "server.xml").write_text(SERVER.format(ami=ami_port, port=self.port))
        self.address = ""

    def start(self) -> None:
        """Server, Configurator, client."""
        status = str(self.folder / "status.json")
        said = self._run(
            "astcti_server",
            "--config",
            str(self.config),
            "--state",
            str(self.folder / "state"),
            "--status",
            status,
        )
        while "Listening" not in said.get(timeout=PATIENCE):
            pass
        self._start_configurator(status)
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text("demo\n")
        (self.folder / "client.toml").touch()
        self.lines = self._run(
            "astcti_client",
            "--headless",
            "--no-triggers",
            "--config",
            str(self.folder / "client.toml"),
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--user",
            "mario",
            "--password-file",
            str(secret),
            "--mac",
            MAC,
        )

    def start_on_nothing(self) -> None:
        """The Configurator alone, with no configuration anywhere."""
        for file in self.config.iterdir():
            file.unlink()
        self._start_configurator(str(self.folder / "status.json"))

    def _start_configurator(self, status: str) -> None:
        said = self._run(
            "configurator",
            "--data",
            str(self.folder / "data"),
            "--publish",
            str(self.config),
            "--status",
            status,
            "--listen",
            "127.0.0.1:0",
        )
        while not self.address:
            line = said.get(timeout=PATIENCE)
            if "http://" in line:
                self.address = line.rpartition(" ")[2].strip().rstrip("/")

    def _run(self, module: str, *options: str) -> queue.SimpleQueue[str]:
        program = subprocess.Popen(
            [sys.executable, "-u", "-m", module, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env=os.environ
            | {
                "ASTCTI_CONFIGURATOR_USER": USER,
                "ASTCTI_CONFIGURATOR_PASSWORD": PASSWORD,
                "ASTCTI_CONFIGURATOR_FULL_NAME": "Ada Admin",
                "TZ": "UTC",
            },
        )
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(program, lines), name=f"{module}-output")
        reader.start()
        self._programs.append(program)
        self._readers.append(reader)
        return lines

    def stop(self) -> None:
        """End everything, the last one first."""
        for program in reversed(self._programs):
            program.terminate()
            program.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)


def _read(program: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
    assert program.stdout is not None
    with program.stdout:
        for line in program.stdout:
            lines.put(line)


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> None:
    """The browser's driver has threads that live as long as it does: nothing to watch here."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Started once; a caller comes every three seconds as soon as somebody serves the queue."""
    with DemoPbx(tempo=Tempo(interval=3.0), seed=7) as pbx:
        programs = Programs(tmp_path_factory.mktemp("programs"), pbx.address[1])
        try:
            programs.start()
            yield programs
        finally:
            programs.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, headless. Gone with its module: Django refuses to work beside its driver's loop."""
    if not CHROMIUM.exists():
        assert not NEEDED, f"{CHROMIUM} is missing"
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    """Both appearances."""
    return str(request.param)


@pytest.fixture
def page(browser: Browser, programs: Programs, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh window. Whatever it complains about, or asks of another host, fails the test."""
    scheme: Any = request.getfixturevalue("theme") if "theme" in request.fixturenames else "light"
    with watched_page(browser, programs, color_scheme=scheme) as window:
        yield window


@contextmanager
def watched_page(browser: Browser, programs: Programs, **options: Any) -> Iterator[Page]:
    """A window of its own, with its own cookies; `options` are playwright's for a context."""
    context = browser.new_context(
        base_url=programs.address,
        **{"viewport": {"width": 1280, "height": 820}, "locale": "en-GB", **options},
    )
    window = context.new_page()
    window.set_default_timeout(PATIENCE * 1000)
    wrong: list[str] = []
    window.on("pageerror", lambda error: wrong.append(str(error)))
    window.on(
        "console",
        # That a session ended is no mistake of a page: it asks for the login.
        lambda said: wrong.append(said.text) if said.type == "error" and " 401" not in said.text else None,
    )
    window.on(
        "request", lambda asked: None if asked.url.startswith(programs.address) else wrong.append(asked.url)
    )
    yield window
    context.close()
    assert wrong == []


def log_in(page: Page, user: str = USER, lands_on: str = "**/services/") -> None:
    """Through the login page."""
    page.goto("/login/")
    page.fill("#id_username", user)
    page.fill("#id_password", PASSWORD)
    page.click("button.primary")
    page.wait_for_url(lands_on)


def end_session(page: Page) -> None:
    """Let the session of a page end.

    What the page asks by itself (badge, what can be picked) is answered before: else the answer to that
    brings up the login, and what the test clicks next stands behind it.
    """
    for found in page.locator("[data-picker] .found").all():
        expect(found.locator("li").first).to_be_attached()
    expect(page.locator(".htmx-request")).to_have_count(0)
    page.context.clear_cookies(name="astcti_session")


def shot(page: Page, name: str, theme: str) -> None:
    """Keep a picture of what the window shows."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{theme}.png", animations="disabled")


def violations(page: Page, axe: str) -> list[Any]:
    """What axe-core finds serious or critical; run by the browser itself, past the page's policy."""
    page.evaluate(axe)
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})")
    return [
        (violation["id"], [node["html"][:160] for node in violation["nodes"]])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def open_dialog(page: Page) -> None:
    """Wait for the dialog with its form."""
    expect(page.locator("dialog[open] form.entry")).to_be_visible()


@contextmanager
def started_on_nothing(folder: Path) -> Iterator[Programs]:
    """A Configurator alone, into which nothing was ever entered."""
    programs = Programs(folder, 0)
    try:
        programs.start_on_nothing()
        yield programs
    finally:
        programs.stop()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script, fetched once with npm."""
    script = AXE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            assert not NEEDED, "npm is missing"
            pytest.skip("npm is not installed")
        AXE.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "install", "--prefix", str(AXE), "axe-core@4"], check=True, capture_output=True)
    return script.read_text(encoding="utf-8")
