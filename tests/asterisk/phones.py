"""SIP phones for the rig. Each is one SIPp process that plays one scenario of scenarios/.

A phone sends silence while it talks: without any sound Asterisk would not take Local channels out of a call.
Times are in seconds. Those that have to pass are short on purpose; `talk` is long where nothing is said of
it: then the other end hangs up, however long that takes it.
"""

import contextlib
import itertools
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from tests.asterisk.registration import NotRegistered, register, unregister
from tests.asterisk.rig import SILENCE, Asterisk, filled
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

SCENARIOS = Path(__file__).parent / "scenarios"
OUTSIDE = {"caller": ("3331234567", "Demo Caller"), "caller2": ("3337654321", "Second Caller")}
FOREVER = 3600.0
BETWEEN_DIGITS = 0.08  # Asterisk takes INFO digits that come quicker for bouncing keys
ANSWER, WAIT = b"1\0", b"0\0"  # read by SIPp, which adds no end of its own
SETTLE = 0.3  # Answer() waits for the first sound

Step = tuple[str, dict[str, str]]  # a file of scenarios/steps/, and its values


class PhoneError(Exception):
    """A phone's call did not go as its scenario says; the text has the SIP messages."""


def pause(seconds: float) -> list[Step]:
    """Talk for a while. If the other end hangs up meanwhile, the steps that follow are left out."""
    return [("pause", {"milliseconds": str(max(1, int(seconds * 1000)))})]


def digits(keys: str) -> list[Step]:
    """Press keys, sent as SIP INFO: a queue's menu, or the features #2 (attended) and ## (blind transfer)."""
    return [step for key in keys for step in [("digit", {"digit": key}), *pause(BETWEEN_DIGITS)]]


def refer(exten: str, replaces: str = "") -> list[Step]:
    """Transfer the other end by SIP REFER: blind to `exten`, or into the call with that `Phone.dialog`."""
    return [
        ("refer", {"exten": exten, "replaces": f"?Replaces={quote(replaces, safe='')}" if replaces else ""})
    ]


class Phone:
    """A running SIPp. `wait` for the end of its scenario, or `stop` it, as a `with` block does at its end."""

    def __init__(
        self,
        asterisk: Asterisk,
        name: str,
        scenario: str,
        calls: int = 1,
        registers: bool = True,
        options: tuple[str, ...] = (),
        answers: bool = True,
    ) -> None:
        self.name = name
        self._asterisk = asterisk
        self._registers = registers
        port = register(name, asterisk.sip_port) if registers else free_port(socket.SOCK_DGRAM)
        self._folder = Path(tempfile.mkdtemp(prefix=f"phone-{name}-", dir=asterisk.folder))
        (self._folder / "scenario.xml").write_text(scenario)
        (self._folder / "silence.ulaw").write_bytes(SILENCE * 10)
        (self._folder / "answer").write_bytes(ANSWER if answers else WAIT)
        with (self._folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [
                    "sipp",
                    f"127.0.0.1:{asterisk.sip_port}",
                    "-i",
                    "127.0.0.1",
                    "-p",
                    str(port),
                    "-mi",
                    "127.0.0.1",
                    "-sf",
                    "scenario.xml",
                    "-m",
                    str(calls),
                    "-nostdin",
                    "-skip_rlimit",
                    "-aa",
                    "-trace_err",
                    "-error_file",
                    "errors",
                    "-trace_msg",
                    "-message_file",
                    "messages",
                    "-trace_logs",
                    "-log_file",
                    "log",
                    *options,
                ],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._wait_for_port(port)

    def __enter__(self) -> "Phone":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self, timeout: float = 2 * PATIENCE) -> None:
        """Return when the scenario is over; raise PhoneError if it went wrong or takes longer."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise PhoneError(f"phone {self.name} is still busy after {timeout} s\n{self.story()}") from None
        if code:
            raise PhoneError(f"phone {self.name}: SIPp ended with {code}\n{self.story()}")

    def stop(self) -> None:
        """End the process at once, as if the phone were unplugged. Harmless when it has ended."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._registers:
            self._registers = False
            with contextlib.suppress(NotRegistered):  # a test may have stopped Asterisk
                unregister(self.name, self._asterisk.sip_port)
        shutil.rmtree(self._folder, ignore_errors=True)

    def answer(self) -> None:
        """Have a phone that `answers_when_told` answer."""
        told = self._folder / "answer.new"
        told.write_bytes(ANSWER)
        told.replace(self._folder / "answer")

    def dialog(self, timeout: float = PATIENCE) -> str:
        """The answered call in the form of a Replaces header; waits for the answer."""
        deadline = time.monotonic() + timeout
        log = self._folder / "log"
        while not (log.exists() and "\n" in (text := log.read_text(errors="replace"))):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise PhoneError(f"phone {self.name} was not answered\n{self.story()}")
            time.sleep(0.02)  # a file of another process: nothing to wait on
        _, call_id, local, remote = text.splitlines()[0].split("|")
        # As Asterisk sees it, who is the other end.
        return f"{call_id};to-tag={_tag(remote)};from-tag={_tag(local)}"

    def _wait_for_port(self, port: int) -> None:
        """Return when SIPp listens; a call that came before would be repeated half a second later only."""
        deadline = time.monotonic() + PATIENCE
        while f"0100007F:{port:04X} " not in Path("/proc/net/udp").read_text():
            if time.monotonic() > deadline or self._process.poll() is not None:
                story = self.story()
                self.stop()
                raise PhoneError(f"phone {self.name} does not start\n{story}")
            time.sleep(0.01)

    def story(self) -> str:
        """What SIPp wrote."""
        parts = []
        for name in ("output", "errors", "messages"):
            file = self._folder / name
            if file.exists():
                parts.append(f"--- {name}\n{file.read_text(errors='replace')[-6000:]}")
        return "\n".join(parts)


