"""What the client does on Windows and macOS, as far as stand-ins for their parts can show it."""

from __future__ import annotations

import ctypes
import plistlib
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astcti_client.hand_over import named_pipe
from astcti_client.hand_over.named_pipe import KEY_FILE, HandOverPipe
from astcti_client.hand_over.requests import OtherClient
from astcti_client.triggers.programs import TriggerRefused
from astcti_client.triggers.runner import TriggerRunner, own_system
from astcti_client.ui import i18n
from astcti_client.ui.browser.browser_windows import BrowserWindows
from astcti_client.ui.desktop import autostart, hot_key, url_handler
from astcti_client.ui.desktop.system_colours import system_wants_dark
from schemas.events import Action

# --- Windows: the registry ---


class Registry(types.ModuleType):
    """The part of `winreg` that the client uses, in memory. The case of keys does not matter."""

    HKEY_CURRENT_USER, REG_SZ, KEY_SET_VALUE = "HKCU", 1, 2

    def __init__(self) -> None:
        super().__init__("winreg")
        self.keys: dict[str, dict[str, Any]] = {"software": {}}

    def CreateKey(self, root: str, path: str) -> _Key:  # noqa: N802
        assert root == "HKCU"
        parts = path.lower().split("\\")
        for count in range(1, len(parts) + 1):
            self.keys.setdefault("\\".join(parts[:count]), {})
        return _Key(path.lower())

    def OpenKey(self, root: str, path: str, _reserved: int = 0, _access: int = 0) -> _Key:  # noqa: N802
        assert root == "HKCU"
        if path.lower() not in self.keys:
            raise FileNotFoundError(2, path)
        return _Key(path.lower())

    def SetValueEx(self, key: _Key, name: str, _reserved: int, kind: int, value: Any) -> None:  # noqa: N802
        assert kind == self.REG_SZ
        self.keys[key.path][name] = value

    def QueryValueEx(self, key: _Key, name: str) -> tuple[Any, int]:  # noqa: N802
        if name not in self.keys[key.path]:
            raise FileNotFoundError(2, name)
        return self.keys[key.path][name], 1

    def DeleteValue(self, key: _Key, name: str) -> None:  # noqa: N802
        if name not in self.keys[key.path]:
            raise FileNotFoundError(2, name)
        del self.keys[key.path][name]

    def QueryInfoKey(self, key: _Key) -> tuple[int, int, int]:  # noqa: N802
        return len(self._below(key.path)), len(self.keys[key.path]), 0

    def EnumKey(self, key: _Key, place: int) -> str:  # noqa: N802
        return self._below(key.path)[place]

    def DeleteKey(self, _root: str, path: str) -> None:  # noqa: N802
        if self._below(path.lower()):
            raise PermissionError(5, "it has keys below it")
        del self.keys[path.lower()]

    def _below(self, path: str) -> list[str]:
        start = path + "\\"
        rest = [path.removeprefix(start) for path in self.keys if path.startswith(start)]
        return sorted(name for name in rest if "\\" not in name)


class _Key:
    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> _Key:
        return self

    def __exit__(self, *_error: object) -> None:
        pass


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    keys = Registry()
    monkeypatch.setitem(sys.modules, "winreg", keys)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(
        url_handler, "own_command", lambda: [r"C:\Program Files\Astcti\astcti-client-window.exe"]
    )
    return keys


def test_the_client_starts_with_windows_and_no_more(registry: Registry) -> None:
    run = autostart.RUN_KEY.lower()
    registry.CreateKey("HKCU", autostart.RUN_KEY)
    registry.keys[run]["Another"] = "program.exe"
    autostart.start_with_pc(True)
    autostart.start_with_pc(True)
    assert registry.keys[run] == {
        "Another": "program.exe",
        "AsteriskCTI": r'"C:\Program Files\Astcti\astcti-client-window.exe"',
    }
    autostart.start_with_pc(False)
    autostart.start_with_pc(False)
    assert registry.keys[run] == {"Another": "program.exe"}


