"""An Asterisk with many manager users and queues, each with one fault, and an installation for `doctor`."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from xml.sax.saxutils import quoteattr

from astcti_server.doctor.examination import Diagnosis, Examined, examine
from astcti_server.doctor.manager_probe import ProbeTimeLimits
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.configuration.xml_form import dump_xml
from tests.asterisk.rig import Asterisk
from tests.fake.certificates import make_certificate
from tests.fake.line_client import md5
from tests.fake.patience import PATIENCE
from tests.fake.running_server import RunningServer, SeatClient

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
# The tests' Python may be root's own: somebody else may read, but nothing more.
READING = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")

READ, WRITE = "system,call,agent,dialplan", "call,agent,originate,reporting"
GOOD_TIMEOUT = "writetimeout = 5000"
USERS: dict[str, tuple[str, str, str]] = {
    "least": (READ, WRITE, GOOD_TIMEOUT),
    "no-agent": (READ, "call,originate,reporting", GOOD_TIMEOUT),
    "no-originate": (READ, "call,agent,reporting", GOOD_TIMEOUT),
    "no-call": (READ, "agent,originate,reporting", GOOD_TIMEOUT),
    "no-reporting": (READ, "call,agent,originate", GOOD_TIMEOUT),
    "blind-agent": ("system,call,dialplan", WRITE, GOOD_TIMEOUT),
    "blind-dialplan": ("system,call,agent", WRITE, GOOD_TIMEOUT),
    "blind-call": ("system,agent,dialplan", WRITE, GOOD_TIMEOUT),
    "blind-system": ("call,agent,dialplan", WRITE, GOOD_TIMEOUT),
    "hasty": (READ, WRITE, ""),
    "filtered": (READ, WRITE, f"{GOOD_TIMEOUT}\neventfilter = !Event: (Newexten|VarSet)"),
    "calls-only": (READ, WRITE, f"{GOOD_TIMEOUT}\neventfilter = Channel: (PJ)?SIP/20"),
    "harmless-filter": (READ, WRITE, f"{GOOD_TIMEOUT}\neventfilter = !Event: RTCP"),
    "denied": (READ, WRITE, f"{GOOD_TIMEOUT}\ndeny = 0.0.0.0/0.0.0.0"),
    "full": ("system,call,agent,dialplan,reporting", "system,call,agent,originate,reporting", GOOD_TIMEOUT),
    "config": (READ, f"{WRITE},config", GOOD_TIMEOUT),
    "commander": (READ, f"{WRITE},command", GOOD_TIMEOUT),
}
QUEUES = """
[rings-in-use](calm)
ringinuse = yes

[says-nothing]
strategy = ringall

