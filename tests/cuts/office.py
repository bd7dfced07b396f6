"""Agents with real clients, each behind a network that breaks; the real server; the demo PBX.

Each trigger runs a script that adds a line to a file: what stands there was carried out, so often.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from astcti_server.demo.ami.blocks import DemoEvent
from astcti_server.demo.calls.channels import Channel
from astcti_server.demo.calls.dialplan import Extension
from astcti_server.demo.calls.engine import Engine
from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Binding, Configuration, Moment, Operator, Seat, Service, Trigger
from tests.cuts.client_with_clock import CLOCK, move_clock
from tests.cuts.cutting_relay import CuttingRelay
from tests.fake.line_client import md5
from tests.fake.patience import until
from tests.fake.running_server import RunningServer

FIRST_PHONE: Final = 301
PASSWORD: Final = "secret"
THERE: Final = "105 RESUME END"
LOGGED_IN: Final = "-- logged in as"
JOINED: Final = "200 astcti"
ANSWER, HANGUP = "Link", "Hangup"
CLIENT, CLIENT_WITH_CLOCK = "astcti_client", "tests.cuts.client_with_clock"
NOT_AGAIN: Final = ": not done again, because the client ended"
"""What a client says of a trigger that an earlier process had begun, after the words of its command."""
SCRIPT = """\
#!/bin/sh
echo "$@" >> "{file}"
"""
SETTINGS = """\
host = "127.0.0.1"
port = {port}
user = "{user}"
password = "{password}"
"""


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """One line of the script: a trigger that a client carried out."""

    operator: str
    event: str
    calldata: str

    @property
    def words(self) -> str:
        """As the script gets them."""
        return f"{self.operator} {self.event} {self.calldata}"


class Agent:
    """One seat: its phone, its network, and its client's process."""

    def __init__(self, folder: Path, number: int, server_port: int, tree: Path | None) -> None:
        self.phone = f"PJSIP/{FIRST_PHONE + number}"
        self.exten = str(FIRST_PHONE + number)
        self.username = f"agent{number}"
        self.relay = CuttingRelay(server_port)
        self._folder, self._tree = folder, tree
        self._log = folder / "log"
        self._clock = folder / "clock"
        move_clock(self._clock, 0.0)
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def start(self) -> None:
        """Start the client on what it left behind."""
        runtime = self._folder / "run"
        runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = self._folder / "client.toml"
        settings.write_text(
            SETTINGS.format(port=self.relay.port, user=self.username, password=PASSWORD), encoding="utf-8"
        )
        settings.chmod(0o600)
        environment = os.environ | {
            "HOME": str(self._folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(self._folder / "data"),
            "XDG_CONFIG_HOME": str(self._folder / "config"),
            "XDG_STATE_HOME": str(self._folder / "state"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            CLOCK: str(self._clock),
        }
        module = CLIENT_WITH_CLOCK if self._tree is None else CLIENT
        command = [sys.executable, "-W", "error", "-m", module, "--headless", "--verbose"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--config", str(settings)], stdout=log, stderr=log, env=environment, cwd=self._tree
            )
        self._starts += 1

    @property
    def log(self) -> str:
        """All that the client printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, text: str, count: int = 1) -> None:
        """Until the client printed it so often."""
        try:
            until(lambda: self.log.count(text) >= count, f"{self.username}: no {text!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log[-4000:]}") from None

    def interrupted(self, what: CarriedOut) -> bool:
        """Whether a client said that one before it had ended while it carried this out."""
        return f"{what.words}{NOT_AGAIN}" in self.log

    def move_clock(self, ahead: float) -> None:
        """The PC's clock is ahead by so many seconds. Clients of another version do not notice."""
        move_clock(self._clock, ahead)

    def signal(self, number: int) -> None:
        """Send the client's process a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the client as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(30)


class Office:
    """Everything together; a context manager. `chance` decides nothing here: it is for whoever plays."""

    def __init__(
        self,
        folder: Path,
        agents: int,
        seed: int,
        *,
        clients: str = "",
        client_tree: Path | None = None,
        server_tree: Path | None = None,
    ) -> None:
        """`clients` are attributes of the element `<clients>`.

        `client_tree` and `server_tree` are source trees of another version, to run its programs.
        """
        self.chance = random.Random(seed)
        self._stack = ExitStack()
        self._carried_out = folder / "carried-out"
        self._carried_out.touch()
        self._script = folder / "record.sh"
        self._script.write_text(SCRIPT.format(file=self._carried_out))
        self._script.chmod(0o755)
        self.pbx = DemoPbx()
        self._folder, self._count = folder, agents
        self._clients, self._client_tree, self._server_tree = clients, client_tree, server_tree
        self.removed: list[str] = []
        """Interfaces that left a queue, in the PBX's order."""
        self.agents: list[Agent] = []

    def __enter__(self) -> Self:
        with ExitStack() as started:
            started.enter_context(self.pbx)
            self.pbx.do(self._add_phones)
            configuration = self._configuration()
            self.server = RunningServer(
                self._folder / "server",
                self.pbx.address[1],
                configuration,
                sections=f"<clients {self._clients}/>" if self._clients else "",
            )
            self.server.run_from(self._server_tree)
            started.enter_context(self.server)
            self.server.wait_for_log("Logged in to Asterisk")
            for number in range(self._count):
                place = self._folder / f"agent{number}"
                place.mkdir()
                agent = Agent(place, number, self.server.port, self._client_tree)
                started.enter_context(agent.relay)
                started.callback(agent.stop)
                self.agents.append(agent)
                agent.start()
            for agent in self.agents:
                agent.wait_for(LOGGED_IN)
                agent.wait_for(JOINED)
            self._stack = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _add_phones(self, engine: Engine) -> None:
        engine.listeners.append(self._heard)
        for number in range(FIRST_PHONE, FIRST_PHONE + self._count):
            engine.add_phone(f"PJSIP/{number}", str(number), f"Agent {number}")
            engine.dialplan.add("astctidemo", str(number), Extension(device=f"PJSIP/{number}", ring_time=600))

    def _heard(self, event: DemoEvent) -> None:
        if event.name == "QueueMemberRemoved":
            self.removed.append(event.get("Interface"))

    def members(self) -> set[str]:
        """The interfaces in the queue."""
        return self.pbx.do(lambda engine: set(engine.queues.by_name["astcti"].members))

    def _configuration(self) -> Configuration:
        numbers = range(self._count)
        seats = tuple(
            Seat(f"02:00:00:00:03:{number:02x}", f"PJSIP/{FIRST_PHONE + number}") for number in numbers
        )
        operators = tuple(
            Operator(f"agent{number}", f"Agent {number}", f"md5:{md5(PASSWORD)}", seat=seats[number].mac)
            for number in numbers
        )
        moments: tuple[Moment, ...] = ("ring", "answer", "hangup")
        record = "{OPERATOR} {EVENT} {CALLDATA}"
        demo = Service(
            "Demo",
            "astctidemo",
            "inbound",
            variables=("calldata",),
            triggers=tuple(
                Trigger("application", on=moment, application=str(self._script), parameters=record)
                for moment in moments
            ),
            operators=tuple(Binding(operator.username) for operator in operators),
        )
        waiting = Service(
            "Queue", "queues", "inbound", is_queue=True, queue_name="astcti", operators=demo.operators
        )
        return Configuration((demo, waiting), seats, operators)

    # -- calls ---------------------------------------------------------------------------------------------

    def call(self, agent: Agent, calldata: str) -> Channel:
        """Somebody calls this agent: the phone rings."""

        def place(engine: Engine) -> Channel:
            caller = engine.incoming_call(
                f"555{calldata}", "Caller", exten=agent.exten, variables={"calldata": calldata}
            )
            engine.ring(agent.phone)
            return caller

        return self.pbx.do(place)

    def answer(self, agent: Agent) -> None:
        """The phone that rings is picked up."""
        self.pbx.do(lambda engine: engine.answer(agent.phone))

    def hang_up(self, agent: Agent) -> None:
        """The agent ends the call."""
        self.pbx.do(lambda engine: engine.hang_up(agent.phone))

    # -- what was carried out ------------------------------------------------------------------------------

    def carried_out(self) -> Counter[CarriedOut]:
        """Every trigger that was, and how often."""
        lines = self._carried_out.read_text().splitlines()
        return Counter(CarriedOut(*line.split()) for line in lines)

    def wait_for(self, agent: Agent, event: str, calldata: str) -> None:
        """Until this trigger was carried out."""
        wanted = CarriedOut(agent.username, event, calldata)
        self.wait_until(agent, lambda: self.carried_out()[wanted] > 0, f"not carried out: {wanted}")

    def wait_until(self, agent: Agent, fact: Callable[[], object], what: str) -> None:
        """Until something is so; if it does not come to be, the logs of both sides are in the error."""
        try:
            until(fact, what, every=0.05)
        except AssertionError as error:
            channels = self.pbx.do(lambda engine: [channel.fields() for channel in engine.channels.values()])
            logs = f"{agent.log[-6000:]}\n{self.server.log[-6000:]}"
            raise AssertionError(f"{error}\n{logs}\nchannels: {channels}") from None


def settle(seconds: float = 0.5) -> None:
    """Time in which a doubled trigger would come; nothing tells that none does."""
    time.sleep(seconds)
