"""What the user asks the server for: pause, calls. Main thread; each returns at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from functools import partial

from astcti_client.hand_over.requests import DialReply
from astcti_client.net.connection import NotConnected
from astcti_client.net.messages import IssuedCommand
from astcti_client.phone_number import clean_number
from astcti_client.settings_file import Writable
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import ProblemTold
from astcti_client.ui.state.lasting_messages import LOST_PAUSE, LastingMessage
from astcti_client.ui.state.preferences import CannotChange, Preferences
from astcti_client.ui.state.prompts import (
    DialBarWanted,
    NumberAnswered,
    NumberReturned,
    PassingMessage,
    PasswordWanted,
    ShowPrompt,
    WindowWanted,
)
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.seat_session import SeatSession
from astcti_client.ui.text import words
from schemas.events import Originate
from schemas.protocol import DIALLED_CALL, NO_MORE, CommandName, PauseWord, QueueWord, Refusal, ReplyCode
from schemas.wire import Reply

HANG_UP_ONCE = 1.0  # seconds in which a second press of the key means the first
LONGEST_SELECTION = 200  # characters of a selected text that may be a number; the rest is a text


class SeatCommands:
    """What cannot be sent is told in the main window. See `actions.SeatActions`."""

    def __init__(
        self,
        preferences: Preferences,
        model: SeatModel,
        session: SeatSession,
        is_password: Callable[[str], bool],
        show_prompt: ShowPrompt,
        model_changed: Callable[[], None],
    ) -> None:
        """`is_password` tells the session's own; `model_changed` is called when the model is another."""
        self._preferences, self._model, self._session = preferences, model, session
        self._hung_up_at = -HANG_UP_ONCE
        self._is_password, self._show_prompt, self._model_changed = is_password, show_prompt, model_changed

    def ask_pause(self, reason: str) -> None:
        """Ask for a pause."""
        line = f"{CommandName.PAUSE} {PauseWord.IN} {reason}".rstrip()
        if self._model.pause.phase == "out" and self._send(line):
            self._model.pause_requested(reason)
            self._model_changed()

    def ask_return(self) -> None:
        """Ask for the pause's end; the password first, if the settings want it."""
        if self._model.pause.phase != "in":
            return
        if self._preferences.now.pause_lock and not self._is_password(""):
            self._show_prompt(PasswordWanted(self._is_password, self._return))
        else:
            self._return()

    def pause_again(self, reason: str) -> None:
        """The server lost a pause: ask for it again, and say so to whoever comes back to the desk."""
        if self._send(f"{CommandName.PAUSE} {PauseWord.IN} {reason}".rstrip()):
            self._show_prompt(LastingMessage(LOST_PAUSE, words.lost_pause(reason)))

    def may_change(self, changes: Mapping[str, Writable]) -> None:
        """Raise CannotChange for settings that would open a locked pause without the password."""
        if changes.get("pause-lock") is False and self._model.pause.phase in ("in", "leaving"):
            raise CannotChange(_("Come back from the pause first: it is locked with your password."))

    def join_queue(self, queue: str) -> None:
        """Ask the server to put this phone into a queue again."""
        self._model.queue_wanted(queue)
        self._send(f"{CommandName.QUEUE} {queue} {QueueWord.IN}")

    def leave_queue(self, queue: str) -> None:
        """Ask it to take the phone out of a queue, until it is joined again or at the next log-in."""
        self._send(f"{CommandName.QUEUE} {queue} {QueueWord.OUT}")

    def watch_colleagues(self, watch: bool) -> None:
        """Have the server tell what colleagues do, from now on, or no more."""
        colleagues = self._model.colleagues
        if self._model.up and colleagues.offered and colleagues.to_be_asked == watch:
            line = str(CommandName.COLLEAGUES) if watch else f"{CommandName.COLLEAGUES} {NO_MORE}"
            with contextlib.suppress(NotConnected):  # then it is asked again at the next connection
                self._session.send(line)
                colleagues.asked(to_be_told=watch)

    def answer(self, key: str) -> None:
        """Have this phone answer a call that rings here."""
        self._send_for(key, f"{CommandName.ANSWER} {key}")

    def hang_up(self, key: str) -> None:
        """End a call."""
        self._send_for(key, f"{CommandName.HANGUP} {key}")

    def hang_up_present(self) -> None:
        """End the call that is being made, else the one that goes on; one that only rings is not touched.

        For a key that works everywhere: pressed twice it means one call.
        """
        now = time.monotonic()
        if now - self._hung_up_at < HANG_UP_ONCE:
            return
        self._hung_up_at = now
        if self._model.dialling.busy:
            self.cancel_dial()
            return
        going = [call for call in self._model.calls.values() if call.phase in ("talking", "calling")]
        going = [call for call in going if not call.unconfirmed]
        talking = [call for call in going if call.phase == "talking"]
        if len(going) == 1 or len(talking) == 1:
            self.hang_up((talking or going)[0].key)
        elif going:
            self._tell(_("There are several calls: choose in the window which one to end."))
            self._show_prompt(WindowWanted())

    def transfer(self, key: str, number: str, context: str, answered: ProblemTold) -> None:
        """Send the other party of a call to a number. Raises ValueError if it is none."""
        self._ask(key, CommandName.TRANSFER, f"{clean_number(number)} {context}", answered)

    def consult(self, key: str, number: str, context: str, answered: ProblemTold) -> None:
        """Ask a colleague before a call is handed over. Raises ValueError if it is no number."""
        self._ask(key, CommandName.CONSULT, f"{clean_number(number)} {context}", answered)

    def hand_over(self, key: str) -> None:
        """Give a call to the colleague who is asked."""
        self._send_for(key, f"{CommandName.COMPLETE} {key}")

    def take_back(self, key: str) -> None:
        """Give the colleague up who is asked about a call."""
        self._send_for(key, f"{CommandName.CANCEL} {key}")

    def dial(self, number: str, context: str = "") -> str:
        """Call a number as typed; returns what is wrong with it, or nothing."""
        return self._dial_typed(number, context, _nobody)

    def call_back(self, key: str) -> str:
        """Call the number of a call that is over; returns what is wrong with it, or nothing."""

        def answered(_problem: str) -> None:
            self._model.seat_calls.command_over(key)
            self._model_changed()

        if (call := self._model.calls.get(key)) is None:
            return ""  # its card goes with this second
        if self._model.dialling.busy:
            return self._busy_with(call.number)
        self._model.seat_calls.command_begins(key, CommandName.ORIG)
        if problem := self._dial_typed(call.number, "", answered):
            self._model.seat_calls.command_over(key)
        self._model_changed()
        return problem

    def dial_for(self, number: str, reply: DialReply) -> None:
        """Call a clean number for another program, which `reply` tells what is wrong."""
        if self._model.dialling.busy:
            reply(Refusal.DIALLING_ALREADY.text())
        else:
            self._dial(number, "", reply)

    def cancel_dial(self) -> None:
        """End the call that is being made."""
        dialling = self._model.dialling
        if dialling.call is not None and dialling.may_cancel:
            which = dialling.call.key or DIALLED_CALL
            if self._send(f"{CommandName.HANGUP} {which}"):
                dialling.cancel()
            self._model_changed()

    def put_dial_away(self) -> None:
        """Show no longer what became of the last call."""
        self._model.dialling.put_away()
        self._model_changed()

    def dial_selected(self, text: str) -> None:
        """Call a text that was selected in any program; if it is no number, say so where one can be typed."""
        if problem := self.dial(text[:LONGEST_SELECTION]):
            self._tell(problem)
            self._show_prompt(DialBarWanted())

    def dial_over(self, number: str, *, answered: bool) -> None:
        """The number stays in the dial bar until somebody answers there."""
        self._show_prompt(NumberAnswered(number) if answered else NumberReturned(number))

    def dial_outcome(self, originate: Originate) -> None:
        """Tell what became of a call of this seat that has no card, if it came to nothing."""
        if problem := words.dial_outcome(originate):
            self._show_prompt(NumberReturned(originate.exten))
            self._tell(problem)

    def _return(self) -> None:
        if self._send(f"{CommandName.PAUSE} {PauseWord.OUT}"):
            self._model.return_requested()
            self._model_changed()

    def _dial_typed(self, typed: str, context: str, reply: DialReply) -> str:
        """What is wrong with it, or nothing; then `reply` is called."""
        try:
            clean = clean_number(typed)
        except ValueError:
            return _("This is not a telephone number.")
        if not self._model.up:
            return _("Not connected.")
        if self._model.dialling.busy:
            return self._busy_with(clean)
        self._dial(clean, context, reply)
        return ""

    def _busy_with(self, number: str) -> str:
        """What a second call is told; nothing if it is the same one: a double click means one."""
        call = self._model.dialling.call
        if call is not None and call.number == number:
            return ""
        return _("Another call is being made. Cancel it first.")

    def _dial(self, number: str, context: str, reply: DialReply) -> None:
        outbound, dialling = self._model.outbound, self._model.dialling
        service = next((each.name for each in outbound if context in ("", each.context)), "")
        dialling.begin(number, service, context)
        self._session.dial(number, partial(self._dial_answered, number, reply), context)
        self._model_changed()

    def _dial_answered(self, number: str, reply: DialReply, problem: str) -> None:
        if problem:
            self._model.dialling.refused(problem)
            self._show_prompt(NumberReturned(number))
        else:
            self._model.dialling.accepted()
        self._model_changed()
        reply(problem)

    def _send_for(self, key: str, line: str) -> None:
        """As `_send`, from the card of a call."""
        if command := self._send(line):
            self._model.seat_calls.command_sent(command, key)
            self._model_changed()

    def _ask(self, key: str, command: CommandName, parameters: str, answered: ProblemTold) -> None:
        """Send a command; if nobody shows any more what is wrong with it, the window tells."""

        def told(reply: Reply) -> None:
            problem = "" if reply.number == ReplyCode.OK else reply.text
            shown = answered(words.server_reason(problem) if problem else "")
            if problem and not shown:
                self._tell(words.refusal_text(command, problem))

        issued = self._send(f"{command} {key} {parameters}")
        if issued is None:
            answered(_("Not connected."))
        else:
            self._model.seat_calls.command_sent(issued, key)
            self._model_changed()
            self._session.await_reply(issued, told)

    def _send(self, line: str) -> IssuedCommand | None:
        try:
            return self._session.send(line)
        except (NotConnected, ValueError) as error:
            self._tell(words.displayable(words.told(error)))
            return None

    def _tell(self, text: str) -> None:
        self._show_prompt(PassingMessage(text))


def _nobody(_problem: str) -> None:
    """Nobody but the window wants to know."""
