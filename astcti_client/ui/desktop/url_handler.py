"""Makes the client the one who gets tel:, callto: and sip: links, and takes that back."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from astcti_client.whole_file import write_whole_file

SCHEMES = ("tel", "callto", "sip")
DESKTOP_FILE = "astcti-client.desktop"
_DEFAULTS = "[Default Applications]"
# Below HKEY_CURRENT_USER of Windows' registry.
_CLASSES = r"Software\Classes"
_CLASS = "AsteriskCTI.Call"
_OWN = r"Software\AsteriskCTI"
_REGISTERED = r"Software\RegisteredApplications"


class CannotRegister(Exception):
    """It does not work here. The text says why."""


def own_command() -> list[str]:
    """How a desktop starts this client: there is no terminal, so what goes wrong has to show in a window."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    suffix = ".exe" if sys.platform == "win32" else ""
    for name in ("astcti-client-window", "astcti-client"):
        beside = Path(sys.executable).with_name(name + suffix)
        if beside.exists():
            return [str(beside)]
    for name in ("astcti-client-window", "astcti-client"):
        if found := shutil.which(name):
            return [found]
    return [sys.executable, "-P", "-m", "astcti_client"]  # -P: no module of the folder a link is clicked in


def register_url_handler() -> str:
    """Register for this user; returns what was done. Raises CannotRegister."""
    if sys.platform == "win32":
        return _register_windows()
    if sys.platform == "darwin":
        raise CannotRegister("on macOS only application bundles get links; this is not done yet")
    try:
        return _register_linux()
    except OSError as error:
        raise CannotRegister(f"{error.filename}: {error.strerror}") from None


def unregister_url_handler() -> str:
    """Take the registration back; returns what was done. Raises CannotRegister."""
    if sys.platform == "win32":
        return _unregister_windows()
    if sys.platform == "darwin":
        raise CannotRegister("on macOS nothing was registered")
    file = _applications() / DESKTOP_FILE
    try:
        file.unlink(missing_ok=True)
        _change_defaults(add=False)
    except OSError as error:
        raise CannotRegister(f"{error.filename}: {error.strerror}") from None
    _tell_desktop(file.parent)
    return f"removed {file}"


# --- Linux ---


def _applications() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(base) / "applications"


def _register_linux() -> str:
    place = _applications()
    place.mkdir(parents=True, exist_ok=True)
    command = " ".join(exec_word(word) for word in own_command())
    kinds = "".join(f"x-scheme-handler/{scheme};" for scheme in SCHEMES)
    file = place / DESKTOP_FILE
    write_whole_file(
        file,
        "[Desktop Entry]\nType=Application\nName=AsteriskCTI\nName[it]=AsteriskCTI\n"
        "Comment=Calls with the desk phone\nComment[it]=Chiama con il telefono della postazione\n"
        f"Exec={command} dial %u\nIcon=call-start\nTerminal=false\nNoDisplay=true\nMimeType={kinds}\n"
        "Categories=Network;Telephony;\n",
    )
    _change_defaults(add=True)
    _tell_desktop(place)
    return f"wrote {file}; links with {', '.join(SCHEMES)} now reach the running client"


def _tell_desktop(place: Path) -> None:
    """Have the desktop's list of programs follow what is in the folder."""
    if (updater := shutil.which("update-desktop-database")) and place.is_dir():
        subprocess.run([updater, str(place)], check=False, capture_output=True, timeout=20)


def exec_word(word: str) -> str:
    """As the desktop entry specification wants it in Exec."""
    if word == shlex.quote(word):
        return word.replace("%", "%%")
    for special in '\\"`$':
        word = word.replace(special, "\\\\" + special)
    return f'"{word}"'.replace("%", "%%")


def _change_defaults(*, add: bool) -> None:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    file = Path(base) / "mimeapps.list"
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    except UnicodeDecodeError:
        raise CannotRegister(f"{file}: is not a text in UTF-8; save it again in that encoding") from None
    write_whole_file(file, with_defaults(text, add=add))


