"""`make demo`: the embedded PBX, the server, a client and the Configurator, with calls that pop up alone.

The programs are the real ones, each a process of its own, exactly as in a call centre; only the PBX is
simulated. Everything lives in a temporary folder. Ctrl-C ends it, and so does closing its terminal; a second
Ctrl-C does not wait for the programs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import queue
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from astcti_server.demo.crm import Crm
from astcti_server.demo.pbx import DemoPbx
from astcti_server.demo.player import Tempo
from schemas import passwords

USER, PASSWORD, PHONE, MAC = "mario", "demo", "PJSIP/201", "02:00:00:00:02:01"
SUPERVISOR = "admin"
INTERRUPTED = 128 + signal.SIGINT  # the exit code of who ended because of a Ctrl-C
SUPERVISORS_PASSWORD = "only-a-demo-1"  # the Configurator has rules for passwords
STOP_WITHIN = 15.0  # seconds for a program to end in order
OWN_PORTS = range(20_000, 32_768)
START_WITHIN = 60.0  # seconds for the server to reach the PBX

DEMO_CONFIGURATION = """\
<configuration>
  <services>
    <service name="Demo" context="astctidemo" type="inbound" is-queue="true" queue-name="astcti" enabled="true">
      <variable name="calldata"/>
      <trigger type="browser" on="answer"><url>{crm}/ticket?id={{CALLDATA}}&amp;from={{CALLERID}}&amp;name={{CALLERIDNAME}}</url></trigger>
      <operator username="{user}" penalty="1"/>
    </service>
    <service name="Outside line" context="outbound" type="outbound" enabled="true">
      <operator username="{user}"/>
    </service>
  </services>
  <seats><seat mac="{mac}" extension="{phone}" description="The demo's seat"/></seats>
  <operators>
    <operator username="{user}" full-name="Mario Rossi" password="{password}"
              scram="{scram}" seat="{mac}"/>
  </operators>
  <pause-reasons><reason name="Lunch"/><reason name="Training"/></pause-reasons>
</configuration>
"""  # noqa: E501  # a line of XML

DEMO_SERVER = """\
<server>
  <ami host="127.0.0.1" port="{ami}" username="astcti" secret="astcti"/>
  <listen address="127.0.0.1" port="{port}"/>
