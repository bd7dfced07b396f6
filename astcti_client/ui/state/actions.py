"""What the windows ask of the program: the only thing they know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from astcti_client.settings_file import Writable


@dataclass(frozen=True, slots=True)
class LoginWish:
    """What was typed into the log-in window."""

    host: str
    port: int
    tls: bool
    user: str
    password: str
    """Empty to use the one that is remembered."""
    remember: bool
    ca_file: str = ""


class Actions(Protocol):
    """Every one returns at once; main thread."""

    def log_in(self, wish: LoginWish) -> None:
        """Connect with these."""

    def log_out(self) -> None:
        """End the session and show the log-in window."""

    def ask_pause(self, reason: str) -> None:
        """Ask the server for a pause."""

    def ask_return(self) -> None:
        """Ask for the pause's end; the password first, if the settings want it."""

    def hang_up(self, key: str) -> None:
        """End a call."""

    def transfer(self, key: str, number: str, context: str) -> None:
        """Send the other party of a call to a number. Raises ValueError if it is none."""

    def open_pages(self, key: str) -> None:
        """Open the pages of a call again."""

    def dial(self, number: str, context: str = "") -> str:
        """Call a number as typed; returns what is wrong with it, or nothing."""

    def copy(self, text: str) -> None:
        """Put a text into the clipboard."""

    def show_window(self) -> None:
        """Bring the main window to the front."""

    def show_dial(self) -> None:
        """Bring the main window to the front, ready to type a number."""

    def show_history(self) -> None:
        """Open the history."""

    def show_settings(self) -> None:
        """Open the settings."""

    def show_about(self) -> None:
        """Open what tells about the program."""

    def close_notices(self) -> None:
        """Take all notices of calls away."""

    def change_settings(self, changes: dict[str, Writable]) -> str:
        """Write settings into the user's file and use them; returns what is wrong, or nothing."""

    def hide_window(self) -> None:
        """Close the main window: into the tray, or where there is none, to where it can be found again."""

    def quit(self) -> None:
        """Log out and end the program."""
