"""What the window shows: connection, seat, queues, pause, calls. Fed with messages, knows nothing of Tk.

For one thread, the one that takes messages from the queue. `hear` returns what happened in words of
`changes`, in order; the window carries it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from astcti_client.net.messages import (
    ConnectionMessage,
    ConnectionState,
    IssuedCommand,
    OfferedService,
    OfferedTarget,
    OfferedTargets,
    OperatorFound,
    OwnQueue,
    OwnQueues,
    PauseReasons,
    Resumed,
    ResumeOver,
    SeatFound,
    SeatUnknown,
    ServerEvent,
    ServerReply,
    Services,
    Unanswered,
)
from astcti_client.ui.state.calls.dialling import Dialling
from astcti_client.ui.state.calls.seat_calls import SeatCalls
from astcti_client.ui.state.colleagues import Colleagues
from astcti_client.ui.state.consulting.seat_consult import SeatConsults
from astcti_client.ui.state.receiving import Obstacle, obstacle
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.state.seat_changes import (
    CallExplained,
    CommandRefused,
    EventHeard,
    JoinedAgainstWish,
    PauseLost,
    SeatChange,
    TransferUnchecked,
)
from astcti_client.ui.state.seat_connection import SeatConnection
from astcti_client.ui.state.seat_pause import SeatPause
from astcti_client.ui.state.seat_queues import SeatQueues
from astcti_client.ui.state.seat_state import Pause, SeatQueue, TrayState
from schemas.protocol import (
    DIALLED_CALL,
    UNCHECKED,
    Capability,
    CommandName,
    PauseWord,
    PhoneAbility,
    QueueWord,
    ReplyCode,
    Word,
)
from schemas.wire import Reply

# Whether these were done matters to the user, and nothing else will tell.
_TOLD_IF_LOST = (
    CommandName.PAUSE,
    CommandName.ANSWER,
    CommandName.HANGUP,
    CommandName.TRANSFER,
    CommandName.CONSULT,
    CommandName.COMPLETE,
    CommandName.CANCEL,
)
_LASTS = re.compile("[0-9]{1,6}")  # seconds: the longest pause has far less than a million
# Told by whoever asked: where the number was typed, or not at all.
_NOT_TOLD_HERE = (CommandName.ORIG, CommandName.WHY, CommandName.TRANSFER, CommandName.CONSULT)


class SeatModel:
    """The seat as the server tells it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self.dialling = Dialling(clock)
        """The call that this seat asked for."""
        self.missed = 0
        """Calls that this seat missed and nobody looked at yet, whoever was logged in."""
        self.forget()

    def forget(self) -> None:
        """Know nothing, as before the first message: another operator may log in."""
        self._connection = SeatConnection(self._clock)
        self._queues = SeatQueues(self._clock)
        self._pause = SeatPause(self._clock)
        self.dialling.forget()
        self._calls = SeatCalls(self._clock, self.dialling)
        self.colleagues = Colleagues()
        self.full_name = ""
        self.username = ""
        self.extension = ""
        self.mac = ""
        self.macs_refused: tuple[tuple[str, str], ...] = ()
        self.services: tuple[OfferedService, ...] = ()
        self.transfer_targets: tuple[OfferedTarget, ...] = ()
        self.reasons: tuple[str, ...] = ()
        self.explains = False
        """Whether the server can say why a call popped up or not."""
        self.phone_answers = False
        """Whether the server can have this phone answer."""
        self._explaining = -1
        """The number of the last WHY that was answered."""

    # --- what is asked of it ---

    @property
    def connection(self) -> ConnectionState:
        """How the connection is."""
        return self._connection.state

    @property
    def up(self) -> bool:
        """Whether commands are welcome."""
        return self._connection.up

    @property
    def pbx_up(self) -> bool:
        """Whether the PBX is there, as far as the server told."""
        return self._connection.pbx_up

    @property
    def trouble(self) -> ConnectionState | None:
        """As `SeatConnection.trouble`."""
        return self._connection.trouble

    @property
    def retry_at(self) -> float | None:
        """As `SeatConnection.retry_at`."""
        return self._connection.retry_at

    @property
    def calls(self) -> Mapping[str, SeatCall]:
        """The calls that have a card, by their legs' uniqueids."""
        return self._calls.shown

    @property
    def seat_calls(self) -> SeatCalls:
        """Where is told what becomes of a call's triggers and commands."""
        return self._calls

    @property
    def consults(self) -> SeatConsults:
        """The colleagues who are asked about them."""
        return self._calls.consults

    @property
    def queues(self) -> Mapping[str, SeatQueue]:
        """The queues that the server told of, by name."""
        return self._queues.by_name

    @property
    def own_queues(self) -> tuple[OwnQueue, ...]:
        """As `SeatQueues.own`."""
        return self._queues.own

    @property
    def pause(self) -> Pause:
        """The pause state."""
        return self._pause.now

    @property
    def kept_pause(self) -> Pause | None:
        """The pause that outlives the connection, and this run of the client; None if there is none."""
        return self._pause.wish

    @property
    def obstacle(self) -> Obstacle | None:
        """Why no call can reach this agent; None if one can: then, and only then, something is green."""
        return obstacle(
            self.connection,
            pbx_up=self.pbx_up,
            extension=self.extension,
            pause=self.pause,
            queues=self.queues.values(),
            joining=self._queues.joining,
            direct=self._queues.none_to_join and self._has_inbound,
        )

    @property
    def _has_inbound(self) -> bool:
        return any(service.type == "inbound" for service in self.services)

    @property
    def tray_state(self) -> TrayState:
        """The one state that the tray shows: the most urgent."""
        if not self.up:
            return "offline"
        if not self.pbx_up:
            return "pbx-down"
        phases = {call.phase for call in self.calls.values()}
        if "ringing" in phases:
            return "ringing"
        if phases & {"talking", "calling", "parted"}:
            return "talking"
        if self.pause.phase in ("in", "leaving"):
            return "paused"
        return "available" if self.obstacle is None else "no-queue"

    @property
    def outbound(self) -> tuple[OfferedService, ...]:
        """Services through which this operator can call."""
        return tuple(service for service in self.services if service.type == "outbound")

    @property
    def seat_missing(self) -> bool:
        """Whether the server knows the operator but not the seat: then no call and no queue reaches us."""
        return self.up and not self.extension and not self.queues and not self.calls

    @property
    def first_event(self) -> int:
        """The number of the first event of the calls that go on; 0 if there is none."""
        return self._calls.first_event

    def missed_counted(self, missed: int) -> None:
        """So many missed calls wait for somebody to look at them."""
        self.missed = missed

    # --- what was asked of the server ---

    def pause_left(self, reason: str, lasts: float) -> None:
        """An earlier run of the client was killed in this pause, which lasts for so many seconds."""
        self._pause.remember(reason, lasts)

    def pause_requested(self, reason: str) -> None:
        """A pause was asked for; until the server's word it counts as requested."""
        self._pause.request(reason)

    def queue_wanted(self, queue: str) -> None:
        """The user wants to be in a queue again."""
        self._queues.wanted(queue)

    def return_requested(self) -> None:
        """The pause's end was asked for; until the server's word it counts as leaving."""
        self._pause.request_return()

    # --- what happens ---

    def hear(self, message: ConnectionMessage) -> list[SeatChange]:
        """Take notice of a message."""
        match message:
            case ConnectionState():
                return self._connection_changed(message)
            case OperatorFound(username=username, extension=extension, full_name=full_name):
                self.username, self.extension, self.full_name = username, extension, full_name
            case SeatFound(mac=mac, extension=extension):
                self.mac, self.extension, self.macs_refused = mac, extension, ()
            case SeatUnknown(tried=tried):
                self.macs_refused, self.extension = tried, ""
            case Services(services=services):
                self.services = services
            case OfferedTargets(targets=targets):
                self.transfer_targets = targets
            case OwnQueues(queues=queues):
                self._queues.own_told(queues)
            case PauseReasons(reasons=reasons):
                self.reasons = reasons
            case ServerReply(reply=reply, answers=answers, final=final):
                if answers is not None and final:
                    self._calls.command_answered(answers)
                return self._reply(reply, answers)
            case Unanswered(command=command):
                self._calls.command_answered(command)
                return self._unanswered(command)
            case ServerEvent(event=event, trusted=trusted, epoch=epoch, arrived=arrived, known=known):
                changes = self._calls.event(event, told_before=known)
                return [*changes, EventHeard(event, trusted, epoch, arrived)]
            case Resumed():
                self._calls.resume_begins(message)
            case ResumeOver():
                return self._calls.resume_over()
            case _:
                pass
        return []

    def tick(self) -> list[SeatChange]:
        """Let go of calls whose time is over. Call it every second or so."""
        return self._calls.tick()

    def _connection_changed(self, state: ConnectionState) -> list[SeatChange]:
        self._connection.changed(state)
        if state.ending in ("taken-over", "disabled"):
            self._pause.sent_away()
        if state.phase == "up":
            self._queues.expected()
            self._calls.logged_in(at_a_seat=bool(self.extension))
            return self._pause_again()
        if state.phase == "logging-in":
            self._queues.logging_in()
            self._pause.logging_in()
            self._calls.logging_in()
            self.macs_refused = ()
        self._calls.connection_lost()
        return []

    def _reply(self, reply: Reply, answers: IssuedCommand | None) -> list[SeatChange]:
        match reply.number:
            case ReplyCode.QUEUE_JOINED:
                if self._queues.joined(reply.information):
                    return [JoinedAgainstWish(reply.information)]
            case ReplyCode.QUEUE_LEFT:
                self._queues.left(reply.information)
            case ReplyCode.QUEUE_REFUSED:
                name, _, reason = reply.text.partition(" ")
                self._queues.refused(name, reason)
            case ReplyCode.PAUSE_DONE | ReplyCode.PAUSE_REFUSED:
                return self._pause_decided(reply.number == ReplyCode.PAUSE_DONE, reply.text)
            case ReplyCode.PAUSE_STATE:
                self._pause.told(reply.token.upper() == PauseWord.IN, reply.text)
                return self._pause_again()
            case ReplyCode.PAUSE_LASTS if _LASTS.fullmatch(reply.text):
                self._pause.lasts(float(reply.text))
            case ReplyCode.CAPABILITIES:
                able = reply.information.split()
                self.explains = Capability.WHY in able
                self.phone_answers = False
                self.dialling.cancels = Capability.DIALLING in able
                self.colleagues.connected(offered=Capability.COLLEAGUES in able)
            case ReplyCode.COLLEAGUE | ReplyCode.COLLEAGUE_GONE:
                self.colleagues.hear(reply, answers)
            case ReplyCode.EXPLANATION if answers is not None:
                return self._explained(reply, answers)
            case ReplyCode.PHONE:
                self._phone_told(reply, asked=answers is not None)
            case ReplyCode.CONSULTATION:
                return self._calls.consult_told(reply)
            case ReplyCode.PBX_DOWN:
                self._connection.pbx_lost()
            case ReplyCode.PBX_UP:
                self._connection.pbx_back()
                self._queues.expected()
            case ReplyCode.OK if answers is not None and answers.line.startswith(f"{CommandName.RESUME} "):
                self._calls.resume_accepted()
            case ReplyCode.OK | ReplyCode.REFUSED if answers is not None and (queue := _asked_out(answers)):
                return self._out_decided(queue, reply)
            case ReplyCode.OK if answers is not None and reply.text == UNCHECKED:
                return [TransferUnchecked()]
            case ReplyCode.REFUSED if answers is not None and self.up:
                verb = answers.line.partition(" ")[0].upper()
                if verb == CommandName.PAUSE:
                    return self._pause_decided(False, reply.text)
                self._cancel_failed(answers)
                if answers.line == f"{CommandName.HANGUP} {DIALLED_CALL}":
                    return []  # it is over already, or what became of it is about to be told
                if verb not in _NOT_TOLD_HERE:
                    return [CommandRefused(verb, reply.text)]
            case _:
                pass
        return []

    def _out_decided(self, queue: str, reply: Reply) -> list[SeatChange]:
        """The server took note that the user is out of a queue, or refuses: then he is in it again."""
        if reply.number == ReplyCode.OK:
            self._queues.wanted_out(queue)
            return []
        self._queues.wanted(queue)
        return [CommandRefused(CommandName.QUEUE, reply.text)] if self.up else []

    def _explained(self, reply: Reply, answers: IssuedCommand) -> list[SeatChange]:
        """Of an answer to WHY the first line is the verdict; the story is for the server's people."""
        number, self._explaining = self._explaining, answers.number
        if number == answers.number or reply.token == Word.END:
            return []
        return [CallExplained(answers.line.partition(" ")[2], reply.information)]

    def _phone_told(self, reply: Reply, *, asked: bool) -> None:
        able = reply.text.split()
        self.phone_answers = PhoneAbility.ANSWER in able
        possible = PhoneAbility.CONSULT in able
        if asked:
            self.consults.told_all(possible)
        else:
            self.consults.possible = possible

    def _pause_decided(self, granted: bool, text: str) -> list[SeatChange]:
        asked = self._pause.decided(granted)
        return [CommandRefused(CommandName.PAUSE, text)] if asked and not granted else []

    def _pause_again(self) -> list[SeatChange]:
        lost = self._pause.take_lost() if self.up else None
        return [PauseLost(lost.reason)] if lost is not None else []

    def _unanswered(self, command: IssuedCommand) -> list[SeatChange]:
        verb = command.line.partition(" ")[0].upper()
        self._cancel_failed(command)
        if verb == CommandName.PAUSE and not self._pause.unanswered():
            return []
        return [CommandRefused(verb, "")] if verb in _TOLD_IF_LOST else []

    def _cancel_failed(self, command: IssuedCommand) -> None:
        """If it was to end the call that is being made, that can be asked for again."""
        dialled = self.dialling.call
        which = command.line.removeprefix(f"{CommandName.HANGUP} ")
        if dialled is not None and which in (DIALLED_CALL, dialled.key):
            self.dialling.not_cancelled()


def _asked_out(command: IssuedCommand) -> str:
    """The queue that a command asks to leave; empty if it asks for something else."""
    match command.line.split():
        case [CommandName.QUEUE, queue, QueueWord.OUT]:
            return queue
    return ""
