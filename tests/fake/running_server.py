"""The real server as a process of its own, on a configuration that the test writes."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from xml.sax.saxutils import quoteattr

from schemas import event_xml
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from schemas.configuration.xml_form import dump_xml
from schemas.events import CallEvent
from tests.fake.line_client import LineClient, md5
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

PHONE, MAC = "PJSIP/201", "00:00:00:00:02:01"
ONE_SEAT = Configuration(
    services=(
        Service(
            "Demo",
            "astctidemo",
            "inbound",
            is_queue=True,
            queue_name="astcti",
            operators=(Binding("mario", 1),),
        ),
    ),
    seats=(Seat(MAC, PHONE, PHONE),),
    operators=(Operator("mario", "Mario Rossi", f"md5:{md5('secret')}", seat=MAC),),
)
"""mario, password `secret`, at one phone and in one queue."""
WATCHDOG = 1.5
"""Seconds, as of a unit's WatchdogSec. The server looks at how it is, for its status file, three times in
them: otherwise each test that waits for what is said there waits up to five seconds."""


class RunningServer:
    """`astcti-server` in a process. Use as a context manager; its log is in `log`."""

    def __init__(
        self,
        folder: Path,
        ami_port: int,
        configuration: Configuration,
        *,
        secret: str = "astcti",
        username: str = "astcti",
        sections: str = "",
        ami: str = "",
        listen: str = "",
        options: tuple[str, ...] = (),
        launcher: tuple[str, ...] = (),
        module: str = "astcti_server",
    ) -> None:
        """`sections` is more XML for server.xml, `ami` and `listen` more attributes of its elements.

        `launcher` starts the Python, and that runs `module`.
        """
        self.folder = folder
        self.config = folder / "config"
        self.config.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._options = options
        self._launcher, self._module = launcher, module
        self._tree: Path | None = None
        self.log_file = folder / "server.log"
        self.status_file = folder / "status.json"
        self._process: subprocess.Popen[bytes] | None = None
        self.put(
            "server.xml",
            f'<server><ami host="127.0.0.1" port="{ami_port}" username={quoteattr(username)} '
            f'secret={quoteattr(secret)} {ami}/><listen port="{self.port}" {listen}/>{sections}</server>\n',
        )
        self.configure(configuration)

    def configure(self, configuration: Configuration, name: str = "configuration.xml") -> None:
        """Put a configuration into the directory, whole."""
        self.put(name, dump_xml(configuration))

    def put(self, name: str, content: str | bytes) -> None:
        """Put a file into the directory so that the server never sees half of it."""
        fresh = self.config / f".{name}"
        fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
        fresh.replace(self.config / name)

    def run_from(self, tree: Path | None) -> None:
        """From the next start on with the modules of another source tree; None: of this one."""
        self._tree = tree

    def __enter__(self) -> RunningServer:
        self.start()
        self.wait_for_log("Listening on")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
        if kind is not None:
            print(self.log[-6000:])

    def start(self) -> None:
        """Start the process; `wait_for_log` tells how far it is."""
        command = [
            *self._launcher,
            sys.executable,
            "-W",
            "error",
            "-m",
            self._module,
            "--config",
            str(self.config),
            "--state",
            str(self.folder / "state"),
            "--status",
            str(self.status_file),
            *self._options,
        ]
        watched = os.environ | {"WATCHDOG_USEC": f"{WATCHDOG * 1e6:.0f}"}
        with self.log_file.open("ab") as log:
            # `-m` puts the working directory first.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._tree, env=watched)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """As a crash or the kernel would: no chance to clean up."""
        self.stop(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the process to end by itself."""
        assert self._process is not None
        return self._process.wait(PATIENCE)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8") if self.log_file.exists() else ""

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.status_file.read_text(encoding="utf-8"))
        return found

    def wait_for_log(self, text: str, count: int = 1) -> None:
        """Wait until the log holds a text (so often)."""
        process = self._process
        assert process is not None
        deadline = time.monotonic() + PATIENCE
        while True:
            over = process.poll() is not None  # asked before the log is read: it may end with these words
            if self.log.count(text) >= count:
                return
            assert not over, f"the server ended:\n{self.log[-6000:]}"
            assert time.monotonic() < deadline, f"{text!r} is not in the log:\n{self.log[-6000:]}"
            time.sleep(0.02)

    def client(
        self, username: str, password: str = "secret", *, mac: str = "", resume: str = ""
    ) -> SeatClient:
        """Log in; the operator's seat is the one he is bound to, unless `mac` names another.

        `resume` is what it says after RESUME: `NEW`, or an epoch and a number.
        """
        return SeatClient(self.port, username, password, mac, resume)


class SeatClient(LineClient):
    """A logged-in client that keeps every line it hears."""

    def __init__(
        self,
        port: int,
        username: str,
        password: str,
        mac: str = "",
        resume: str = "",
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(port, context=context)
        self.lines: list[str] = []
        self.expect("100 WELCOME")
        if resume:
            self.say(f"RESUME {resume}")
            self.expect("100 OK")
        self.say(f"USER {username}", f"PASS {md5(password)}")
        self.expect("100 OK")
        self.expect("102 OK")
        if mac:
            self.say(f"MAC {mac}")
            self.expect("100 OK ")

    def hear(self) -> str:
        line = super().hear()
        self.lines.append(line)
        return line

    def expect(self, beginning: str) -> str:
        """Hear lines until one begins with these words: `200 astcti` is not `200 astcti2`."""
        while True:
            line = self.hear()
            assert line, f"closed while waiting for {beginning!r}; heard {self.lines[-20:]}"
            if _begins(line, beginning):
                return line

    def expect_all(self, *beginnings: str) -> None:
        """Hear lines until each of these was heard, in whatever order: they come from different threads."""
        missing = set(beginnings)
        while missing:
            line = self.hear()
            assert line, f"closed while waiting for {missing}; heard {self.lines[-20:]}"
            missing = {beginning for beginning in missing if not _begins(line, beginning)}

    def event(self, event_id: str) -> CallEvent:
        """Hear lines until this event comes."""
        return event_xml.decode(self.expect(f'<event id="{event_id}"').encode())

    @property
    def events(self) -> list[CallEvent]:
        """All events heard so far."""
        return [event_xml.decode(line.encode()) for line in self.lines if line.startswith("<")]

    def links(self) -> list[CallEvent]:
        """The Links heard so far that are not repeats."""
        return [event for event in self.events if event.id == "Link" and not event.repeat]

    def settle(self) -> None:
        """Hear everything sent up to now: a NOOP's answer comes after it."""
        self.say("NOOP")
        self.expect("100 OK")


def _begins(line: str, words: str) -> bool:
    return line.startswith(words) and (words.endswith((" ", '"')) or line[len(words) :][:1] in ("", " "))
