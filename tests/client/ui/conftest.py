"""A desktop for the windows of the client, and the client on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from astcti_client.net import mac_addresses
from astcti_client.net.mac_addresses import Interface
from astcti_client.password import Password
from astcti_client.settings import Settings
from astcti_client.ui import i18n
from tests import needed
from tests.client.ui.tools.desktop import Desktop, missing
from tests.client.ui.tools.web import browser, site
from tests.fake.cti_server import CtiServer

__all__ = ["browser", "site"]

MAC = "00:11:22:33:44:55"


HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the keyboard is and what a click meets changes if the machine does something else meanwhile."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.screen)


@pytest.fixture(autouse=True)
def in_english() -> None:
    """Whatever language the test before spoke."""
    i18n.use_language("en")


@pytest.fixture(scope="session")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    lacking = missing()
    if lacking:
        needed.lacking(f"windows cannot be tested here, missing: {', '.join(lacking)}")
    display = Desktop(tmp_path_factory.mktemp("desktop"))
    yield display
    display.close()


@pytest.fixture(scope="session")
def bare_desktop(desktop: Desktop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """One without a tray. It lasts: Tk ends the whole process when a display that it ever used is gone."""
    display = Desktop(tmp_path_factory.mktemp("bare"), tray=False)
    yield display
    display.close()


@pytest.fixture
def open_client(
    desktop: Desktop, server: CtiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Makes the client with the settings given; by default mario's, with his password."""
    from tests.client.ui.tools.window_test_bed import WindowTestBed

    monkeypatch.setenv("DISPLAY", desktop.display)
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setattr(mac_addresses, "read_interfaces", lambda: [Interface("eth0", MAC)])
    made: list[WindowTestBed] = []

    def make(*, locked: frozenset[str] = frozenset(), rest: float = 0, **wishes: Any) -> WindowTestBed:
        usual: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": server.port,
            "user": "mario",
            "theme": "light",
            "password": Password.from_text("test"),
        }
        made.append(WindowTestBed(tmp_path, server, Settings(**{**usual, **wishes}), locked, rest))
        return made[-1]

    yield make
    server.close()
    for bed in made:
        bed.close()


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories made in this test cannot hold more than a few calls."""
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        database = connect(*arguments, **options)
        database.execute("PRAGMA max_page_count = 4")
        return database

    monkeypatch.setattr(sqlite3, "connect", small)
