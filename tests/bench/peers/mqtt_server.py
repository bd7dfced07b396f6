"""The reference: the same parser, tracker and encoder, with a message broker between it and the clients.

One thread reads Asterisk and publishes each notification on the topic of its seat; Mosquitto, started here,
brings it to whoever subscribed.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.configuration import xml_form
from schemas.event_xml import encode
from schemas.server import settings_xml
from schemas.server.settings import ServerSettings
from tests.bench.peers import mqtt
from tests.bench.workload.call_centre import CallCentre

BROKER = "broker.json"
CHUNK = 65536
START_WITHIN = 10.0  # seconds
_BROKER_SETTINGS = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
log_dest none
"""


def broker_program() -> str | None:
    """Where Mosquitto is; Debian puts it into a folder that is not in every path."""
    return shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


class Broker:
    """A running Mosquitto, as a context manager."""

    def __init__(self, directory: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        settings = directory / "mosquitto.conf"
        settings.write_text(_BROKER_SETTINGS.format(port=self.port))
        program = broker_program()
        assert program is not None  # the bench looked before it started this
        self._process = subprocess.Popen([program, "-c", str(settings)])

    def __enter__(self) -> Broker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def connect(self) -> socket.socket:
        """A connection that may publish. Raises OSError if the broker does not come up."""
        deadline = time.monotonic() + START_WITHIN
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", self.port))
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)  # nothing tells another process that it listens
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(mqtt.connect("server"))
        if connection.recv(CHUNK) != mqtt.CONNACK_BYTES:
            raise OSError("the broker does not let the server in")
        return connection


def serve(config: Path, settings: ServerSettings, broker: socket.socket) -> None:
    """Read Asterisk until it goes, and publish."""

    def publish(notification: Notification) -> None:
        broker.sendall(mqtt.publish(notification.extension, encode(notification.event)))

    replay = Replay(xml_form.load_xml(config / CallCentre.FILE), publish)
    ami = settings.ami
    with socket.create_connection((ami.host, ami.port)) as asterisk:
        login = f"Action: Login\r\nUsername: {ami.username}\r\nSecret: {ami.secret}\r\n\r\n"
        asterisk.sendall(f"{login}Action: QueueStatus\r\n\r\n".encode())
        while data := asterisk.recv(CHUNK):
            replay.feed(data)


def main(config: Path, state: Path) -> None:
    """Run with the configuration in a directory, until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = settings_xml.load_settings(config / "server.xml")
    with Broker(state) as broker, broker.connect() as connection:
        part = (state / BROKER).with_suffix(".part")
        part.write_text(json.dumps(broker.port))
        part.rename(state / BROKER)
        serve(config, settings, connection)


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    main(Path(options["--config"]), Path(options["--state"]))
