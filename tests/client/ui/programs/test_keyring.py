"""Remembered passwords with a real Secret Service: GNOME's keyring, open, closed, opened by its owner."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring.core
import pytest
from keyring.backends import SecretService

from astcti_client.password import Password
from astcti_client.ui.desktop.system_keyring import KEYRING_TIME, SystemKeyring
from tests import needed
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.web import await_fact
from tests.client.ui.tools.widgets import press, texts
from tests.client.ui.tools.window_test_bed import MARIO, WindowTestBed
from tests.fake.cti_server import CtiServer

# The keyring library leaves its connections to the bus to the collector of garbage.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket.*dbus:ResourceWarning")
Make = Callable[..., WindowTestBed]
HASH = Password.from_text("test").md5
PROMPT = "gcr-prompter"  # the program in whose window the system asks


class SecretStore:
    """A bus and a keyring of their own."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self._environ = environ
        command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
        self._bus = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._bus.stdout
        self.address = self._bus.stdout.readline().strip()
        self._keeper: subprocess.Popen[bytes] | None = None

    def start(self, *, opened: bool) -> None:
        """Have the keyring there, open or closed; the first time it must be open, which makes it."""
        self.stop()
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        self._keeper = subprocess.Popen(
            [*command, "--unlock"] if opened else command,
            env={**self._environ, "DBUS_SESSION_BUS_ADDRESS": self.address},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert self._keeper.stdin
        self._keeper.stdin.write(b"open sesame")
        self._keeper.stdin.close()
        await_fact(self._is_there, "no keyring")

    def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.terminate()
            self._keeper.wait()
            self._keeper = None

    def close(self) -> None:
        self.stop()
        self._bus.terminate()
        self._bus.wait()
        assert self._bus.stdout
        self._bus.stdout.close()

    def _is_there(self) -> bool:
        bus = "org.freedesktop.DBus"
        command = ["dbus-send", f"--bus={self.address}", "--print-reply", f"--dest={bus}"]
        command += ["/org/freedesktop/DBus", f"{bus}.NameHasOwner", "string:org.freedesktop.secrets"]
        return "boolean true" in subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.fixture(autouse=True)
def what_the_library_leaves_goes_with_the_test() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def store(
    open_client: Make, desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SecretStore]:
    programs = ("dbus-daemon", "dbus-send", "gnome-keyring-daemon")
    lacking = [program for program in programs if not shutil.which(program)]
    if lacking:
        needed.lacking(f"no keyring can be tested here, missing: {', '.join(lacking)}")
    place = tmp_path / "home"
    (place / "run").mkdir(parents=True, mode=0o700)
    environ = {
        **os.environ,
        "HOME": str(place),
        "XDG_DATA_HOME": str(place / "data"),
        "XDG_RUNTIME_DIR": str(place / "run"),
        "DISPLAY": desktop.display,
        "LANG": "C",
        "NO_AT_BRIDGE": "1",
    }
    secrets = SecretStore(place, environ)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", secrets.address)
    secrets.start(opened=True)
    monkeypatch.setattr(keyring.core, "_keyring_backend", SecretService.Keyring())
    yield secrets
    secrets.close()


def next_start(open_client: Make, monkeypatch: pytest.MonkeyPatch, **wishes: Any) -> WindowTestBed:
    """The client, started anew: it knows only what the keyring tells."""
    bed = open_client(password=None, **wishes)
    bed.app.start()
    return bed


def type_in(bed: WindowTestBed, *, remember: bool) -> None:
    window = bed.login()
    window.password.set("test")
    window.remember.set(remember)
    press(window, "Log in")


def log_in(bed: WindowTestBed, server: CtiServer) -> None:
    server.accept().log_in(who=MARIO)
    bed.pump(bed.root.winfo_viewable, "not logged in")


def test_a_remembered_password_is_found_at_the_next_start_until_it_is_forgotten(
    store: SecretStore, open_client: Make, server: CtiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = next_start(open_client, monkeypatch)
    type_in(first, remember=True)
    log_in(first, server)
    first.close()
    second = next_start(open_client, monkeypatch)
    assert second.app.windows.login is None
    log_in(second, server)
    for file in (*store.folder.rglob("*"), second.file):
        if file.is_file():
            assert HASH.encode() not in file.read_bytes()
            assert b"md5:" not in file.read_bytes()
    assert list(store.folder.rglob("*.keyring"))
    second.app.sign_in.log_out()
    type_in(second, remember=False)
    log_in(second, server)
    second.close()
    third = next_start(open_client, monkeypatch)
    assert third.app.windows.login is not None
    assert "Leave it empty to use the saved one." not in texts(third.login())


def keep_and_close(store: SecretStore) -> None:
    """Put mario's password into the keyring, and close that."""
    SystemKeyring().remember("127.0.0.1", "mario", Password.from_text("test"), pytest.fail)
    store.start(opened=False)


def test_a_closed_keyring_holds_up_nothing_and_once_it_is_open_the_client_logs_in(
    store: SecretStore,
    open_client: Make,
    desktop: Desktop,
    server: CtiServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep_and_close(store)
    begun = time.monotonic()
    bed = next_start(open_client, monkeypatch)
    assert time.monotonic() - begun < 2 * KEYRING_TIME
    window = bed.login()
    bed.pump(window.winfo_viewable)
    assert "Your keyring is closed." in texts(window)
    bed.pump(lambda: desktop.do("search", "--onlyvisible", "--class", PROMPT), "the system does not ask")
    assert bed.app.sign_in.keyring_is_asking()
    desktop.do("type", "open sesame")
    desktop.do("key", "Return")
    bed.pump(lambda: "Logging in …" in texts(window), "the client does not go on")
    log_in(bed, server)


def test_who_leaves_the_keyring_closed_types_the_password(
    store: SecretStore,
    open_client: Make,
    desktop: Desktop,
    server: CtiServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep_and_close(store)
    bed = next_start(open_client, monkeypatch)
    window = bed.login()
    bed.pump(lambda: desktop.do("search", "--onlyvisible", "--class", PROMPT), "the system does not ask")
    desktop.do("key", "Escape")
    bed.pump(lambda: "The keyring stayed closed: write your password." in texts(window))
    type_in(bed, remember=True)
    server.accept().log_in(who=MARIO)
    bed.pump(lambda: desktop.do("search", "--onlyvisible", "--class", PROMPT), "the system does not ask")
    bed.pump(lambda: "once you open the keyring" in texts(bed.app.windows.main))
    desktop.do("key", "Escape")
    bed.pump(lambda: not bed.app.sign_in.keyring_is_asking())
