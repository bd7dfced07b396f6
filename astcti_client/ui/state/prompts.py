"""What the parts without a window have the user told or asked; the windows carry it out. No Tk. Main thread.

The parts are made before the windows that show them, and so know none: they hand these values to the program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from astcti_client.ui.state.lasting_messages import LastingMessage
from schemas.events import Action


@dataclass(frozen=True, slots=True)
class PassingMessage:
    """A text in the main window for some seconds; where nobody can see it, it waits until somebody does."""

    text: str


@dataclass(frozen=True, slots=True)
class NumberReturned:
    """A number that could not be called goes back into the dial bar, to try again."""

    number: str


@dataclass(frozen=True, slots=True)
class DialBarWanted:
    """The main window, ready to type a number."""


@dataclass(frozen=True, slots=True)
class PasswordWanted:
    """The user's password: `is_right` checks what is typed, `done` is called once it was given."""

    is_right: Callable[[str], bool]
    done: Callable[[], None]


@dataclass(frozen=True, slots=True)
class ConfirmationWanted:
    """Whether this page is to be opened, this program to be started; `answered` is called once."""

    action: Action
    answered: Callable[[bool], None]


@dataclass(frozen=True, slots=True)
class LoginWanted:
    """The log-in window. `remembered`: a password is known; `can_remember`: there is a keyring for one.

    `unasked`: nobody waits for it, so it does not take the keyboard.
    """

    remembered: bool
    can_remember: bool
    unasked: bool = False


@dataclass(frozen=True, slots=True)
class LoginStarted:
    """What was typed into the log-in window is being tried."""


@dataclass(frozen=True, slots=True)
class LoginFailed:
    """Why the log-in failed, in the log-in window, `text` in the language of the moment.

    With `certificate` a file can be chosen; `macs` can be copied. With `unencrypted` the user can switch
    encryption on, or allow to do without.
    """

    text: Callable[[], str]
    certificate: bool = False
    macs: tuple[str, ...] = ()
    unencrypted: bool = False


@dataclass(frozen=True, slots=True)
class LoginDone:
    """The log-in window has served; the main one comes."""


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Every window that belongs to the session closes."""


@dataclass(frozen=True, slots=True)
class WindowWanted:
    """The main window comes into sight: something in it must be seen. The keyboard stays where it is."""


Prompt = (
    PassingMessage
    | LastingMessage
    | NumberReturned
    | DialBarWanted
    | PasswordWanted
    | ConfirmationWanted
    | LoginWanted
    | LoginStarted
    | LoginFailed
    | LoginDone
    | LoggedOut
    | WindowWanted
)
ShowPrompt = Callable[[Prompt], None]