def with_defaults(text: str, *, add: bool) -> str:
    """A mimeapps.list in which links open this client first, or never. All other lines stay as they are."""
    lines: list[str] = []
    missing = [f"x-scheme-handler/{scheme}" for scheme in SCHEMES]
    kinds, ours, place = frozenset(missing), False, -1
    for line in text.removesuffix("\n").split("\n") if text else []:
        if line.startswith("["):
            ours = line.strip() == _DEFAULTS
        kind, equals, value = (part.strip() for part in line.partition("="))
        if ours and equals and kind in kinds:
            others = [name for name in value.split(";") if name and name != DESKTOP_FILE]
            wanted = [DESKTOP_FILE, *others] if add else others
            missing = [name for name in missing if name != kind]
            if not wanted:
                continue
            line = f"{kind}={';'.join(wanted)};"
        lines.append(line)
        place = len(lines) if ours and place < 0 else place
    if add and missing:
        if place < 0:
            lines.append(_DEFAULTS)
            place = len(lines)
        lines[place:place] = [f"{kind}={DESKTOP_FILE};" for kind in missing]
    return "".join(f"{line}\n" for line in lines)


# --- Windows ---


def _windows_keys() -> dict[str, dict[str, str]]:
    """Registry keys below HKEY_CURRENT_USER and their values; "" is the default value.

    Since Windows 8 only the user may choose the program for a kind of link: the capabilities make this one a
    choice under Default apps. Where nothing was chosen yet, the keys of the schemes themselves decide.
    """
    command = subprocess.list2cmdline([*own_command(), "dial", "%1"]).replace(" %1", ' "%1"')
    keys = {
        rf"{_CLASSES}\{_CLASS}": {"": "AsteriskCTI call", "URL Protocol": ""},
        rf"{_CLASSES}\{_CLASS}\shell\open\command": {"": command},
        rf"{_OWN}\Capabilities": {
            "ApplicationName": "AsteriskCTI",
            "ApplicationDescription": "Calls with the desk phone",
        },
        rf"{_OWN}\Capabilities\UrlAssociations": dict.fromkeys(SCHEMES, _CLASS),
    }
    for scheme in SCHEMES:
        keys[rf"{_CLASSES}\{scheme}"] = {"": f"URL:{scheme}", "URL Protocol": ""}
        keys[rf"{_CLASSES}\{scheme}\shell\open\command"] = {"": command}
    return keys


def _register_windows() -> str:
    reg: Any = importlib.import_module("winreg")

    for path, values in _windows_keys().items():
        with reg.CreateKey(reg.HKEY_CURRENT_USER, path) as key:
            for name, value in values.items():
                reg.SetValueEx(key, name, 0, reg.REG_SZ, value)
    with reg.CreateKey(reg.HKEY_CURRENT_USER, _REGISTERED) as key:
        reg.SetValueEx(key, "AsteriskCTI", 0, reg.REG_SZ, rf"{_OWN}\Capabilities")
    return "registered; if links still open another program, choose AsteriskCTI under Settings, Default apps"


def _unregister_windows() -> str:
    reg: Any = importlib.import_module("winreg")

    for scheme in SCHEMES:
        try:
            with reg.OpenKey(reg.HKEY_CURRENT_USER, rf"{_CLASSES}\{scheme}\shell\open\command") as key:
                ours = "astcti" in reg.QueryValueEx(key, "")[0].lower()
        except OSError:
            continue  # never registered, or taken back already
        if ours:  # or another program has taken the links over
            _delete_tree(reg, rf"{_CLASSES}\{scheme}")
    _delete_tree(reg, rf"{_CLASSES}\{_CLASS}")
    _delete_tree(reg, _OWN)
    try:
        with reg.OpenKey(reg.HKEY_CURRENT_USER, _REGISTERED, 0, reg.KEY_SET_VALUE) as key:
            reg.DeleteValue(key, "AsteriskCTI")
    except OSError:
        pass  # it was not there
    return "the registration was taken back"


def _delete_tree(reg: Any, path: str) -> None:
    """Windows deletes keys only when nothing is below them."""
    try:
        with reg.OpenKey(reg.HKEY_CURRENT_USER, path) as key:
            below = [reg.EnumKey(key, place) for place in range(reg.QueryInfoKey(key)[0])]
        for name in below:
            _delete_tree(reg, rf"{path}\{name}")
        reg.DeleteKey(reg.HKEY_CURRENT_USER, path)
    except OSError:
        return  # it was not there