</server>
"""


class Stage:
    """Everything that is on stage, started in order and ended in the opposite order."""

    def __init__(self, folder: Path, *, port: int, every: float, open_pages: bool) -> None:
        self._folder = folder
        self._port = port or _free_port()
        self._open_pages = open_pages
        self._lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._crm = Crm()
        self._pbx = DemoPbx(
            tempo=Tempo(interval=every), narrate=lambda text: self._lines.put(("pbx", text)), seed=7
        )
        self._programs: list[tuple[str, subprocess.Popen[str]]] = []
        self._readers: list[threading.Thread] = []
        self._listening = threading.Event()
        # What this user's own client and Configurator are told is none of the demo's business.
        others = {key: value for key, value in os.environ.items() if not key.startswith("ASTCTI_")}
        self._environment = others | {
            "PYTHONUNBUFFERED": "1",
            "ASTCTI_CONFIGURATOR_USER": SUPERVISOR,
            "ASTCTI_CONFIGURATOR_PASSWORD": SUPERVISORS_PASSWORD,
            # The demo's client has nothing to do with one that this user runs for work.
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_DATA_HOME": str(folder),
        }

    def start(self) -> None:
        """Bring up PBX, server and client. Raises OSError or RuntimeError with a sentence."""
        self._crm.start()
        self._pbx.start()
        config = self._configure(self._pbx.address[1])
        state, status = self._folder / "state", self._folder / "status.json"
        self._run(
            "server", "astcti_server", "--config", str(config), "--state", str(state), "--status", str(status)
        )
        self._run("client", "astcti_client", *self._client_options())
        if importlib.util.find_spec("configurator") and importlib.util.find_spec("django"):
            self._run(
                "web",
                "configurator",
                "--data",
                str(self._folder / "web"),
                "--publish",
                str(config),
                "--status",
                str(status),
                "--listen",
                "127.0.0.1:0",
            )
            self._lines.put(
                ("demo", f"the Configurator comes up: user {SUPERVISOR}, password {SUPERVISORS_PASSWORD}")
            )

    def play(self) -> int:
        """Print what is said until a program ends or Ctrl-C; returns the exit code."""
        while True:
            try:
                who, line = self._lines.get(timeout=0.5)
            except queue.Empty:
                ended = [name for name, program in self._programs if program.poll() is not None]
                if ended:
                    _say("demo", f"the {ended[0]} ended by itself, see above")
                    return 1
                continue
            _say(who, line)

    def stop(self) -> None:
        """End the client, then the server, then the PBX; print what they say until then."""
        for _name, program in reversed(self._programs):
            if program.poll() is None:
                program.send_signal(signal.SIGTERM)
            try:
                program.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
            assert program.stdin is not None
            program.stdin.close()
        for reader in self._readers:
            reader.join()
        self._pbx.stop()
        self._crm.stop()
        while not self._lines.empty():
            _say(*self._lines.get())

    def kill(self) -> None:
        """Let no program end in order; `stop` then has nothing to wait for. Also from a signal's handler."""
        for _name, program in self._programs:
            program.kill()

    def _configure(self, ami_port: int) -> Path:
        config = self._folder / "config"
        config.mkdir()
        stored, keys = passwords.make_stored_forms(PASSWORD)
        text = DEMO_CONFIGURATION.format(
            crm=self._crm.url, user=USER, mac=MAC, phone=PHONE, password=stored, scram=keys
        )
        (config / "configuration.xml").write_text(text, encoding="utf-8")
        (config / "server.xml").write_text(
            DEMO_SERVER.format(ami=ami_port, port=self._port), encoding="utf-8"
        )
        return config

    def _client_options(self) -> list[str]:
        secret = self._folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD + "\n", encoding="utf-8")
        options = [
            *([] if _can_show_windows() else ["--headless"]),
            "--config",
            str(self._folder / "client.toml"),
            "--host",
            "127.0.0.1",
            "--port",
            str(self._port),
            "--user",
            USER,
            "--password-file",
            str(secret),
            "--mac",
            MAC,
        ]
        (self._folder / "client.toml").touch()
        return options if self._open_pages else [*options, "--no-triggers"]

    def _run(self, name: str, module: str, *options: str) -> None:
        program = subprocess.Popen(
            [sys.executable, "-u", "-m", "astcti_server.demo.bound", module, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            env=self._environment,
        )
        reader = threading.Thread(target=self._read, args=(name, program), name=f"{name}-output")
        reader.start()
        self._programs.append((name, program))
        self._readers.append(reader)
        if name == "server" and (not self._listening.wait(START_WITHIN) or program.poll() is not None):
            raise RuntimeError("the server did not start, see above")

    def _read(self, name: str, program: subprocess.Popen[str]) -> None:
        assert program.stdout is not None
        for line in program.stdout:
            self._lines.put((name, line.rstrip("\n")))
            if name == "server" and "Listening on" in line:
                self._listening.set()
        if name == "server":
            self._listening.set()  # nobody needs to wait any longer
        program.stdout.close()


def _say(who: str, line: str) -> None:
    try:
        print(f"{who:>6} | {line}", flush=True)
    except OSError:  # the terminal was closed: what is left to do is to end everything
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _can_show_windows() -> bool:
    """Whether there is a display, and what the client's window is made of."""
    if sys.platform not in ("win32", "darwin") and not os.environ.get("DISPLAY"):
        return False
    return all(importlib.util.find_spec(name) for name in ("tkinter", "PIL", "pystray"))


def _free_port() -> int:
    """None of those that the system hands out by itself: somebody else could get it before the server."""
    for port in random.sample(OWN_PORTS, len(OWN_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("there is no free port: name one with --port")


class Interruptions:
    """The first Ctrl-C, or end of the terminal, is a KeyboardInterrupt; a second Ctrl-C calls `hurry`."""

    def __init__(self, hurry: Callable[[], None]) -> None:
        self._hurry = hurry
        self.hurried = False
        """Whether there was a second one."""

    def follow(self) -> None:
        """From now on. Main thread."""
        _on_signals(self._first, self._first)

    def no_more(self) -> None:
        """It ends by itself: a Ctrl-C would be the second one."""
        # A closing terminal sends several of the others: ending is not to be cut short by them.
        _on_signals(self._second, signal.SIG_IGN)

    def _first(self, _number: int, _frame: object) -> None:
        self.no_more()
        raise KeyboardInterrupt

    def _second(self, _number: int, _frame: object) -> None:
        self.hurried = True
        self._hurry()


def _on_signals(
    interrupted: Callable[[int, object], None], ended: Callable[[int, object], None] | signal.Handlers
) -> None:
    """Ctrl-C, also where a shell's background job ignores it; the end of the terminal, unless under nohup.

    Each goes from one handler to the next at once: one that came while it is ignored would be lost.
    """
    signal.signal(signal.SIGINT, interrupted)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, ended)
    signal.signal(signal.SIGTERM, ended)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo until Ctrl-C: 0 then, `INTERRUPTED` if its end was not waited for."""
    parser = argparse.ArgumentParser(prog="make demo", description="Calls that pop up, without an Asterisk.")
    parser.add_argument("--port", type=int, default=0, help="port of the server (default: any free one)")
    parser.add_argument("--every", type=float, default=8.0, help="seconds between callers (default: 8)")
    parser.add_argument("--open", action="store_true", help="really open the pages in the browser")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:
        parser.error("--port is a number from 0 to 65535")
    if not 0.1 <= options.every <= 86400:
        parser.error("--every is a number of seconds from 0.1 to 86400")
    with tempfile.TemporaryDirectory(prefix="astcti-demo-") as folder:
        stage = Stage(Path(folder), port=options.port, every=options.every, open_pages=options.open)
        _say("demo", f"operator {USER} sits at phone {PHONE}; a caller comes every {options.every:g} seconds")
        _say("demo", "Ctrl-C ends everything")
        interruptions, code = Interruptions(stage.kill), 1
        try:
            interruptions.follow()
            stage.start()
            code = stage.play()
        except KeyboardInterrupt:
            _say("demo", "ending")
            code = 0
        except (OSError, RuntimeError) as error:
            _say("demo", str(error))
        finally:
            interruptions.no_more()
            stage.stop()
    return INTERRUPTED if interruptions.hurried else code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # before there was anything to end
        sys.exit(INTERRUPTED)