def callee(
    asterisk: Asterisk,
    name: str,
    ring: float = 0.2,
    talk: float = 30.0,
    then: list[Step] | None = None,
    calls: int = 1,
) -> Phone:
    """A phone that rings, answers after `ring` seconds, takes its steps, and hangs up after `talk` more.

    It ends well when the caller gives up while it rings, and when the other end hangs up first.
    """
    scenario = _scenario("callee", name, talk, then, ring=_milliseconds(ring))
    return Phone(asterisk, name, scenario, calls)


def answers_when_told(asterisk: Asterisk, name: str, talk: float = 30.0, calls: int = 1) -> Phone:
    """A phone that rings until `Phone.answer`, and hangs up after `talk` more."""
    return Phone(asterisk, name, _scenario("callee", name, talk, None, ring="50"), calls, answers=False)


def answers_when_notified(asterisk: Asterisk, name: str, talk: float = 30.0) -> Phone:
    """A phone that rings until a NOTIFY of `Event: talk` inside its call, and hangs up after `talk` more."""
    return Phone(asterisk, name, _scenario("notified", name, talk, None))


def never_answers(asterisk: Asterisk, name: str, calls: int = 100) -> Phone:
    """A phone that rings and is never answered."""
    return callee(asterisk, name, ring=FOREVER, calls=calls)


def refuses(asterisk: Asterisk, name: str, status: str = "486 Busy Here", calls: int = 100) -> Phone:
    """A phone that refuses each call with that SIP status."""
    scenario = filled(_text("refuser"), {"status": status, "contact": f"{name}@[local_ip]:[local_port]"})
    return Phone(asterisk, name, scenario, calls)


def forwards(asterisk: Asterisk, name: str, exten: str, calls: int = 1) -> Phone:
    """A phone that forwards each call to `exten` (SIP 302): Asterisk continues on a Local channel."""
    values = {"status": "302 Moved Temporarily", "contact": f"{exten}@[remote_ip]:[remote_port]"}
    return Phone(asterisk, name, filled(_text("refuser"), values), calls)


def caller(
    asterisk: Asterisk,
    exten: str,
    keys: str = "",
    talk: float = 30.0,
    patience: float = 30.0,
    then: list[Step] | None = None,
    name: str = "caller",
    number: str = "",
    display: str = "",
) -> Phone:
    """A caller from outside (or `caller2`): dials, presses `keys` once answered, hangs up after `talk`.

    It gives up after `patience` seconds without an answer (a queue answers at once: there `talk` counts).
    `display` may be anything but CR, LF and NUL.
    """
    steps = (pause(SETTLE) + digits(keys) if keys else []) + (then or [])
    identity = (number or OUTSIDE[name][0], display or OUTSIDE[name][1])
    return _call(asterisk, name, exten, talk, patience, steps, identity, True)


def dials(
    asterisk: Asterisk,
    name: str,
    exten: str,
    talk: float = 30.0,
    patience: float = 30.0,
    then: list[Step] | None = None,
) -> Phone:
    """One of the phones 201 to 203 dials; it may have another call as `callee` at the same time."""
    return _call(asterisk, name, exten, talk, patience, then or [], (name, name), False)


def _call(
    asterisk: Asterisk,
    name: str,
    exten: str,
    talk: float,
    patience: float,
    steps: list[Step],
    identity: tuple[str, str],
    registers: bool,
) -> Phone:
    number, display = identity
    scenario = _scenario("caller", name, talk, steps, exten=exten, patience=_milliseconds(patience))
    quoted = display.replace("\\", "\\\\").replace('"', '\\"')
    return Phone(
        asterisk, name, scenario, 1, registers, ("-key", "number", number, "-key", "display", quoted)
    )


def _scenario(kind: str, name: str, talk: float, steps: list[Step] | None, **values: str) -> str:
    # PJSIP knows the outside caller by this header, chan_sip by its port; the other phones by their name.
    common = {"name": name, "identity": f"X-Rig: {name}", "talk": _milliseconds(talk), **values}
    numbered = zip(itertools.count(2), steps or [])
    played = [
        filled(_text(f"steps/{step}"), {**common, **own, "cseq": str(cseq)}) for cseq, (step, own) in numbered
    ]
    return filled(
        _text(kind), {**common, "steps": "".join(played), "ending": filled(_text("ending"), common)}
    )


def _text(name: str) -> str:
    return (SCENARIOS / f"{name}.xml").read_text()


def _milliseconds(seconds: float) -> str:
    return str(max(1, int(seconds * 1000)))


def _tag(header: str) -> str:
    return header.partition(";tag=")[2].partition(";")[0].strip()