def test_the_client_starts_with_macos_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(url_handler, "own_command", lambda: ["/Applications/A & B.app/client"])
    autostart.start_with_pc(True)
    file = tmp_path / "Library/LaunchAgents" / f"{autostart.AGENT}.plist"
    agent = plistlib.loads(file.read_bytes())
    assert agent["ProgramArguments"] == ["/Applications/A & B.app/client"]
    assert agent["RunAtLoad"] is True
    autostart.start_with_pc(False)
    autostart.start_with_pc(False)
    assert not file.exists()


def test_links_are_registered_in_the_registry_and_nothing_is_left_when_they_are_taken_back(
    registry: Registry,
) -> None:
    registry.CreateKey("HKCU", r"Software\Classes")
    registry.CreateKey("HKCU", r"Software\RegisteredApplications")
    before = {path: dict(values) for path, values in registry.keys.items()}
    url_handler.register_url_handler()
    command = registry.keys[r"software\classes\tel\shell\open\command"][""]
    assert command == r'"C:\Program Files\Astcti\astcti-client-window.exe" dial "%1"'
    assert registry.keys[r"software\classes\sip"]["URL Protocol"] == ""
    assert registry.keys[r"software\registeredapplications"]["AsteriskCTI"] == (
        r"Software\AsteriskCTI\Capabilities"
    )
    associations = registry.keys[r"software\asteriskcti\capabilities\urlassociations"]
    assert associations == dict.fromkeys(url_handler.SCHEMES, "AsteriskCTI.Call")
    url_handler.unregister_url_handler()
    assert registry.keys == before
    url_handler.unregister_url_handler()  # a second time does no harm


def test_links_that_another_program_took_over_stay_its(registry: Registry) -> None:
    url_handler.register_url_handler()
    place = registry.OpenKey("HKCU", r"Software\Classes\tel\shell\open\command")
    registry.SetValueEx(place, "", 0, 1, r'"C:\softphone.exe" "%1"')
    url_handler.unregister_url_handler()
    assert registry.keys[place.path][""] == r'"C:\softphone.exe" "%1"'
    assert r"software\classes\sip" not in registry.keys


@pytest.mark.parametrize(("light", "dark"), [(0, True), (1, False)])
def test_windows_says_whether_it_is_dark(registry: Registry, light: int, dark: bool) -> None:
    assert not system_wants_dark()  # a Windows that has no such key
    place = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
    registry.SetValueEx(registry.CreateKey("HKCU", place), "AppsUseLightTheme", 0, 1, light)
    assert system_wants_dark() == dark


# --- Windows: programs, pipes, keys ---


class Started:
    """Takes the place of `subprocess.Popen` and remembers how it was called."""

    def __init__(self, seen: list[dict[str, Any]]) -> None:
        self._seen = seen

    def __call__(self, command: list[str], **how: Any) -> Any:
        self._seen.append({"command": command, **how})
        raise OSError("not on this system")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(subprocess, "Popen", Started(seen))
    for name, bits in {
        "CREATE_NO_WINDOW": 0x08000000,
        "DETACHED_PROCESS": 8,
        "CREATE_NEW_PROCESS_GROUP": 512,
    }.items():
        monkeypatch.setattr(subprocess, name, bits, raising=False)
    return seen