[with-static](calm)
member => %{technology}/201
"""
DIALPLAN = """
[hints]
exten => 201,hint,%{technology}/201
"""
MACS = [f"00:00:00:00:02:0{number}" for number in (1, 2, 3)]
PATIENT = ProbeTimeLimits(connect=PATIENCE, login=PATIENCE)


def prepared(version: int) -> Asterisk:
    """An Asterisk with these users and queues, not started yet."""
    asterisk = Asterisk(version)
    etc = asterisk.folder / "etc"
    users = "".join(
        f"\n[{name}]\nsecret = {name}\nread = {read}\nwrite = {write}\n{more}\n"
        for name, (read, write, more) in USERS.items()
    )
    for name, text in (("manager.conf", users), ("queues.conf", QUEUES), ("extensions.conf", DIALPLAN)):
        file = etc / name
        file.write_text(file.read_text() + text.replace("%{technology}", asterisk.technology))
    return asterisk


class DoctorSite:
    """An installation that nothing is wrong with, until a test changes it. Use as a context manager."""

    def __init__(self, asterisk: Asterisk) -> None:
        self.asterisk = asterisk
        self.folder = Path(tempfile.mkdtemp(prefix="astcti-doctor-"))
        self.folder.chmod(0o755)
        self.config, self.state = self.folder / "config", self.folder / "state"
        self.config.mkdir(mode=0o750)
        self.etc: Path | None = asterisk.folder / "etc"
        self.ami: dict[str, str] = {"host": "127.0.0.1", "port": str(asterisk.ami_port)}
        self.user = "least"
        self.secret = ""
        self.listen: dict[str, str] = {}
        self.sections = ""
        self.configuration = configuration(asterisk)
        self.server: RunningServer | None = None
        self.written = False
        self.limits = PATIENT
        self._kept = ExitStack()

    def keep(self, client: SeatClient) -> None:
        """Let a client stay connected until the end."""
        self._kept.callback(client.close)

    def __enter__(self) -> DoctorSite:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()
        if self.server is not None:
            self.server.__exit__(kind, error, trace)
        shutil.rmtree(self.folder, ignore_errors=True)

    def change_seat(self, **changed: object) -> None:
        """Change the first seat."""
        first, *others = self.configuration.seats
        self.configuration = replace(self.configuration, seats=(replace(first, **changed), *others))  # type: ignore[arg-type]

    def change_service(self, **changed: object) -> None:
        """Change the first service."""
        first, *others = self.configuration.services
        service = replace(first, **changed)  # type: ignore[arg-type]
        self.configuration = replace(self.configuration, services=(service, *others))

    def certificate(self, days: int = 90) -> Path:
        """A certificate for clients, with its key."""
        made, key = make_certificate(self.config, "cti", days=days)
        key.chmod(0o600)
        self.listen |= {"certificate": made.name, "key": key.name}
        return made

    def write(self) -> None:
        """Write the files as they are to be."""
        ami = {"username": self.user, "secret": self.secret or self.user} | self.ami
        if "secret-file" in ami:
            del ami["secret"]
        (self.config / "server.xml").write_text(
            f"<server><ami {_attributes(ami)}/><listen {_attributes(self.listen)}/>{self.sections}</server>\n"
        )
        (self.config / "configuration.xml").write_bytes(dump_xml(self.configuration))

    def run_server(self, *launcher: str, **more: str) -> RunningServer:
        """Start the server as nobody, on the site's configuration; it logs in to Asterisk."""
        self.server = RunningServer(
            self.folder,
            self.asterisk.ami_port,
            self.configuration,
            username=self.user,
            secret=self.secret or self.user,
            sections=self.sections,
            launcher=launcher or (*AS_NOBODY, *READING),
            **more,  # type: ignore[arg-type]
        )
        os.chown(self.folder, NOBODY, NOBODY)
        for path in (self.config, *self.config.iterdir()):
            os.chown(path, NOBODY, NOBODY)
            path.chmod(0o750 if path.is_dir() else 0o640)
        self.server.__enter__()
        self.server.wait_for_log("Logged in to Asterisk")
        return self.server

    def examine(self, *, provoke: bool = False, clock: Callable[[], float] = time.time) -> Diagnosis:
        """Write the files, unless the test or the server has them already, and look."""
        if self.server is None and not self.written:
            self.write()
        control = self.folder / "control.sock"
        examined = Examined(self.config, self.state, control, self.etc, provoke)
        return examine(examined, self.limits, clock)


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())


def configuration(asterisk: Asterisk) -> Configuration:
    """A queue, a direct number and a line to outside; mario at 201, luisa at 202, anna at 203."""
    people = ("mario", "luisa", "anna")
    bound = tuple(Binding(name) for name in people)
    trigger = Trigger("browser", url="https://crm.example/?id={CALLDATA}")
    return Configuration(
        services=(
            Service("Demo", "astctidemo", "inbound", True, "astcti", True, ("calldata",), (trigger,), bound),
            Service("Direct", "direct", "inbound", variables=("calldata",), operators=bound),
            Service("Outside line", "outbound", "outbound", operators=bound),
        ),
        seats=tuple(
            Seat(mac, asterisk.device(f"20{number}"), asterisk.device(f"20{number}"))
            for number, mac in enumerate(MACS, 1)
        ),
        operators=tuple(
            Operator(name, name.title(), f"md5:{md5('secret')}", seat=mac)
            for name, mac in zip(people, MACS, strict=True)
        ),
    )
