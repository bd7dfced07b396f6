"""What the windows ask of the other parts of the program, a protocol for each part; they know nothing more.

Main thread. Everything returns at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from astcti_client.settings_file import Writable
from astcti_client.ui.state.seat_call import SeatCall


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What was typed into the log-in window."""

    host: str
    port: int
    tls: bool
    user: str
    password: str
    """Empty to use the one that is remembered."""
    remember: bool
    ca_file: str = ""
    plain: bool = False
    """Whether the user allowed a connection without encryption."""


ProblemTold = Callable[[str], bool]
"""Told what is wrong, or nothing once it is done. Returns whether the problem is shown to the user."""


class SeatActions(Protocol):
    """What the server is asked for; `app.seat_commands`."""

    def ask_pause(self, reason: str) -> None:
        """Ask the server for a pause."""

    def ask_return(self) -> None:
        """Ask for the pause's end; the password first, if the settings want it."""

    def join_queue(self, queue: str) -> None:
        """Ask the server to put this phone into a queue again."""

    def leave_queue(self, queue: str) -> None:
        """Ask it to take the phone out of a queue, until it is joined again or at the next log-in."""

    def watch_colleagues(self, watch: bool) -> None:
        """Have the server tell what colleagues do, from now on, or no more."""

    def answer(self, key: str) -> None:
        """Have this phone answer a call that rings here."""

    def hang_up(self, key: str) -> None:
        """End a call."""

    def call_back(self, key: str) -> str:
        """Call the number of a call that is over; returns what is wrong with it, or nothing."""

    def transfer(self, key: str, number: str, context: str, answered: ProblemTold) -> None:
        """Send the other party of a call to a number. Raises ValueError if it is none."""

    def consult(self, key: str, number: str, context: str, answered: ProblemTold) -> None:
        """Ask a colleague before a call is handed over. Raises ValueError if it is no number."""

    def hand_over(self, key: str) -> None:
        """Give a call to the colleague who is asked."""

    def take_back(self, key: str) -> None:
        """Give the colleague up who is asked about a call."""

    def dial(self, number: str, context: str = "") -> str:
        """Call a number as typed; returns what is wrong with it, or nothing."""

    def cancel_dial(self) -> None:
        """End the call that is being made."""

    def put_dial_away(self) -> None:
        """Show no longer what became of the last call."""


class SessionActions(Protocol):
    """Logging in and out; `app.sign_in`."""

    def log_in(self, request: LoginRequest) -> None:
        """Connect with these."""

    def log_out(self) -> None:
        """End the session and show the log-in window."""

    def try_now(self) -> None:
        """Do not wait for the next attempt to connect."""

    def keyring_is_asking(self) -> bool:
        """Whether the system waits for somebody to open the keyring."""

    def keyring_gave(self, host: str, user: str) -> bool:
        """Whether the keyring gave a password for this user at this server by now."""


class PageActions(Protocol):
    """The pages of calls; `app.call_triggers`."""

    def open_pages(self, call: SeatCall) -> None:
        """Open the pages of a call again."""

    def open_interrupted(self, call: SeatCall) -> None:
        """Do what an earlier run of the client was ended in the middle of."""


class WindowActions(Protocol):
    """The other windows; `app.open_windows`."""

    def show(self) -> None:
        """Bring the main window, or the log-in window, to the front."""

    def hide(self) -> None:
        """Close that window: into the tray, or where there is none, to where it can be found again."""

    def show_dial(self) -> None:
        """Bring the main window to the front, ready to type a number."""

    def show_history(self) -> None:
        """Open the history."""

    def show_colleagues(self) -> None:
        """Open the list of colleagues."""

    def transfer_to(self, number: str) -> None:
        """Have the transfer of the call that is up typed: the agent says the last word there."""

    def ask_first(self, number: str) -> None:
        """Ask the colleague with this number about the call that is up, before it is handed over."""

    def show_settings(self) -> None:
        """Open the settings."""

    def toggle_mini_view(self) -> None:
        """Have the main window show state, pause and calls alone, or everything again; it is remembered."""

    def show_about(self) -> None:
        """Open what tells about the program."""

    def close_notices(self) -> None:
        """Take all notices of calls away."""

    def put_away(self, topic: str) -> None:
        """Take the lasting message of this topic away."""

    def copy(self, text: str) -> None:
        """Put a text into the clipboard."""


class ProgramActions(Protocol):
    """What concerns the whole program; `app.app`."""

    def change_settings(self, changes: dict[str, Writable]) -> str:
        """Write settings into the user's file and use them; returns what is wrong, or nothing."""

    def quit(self) -> None:
        """Log out and end the program."""


@dataclass(frozen=True, slots=True)
class Actions:
    """The parts that windows may ask."""

    seat: SeatActions
    session: SessionActions
    pages: PageActions
    windows: WindowActions
    program: ProgramActions