def test_windows_opens_no_console_for_pages_and_leaves_programs_on_their_own(
    started: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_system() == "windows"
    monkeypatch.setenv("ASTCTI_CLIENT_PASSWORD", "test")
    program = tmp_path / "crm.exe"
    program.write_text("")
    runner = TriggerRunner(environ={"PATH": str(tmp_path)})
    runner.perform(Action("application", application="crm", arguments=("a b",)), trusted=True)
    runner.perform(Action("browser", url="https://crm.example/"))
    monkeypatch.setattr(BrowserWindows, "available", staticmethod(lambda: True))
    with pytest.raises(TriggerRefused):
        BrowserWindows(lambda _url, _why: None).show("https://crm.example/", "Demo")
    application, page, own = started
    assert application["command"] == [str(program), "a b"]
    assert application["creationflags"] == 8 | 512
    assert page["creationflags"] == 0x08000000 | 512
    assert own["creationflags"] == 0x08000000
    # No module of the folder in which the client was started may take the place of the window's own.
    assert "-P" in own["command"][: own["command"].index("-m")]
    assert not any(how.get("shell") or how.get("start_new_session") for how in started)
    assert all(how["cwd"] == str(Path.home()) for how in started)
    assert not any("ASTCTI_CLIENT_PASSWORD" in how["env"] for how in started)


def test_a_pipe_that_is_taken_means_another_client_even_if_its_key_was_tidied_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(_name: str, **_how: object) -> None:
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(named_pipe, "Listener", taken)
    with pytest.raises(OtherClient):
        HandOverPipe(str(tmp_path / "pipe"), tmp_path, lambda _number, _answer: None, None)
    assert not (tmp_path / KEY_FILE).exists()


class User32:
    """The hot key's part of Windows: free or taken, and pressed once."""

    def __init__(self, free: bool) -> None:
        self.free, self.calls = free, list[tuple[Any, ...]]()
        self._messages = [1]

    def RegisterHotKey(self, *how: Any) -> int:  # noqa: N802
        self.calls.append(how)
        return int(self.free)

    def PeekMessageW(self, _message: object, *_how: Any) -> int:  # noqa: N802
        return self._messages.pop() if self._messages else 0

    def UnregisterHotKey(self, *how: Any) -> int:  # noqa: N802
        self.calls.append(how)
        return 1


@pytest.fixture
def windows_keys(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], User32]:
    def make(free: bool) -> User32:
        user32 = User32(free)
        monkeypatch.setattr(ctypes, "windll", types.SimpleNamespace(user32=user32), raising=False)
        monkeypatch.setattr(sys, "platform", "win32")
        return user32

    return make


@pytest.mark.parametrize(
    ("text", "modifiers", "code"),
    [("Ctrl+Alt+D", 3, 0x44), ("Win+5", 8, 0x35), ("F9", 0, 0x78), ("F12", 0, 0x7B)],
)
def test_windows_gets_the_keys_by_its_own_numbers_and_back(
    windows_keys: Callable[[bool], User32], text: str, modifiers: int, code: int
) -> None:
    user32 = windows_keys(True)
    heard = threading.Event()
    key = hot_key.HotKey(text, heard.set)
    assert heard.wait(5)
    key.close()
    assert user32.calls == [(None, 1, modifiers | 0x4000, code), (None, 1)]


def test_a_key_that_windows_does_not_give_is_said_to_be_taken(windows_keys: Callable[[bool], User32]) -> None:
    windows_keys(False)
    with pytest.raises(hot_key.NoHotKey, match="another program"):
        hot_key.HotKey("Ctrl+Alt+D", lambda: None)


# --- macOS ---


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac whose settings say: dark, and Italian of Switzerland."""
    program = tmp_path / "defaults"
    program.write_text('#!/bin/sh\ncase "$3" in AppleLocale) echo it_CH@currency=CHF;; *) echo Dark;; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(sys, "platform", "darwin")
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("mac")
def test_a_mac_is_asked_for_colours_and_language_and_has_neither_links_nor_a_hot_key() -> None:
    assert system_wants_dark()
    assert own_system() == "macos"
    i18n.use_language("")
    assert i18n._("Dial") == "Componi"
    i18n.use_language("en")
    with pytest.raises(hot_key.NoHotKey, match="macOS"):
        hot_key.HotKey("Ctrl+Alt+D", lambda: None)
    with pytest.raises(url_handler.CannotRegister, match="macOS"):
        url_handler.register_url_handler()
