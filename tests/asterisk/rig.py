"""Real Asterisks for the tests: each instance is a process in a chroot with its own folder and ports.

Needs root, and what install.sh made. Everything listens on 127.0.0.1. See README.md for how to use it.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from tests.asterisk.ami_session import AmiError, AmiSession
from tests.fake.certificates import make_certificate
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

CACHE = Path(os.environ.get("ASTCTI_ASTERISK_CACHE", "/var/cache/astcti-test"))
TEMPLATES = Path(__file__).parent / "etc"
A_DAY = 86400.0
TECHNOLOGIES = {16: "SIP", 22: "PJSIP"}

OTHER_DRIVERS = {"SIP": "*_pjsip*.so", "PJSIP": "chan_sip.so"}  # modules of the phones we do not use
# Without these files Asterisk gives up a transfer instead of announcing it.
SOUNDS = ("pbx-transfer", "pbx-invalid", "pbx-invalidbutton", "beep", "beeperr", "privacy-unident")
# Without these some modules do not load.
EMPTY_FILES = (
    "acl",
    "ccss",
    "cdr",
    "cel",
    "cli",
    "cli_aliases",
    "cli_permissions",
    "codecs",
    "confbridge",
    "dsp",
    "enum",
    "followme",
    "http",
    "pjproject",
    "pjsip_notify",
    "queuerules",
    "sorcery",
    "stasis",
    "udptl",
)
SILENCE = b"\xff" * 800  # 0.1 s of ulaw


class RigError(Exception):
    """An Asterisk could not be prepared, started or spoken to; the text has the end of its log."""


def installed(version: int) -> bool:
    """Whether install.sh has made this version and we may start it."""
    return os.geteuid() == 0 and (_root_of(version) / "usr/sbin/asterisk").exists()


def _root_of(version: int) -> Path:
    return CACHE / f"asterisk-{version}"


class Asterisk:
    """One Asterisk of the rig, and the ports it listens on.

    Use it as a context manager, or call `start` and in the end `close`. Ports and configuration stay the same
    over `stop`, `kill`, `start` and `restart`.
    """

    def __init__(self, version: int) -> None:
        if not installed(version):
            raise RigError(
                f"Asterisk {version} is not installed, or we are not root: run tests/asterisk/install.sh"
            )
        self.version = version
        self.technology = TECHNOLOGIES[version]
        self.root = _root_of(version)
        _remove_old_folders(self.root)
        self.folder = Path(tempfile.mkdtemp(prefix="rig-", dir=self.root))
        self.home = f"/{self.folder.name}"  # the same folder as the Asterisk in the chroot sees it
        self.ami_port, self.ami_tls_port = free_port(), free_port()
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.ca_file = self.folder / "etc/ami.crt"  # what a client must trust to reach ami_tls_port
        self._modules = next(self.root.glob("usr/lib/**/asterisk/modules")).relative_to(self.root)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: AmiSession | None = None
        self._configure()

    def __enter__(self) -> "Asterisk":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def device(self, name: str) -> str:
        """The phone as Asterisk names it, for example SIP/201 or PJSIP/201."""
        return f"{self.technology}/{name}"

    # --- the process ---------------------------------------------------------------------------------------

    def start(self, timeout: float = 2 * PATIENCE) -> None:
        """Start the process; return when AMI accepts a login and says FullyBooted."""
        if self._process is not None:
            raise RigError("it is running already")
        with (self.folder / "log/output").open("ab") as output:
            self._process = subprocess.Popen(
                # Should the tests be killed, it ends with them.
                [
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                    "chroot",
                    str(self.root),
                    "asterisk",
                    "-f",
                    "-C",
                    f"{self.home}/etc/asterisk.conf",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
            )
        deadline = time.monotonic() + timeout
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                reason = "did not get ready" if self._process.poll() is None else "ended"
                self.kill()
                raise RigError(f"Asterisk {self.version} {reason}\n{self.log_tail()}")
            time.sleep(0.05)  # nothing tells us when the port begins to listen

    def stop(self, timeout: float = PATIENCE) -> None:
        """Stop as a service is stopped: AMI clients get a Shutdown event, then the end of the connection."""
        if self._process is None:
            return
        self._drop_control()
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RigError(f"Asterisk {self.version} did not stop\n{self.log_tail()}") from None
        self._process = None

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        if self._process is None:
            return
        self._drop_control()
        self._process.kill()
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop and start. Calls and dynamic queue members are gone afterwards."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop and remove the instance's folder; the object is of no use afterwards."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- talking to it -------------------------------------------------------------------------------------

    @property
    def control(self) -> AmiSession:
        """The rig's own AMI connection: may do everything, gets no events."""
        if self._control is None:
            self._control = AmiSession(self.ami_port, "rig", "rig", events=False)
        return self._control

    def cli(self, command: str) -> str:
        """What `asterisk -rx command` prints."""
        done = subprocess.run(
            ["chroot", str(self.root), "asterisk", "-C", f"{self.home}/etc/asterisk.conf", "-rx", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            cwd="/",
        )
        if done.returncode:
            raise RigError(f"{command}: {done.stdout}{done.stderr}\n{self.log_tail()}")
        return done.stdout

    def channels(self) -> list[str]:
        """The names of the channels there are now."""
        found = self.control.entries("CoreShowChannels", "CoreShowChannel", "CoreShowChannelsComplete")
        return [message["Channel"] for message in found]

    def members(self) -> list[tuple[str, str]]:
        """The members of all queues, as (queue, interface)."""
        found = self.control.entries("QueueStatus", "QueueMember", "QueueStatusComplete")
        return [(message["Queue"], message["Location"]) for message in found]

    def reset(self, timeout: float = PATIENCE) -> None:
        """Hang up every channel, remove every queue member, and return when there are none."""
        if self._process is None:
            self.start()
        deadline = time.monotonic() + timeout
        while channels := self.channels():
            for channel in channels:
                self.control.action("Hangup", Channel=channel)  # an error means that it is gone already
            if time.monotonic() > deadline:
                raise RigError(f"still there: {channels}\n{self.log_tail()}")
            time.sleep(0.02)
        for queue, interface in self.members():
            self.control.must("QueueRemove", Queue=queue, Interface=interface)

    def log_tail(self, lines: int = 60) -> str:
        """The end of Asterisk's own log."""
        texts = []
        for name, wanted in (("output", 5), ("full", lines)):
            log = self.folder / "log" / name
            if log.exists():
                tail = log.read_text(errors="replace").splitlines()[-wanted:]
                texts.append(f"--- {log}\n" + "\n".join(tail))
        return "\n".join(texts)

    # --- preparing it --------------------------------------------------------------------------------------

    def _configure(self) -> None:
        for name in ("etc", "lib", "spool", "run", "log", "lib/keys", "data/moh", "data/sounds/en"):
            (self.folder / name).mkdir(parents=True)
        for name in SOUNDS:
            (self.folder / "data/sounds/en" / f"{name}.ulaw").write_bytes(SILENCE)
        (self.folder / "data/moh/silence.ulaw").write_bytes(SILENCE * 100)
        # Seen from inside the chroot; without its documentation Asterisk refuses its own configuration.
        (self.folder / "data/documentation").symlink_to("/usr/share/asterisk/documentation")
        values = self._values()
        for template in TEMPLATES.iterdir():
            (self.folder / "etc" / template.name).write_text(filled(template.read_text(), values))
        modules = self.folder / "etc/modules.conf"
        modules.write_text(self._without_patterns(modules.read_text()))
        for name in EMPTY_FILES:
            (self.folder / "etc" / f"{name}.conf").touch()
        shutil.copy(self.root / "etc/asterisk/indications.conf", self.folder / "etc")
        # Asterisk asks for its own address, and would ask a name server if this did not tell it.
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")
        self._make_certificate()

    def _values(self) -> dict[str, str]:
        return {
            "home": self.home,
            "modules": f"/{self._modules}",
            "technology": self.technology,
            "other_driver": OTHER_DRIVERS[self.technology],
            "ami_port": str(self.ami_port),
            "ami_tls_port": str(self.ami_tls_port),
            "sip_port": str(self.sip_port),
        }

    def _without_patterns(self, text: str) -> str:
        """modules.conf with a line for each module that a pattern fits."""
        lines = []
        for line in text.splitlines():
            head, arrow, pattern = line.partition("noload => ")
            found = (self.root / self._modules).glob(pattern) if arrow else ()
            lines += sorted(f"noload => {module.name}" for module in found) if arrow else [head]
        return "\n".join(lines) + "\n"

    def _make_certificate(self) -> None:
        make_certificate(
            self.ca_file.parent, self.ca_file.stem, subjects="DNS:localhost,IP:127.0.0.1", days=90
        )

    def _is_ready(self) -> bool:
        try:
            with AmiSession(self.ami_port, timeout=5) as session:
                session.wait_for("FullyBooted", timeout=5)
        except (OSError, AmiError):
            return False
        return True

    def _drop_control(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None


def _remove_old_folders(root: Path) -> None:
    """What instances left behind whose tests were killed."""
    for folder in root.glob("rig-*"):
        with contextlib.suppress(FileNotFoundError):  # another instance may be closing
            if time.time() - folder.stat().st_mtime > A_DAY:
                shutil.rmtree(folder, ignore_errors=True)


def filled(template: str, values: dict[str, str]) -> str:
    """The template with each %{name} replaced; ${...} is the dialplan's own and left alone."""
    return re.sub(r"%\{(\w+)\}", lambda match: values[match[1]], template)
