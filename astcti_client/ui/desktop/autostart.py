"""Has the system start the client when its user logs in to the PC, and takes that back. For this user alone.

Linux: a file that every desktop starts (XDG autostart specification). Windows: a value of the registry's Run
key. macOS: a LaunchAgent; it counts from the next log-in on.
"""

from __future__ import annotations

import importlib
import os
import plistlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from astcti_client.ui.desktop import url_handler
from astcti_client.whole_file import write_whole_file

RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
RUN_NAME = "AsteriskCTI"
AGENT = "org.asteriskcti.client"
AUTOSTART_FILE = "astcti-client.desktop"


def start_with_pc(wanted: bool) -> None:
    """Register, as the client is installed now, or take that back; harmless if it is so already. OSError."""
    if sys.platform == "win32":
        _windows(wanted)
    elif sys.platform == "darwin":
        command = url_handler.own_command()
        agent = {"Label": AGENT, "ProgramArguments": command, "RunAtLoad": True, "ProcessType": "Interactive"}
        _file(Path.home() / "Library/LaunchAgents" / f"{AGENT}.plist", plistlib.dumps(agent).decode(), wanted)
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        command = " ".join(url_handler.exec_word(word) for word in url_handler.own_command())
        content = (
            "[Desktop Entry]\nType=Application\nName=AsteriskCTI\nIcon=call-start\nTerminal=false\n"
            f"Exec={command}\nX-GNOME-Autostart-enabled=true\n"
        )
        _file(Path(base) / "autostart" / AUTOSTART_FILE, content, wanted)


def _file(file: Path, content: str, wanted: bool) -> None:
    if not wanted:
        file.unlink(missing_ok=True)
        return
    try:
        if file.read_text(encoding="utf-8") == content:
            return
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(file, content)


def _windows(wanted: bool) -> None:
    reg: Any = importlib.import_module("winreg")

    with reg.CreateKey(reg.HKEY_CURRENT_USER, RUN_KEY) as key:
        if wanted:
            command = subprocess.list2cmdline(url_handler.own_command())
            reg.SetValueEx(key, RUN_NAME, 0, reg.REG_SZ, command)
    if not wanted:
        with reg.OpenKey(reg.HKEY_CURRENT_USER, RUN_KEY, 0, reg.KEY_SET_VALUE) as key:
            try:
                reg.DeleteValue(key, RUN_NAME)
            except FileNotFoundError:
                pass  # it was not there
