"""What the window shows: connection, seat, queues, pause, calls. Fed with messages, knows nothing of Tk.

For one thread, the one that takes messages from the queue. `hear` returns what happened in words of
`changes`, in order; the window carries it out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

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
from astcti_client.ui.state import seat_call
from astcti_client.ui.state.calls.dialling import DialledCall, Dialling
from astcti_client.ui.state.colleagues import Colleagues
from astcti_client.ui.state.consulting.seat_consult import SeatConsults
from astcti_client.ui.state.receiving import JOIN_TIME, Obstacle, obstacle
from astcti_client.ui.state.resumed_calls import ResumedCalls
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.state.seat_changes import (
    CallChanged,
    CallExplained,
    CallOver,
    CommandRefused,
    DialOutcome,
    DialOver,
    EventHeard,
    JoinedAgainstWish,
    PauseLost,
    RingBegan,
    SeatChange,
    TransferUnchecked,
)
from astcti_client.ui.state.seat_pause import SeatPause
from astcti_client.ui.state.seat_state import Pause, SeatQueue, TrayState
from schemas.configuration.model import queue_key
from schemas.events import Action, CallEvent, End
from schemas.protocol import (
    DIALLED_CALL,
    UNCHECKED,
    Capability,
    CommandName,
    PauseWord,
    PhoneAbility,
    QueueWord,
    ReplyCode,
    ResumeMode,
    TriggerFailure,
    Word,
)
from schemas.wire import Reply

CONFIRM_TIME = 5.0  # seconds after a new log-in in which the server tells of the calls that are still there
OVER_TIME = 6.0  # seconds that the card of a finished call stays
INTERRUPTED_TIME = 60.0  # seconds, if it offers to open what an earlier run of the client could not finish
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
# Told by whoever asked: where the number was typed, or not at all.
_NOT_TOLD_HERE = (CommandName.ORIG, CommandName.WHY, CommandName.TRANSFER, CommandName.CONSULT)
MOST_RINGS_REMEMBERED = 500  # legs whose ring was shown; far more than ring at one time


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
        self.connection = ConnectionState("connecting", "")
        self.pbx_up = True
        self.full_name = ""
        self.username = ""
        self.extension = ""
        self.mac = ""
        self.macs_refused: tuple[tuple[str, str], ...] = ()
        self.services: tuple[OfferedService, ...] = ()
        self.transfer_targets: tuple[OfferedTarget, ...] = ()
        self.reasons: tuple[str, ...] = ()
        self.queues: dict[str, SeatQueue] = {}
        self.own_queues: tuple[OwnQueue, ...] = ()
        """What services each queue is of, and whether it may be left; empty if the server cannot tell."""
        self._queues_told = False
        """Whether the server told `own_queues`: then none are none, and not none that it can tell."""
        self.colleagues = Colleagues()
        self._left_queues: set[str] = set()
        """By their keys; the server knows it, too, unless it is started anew."""
        self.trouble: ConnectionState | None = None
        """Why there is, or was last, no connection; None once there is one."""
        self.retry_at: float | None = None
        """When the next attempt to connect begins, by the clock; None while nobody waits for it."""
        self._pause = SeatPause(self._clock)
        self._queues_due = 0.0
        """When, by the clock, the server should have told of the queues."""
        self.explains = False
        """Whether the server can say why a call popped up or not."""
        self.phone_answers = False
        """Whether the server can have this phone answer."""
        self.calls: dict[str, SeatCall] = {}
        self.dialling.forget()
        self.consults = SeatConsults()
        """The colleagues who are asked about them."""
        self._under_way: dict[IssuedCommand, str] = {}
        """The calls whose cards asked for these."""
        self._waiting: dict[str, SeatCall] = {}
        """Legs that nothing worth a card is known of yet."""
        self._rung: OrderedDict[str, None] = OrderedDict()
        self._up_at: float | None = None
        self._resumes = False
        """Whether the server says itself when it told of all calls."""
        self._resumed = ResumedCalls()
        self._explaining = -1
        """The number of the last WHY that was answered."""

    # --- what is asked of it ---

    @property
    def up(self) -> bool:
        """Whether commands are welcome."""
        return self.connection.phase == "up"

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
            joining=self._clock() < self._queues_due,
            direct=self._queues_told and not self.own_queues and self._has_inbound,
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
        going = [call for call in self.calls.values() if call.phase != "over"]
        going += [*self._waiting.values(), *self._resumed.late.values()]
        return min((call.first_seq for call in going if call.first_seq), default=0)

    def missed_counted(self, missed: int) -> None:
        """So many missed calls wait for somebody to look at them."""
        self.missed = missed

    # --- what became of a call's triggers ---

    def interrupted(self, key: str, action: Action) -> None:
        """An earlier run of the client was ended while it carried this out."""
        self._change(key, lambda call: {"interrupted": tuple(dict.fromkeys((*call.interrupted, action)))})

    def opened_again(self, key: str) -> None:
        """The user had what was interrupted done."""
        self._change(key, lambda _call: {"interrupted": (), "failure": None})

    def trigger_failed(self, key: str, failure: TriggerFailure) -> None:
        """A trigger was not carried out."""
        self._change(key, lambda _call: {"failure": failure})

    def _change(self, key: str, change: Callable[[SeatCall], dict[str, Any]]) -> None:
        for calls in (self._resumed.late, self.calls, self._waiting):
            if call := calls.get(key):
                calls[key] = replace(call, **change(call))

    # --- what was asked of the server ---

    def command_sent(self, command: IssuedCommand, key: str) -> None:
        """The card of this call asked for it: it asks for nothing more until the reply."""
        self._under_way[command] = key
        self.command_begins(key, command.line.partition(" ")[0].upper())

    def command_begins(self, key: str, word: str) -> None:
        """Something was asked for from this call's card; `command_over` follows."""
        self._change(key, lambda _call: {"under_way": word})

    def command_over(self, key: str) -> None:
        """The reply is here, or it never will be."""
        self._change(key, lambda _call: {"under_way": ""})

    def pause_left(self, reason: str, lasts: float) -> None:
        """An earlier run of the client was killed in this pause, which lasts for so many seconds."""
        self._pause.remember(reason, lasts)

    def pause_requested(self, reason: str) -> None:
        """A pause was asked for; until the server's word it counts as requested."""
        self._pause.request(reason)

    def queue_wanted(self, queue: str) -> None:
        """The user wants to be in a queue again."""
        self._left_queues.discard(queue_key(queue))

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
                self.own_queues, self._queues_told = queues, True
            case PauseReasons(reasons=reasons):
                self.reasons = reasons
            case ServerReply(reply=reply, answers=answers, final=final):
                if answers is not None and final:
                    self.command_over(self._under_way.pop(answers, ""))
                return self._reply(reply, answers)
            case Unanswered(command=command):
                self.command_over(self._under_way.pop(command, ""))
                return self._unanswered(command)
            case ServerEvent(event=event, trusted=trusted, epoch=epoch, arrived=arrived, known=known):
                return [*self._event(event, known), EventHeard(event, trusted, epoch, arrived)]
            case Resumed():
                self._resume_begins(message)
            case ResumeOver():
                return self._resume_is_over()
            case _:
                pass
        return []

    def tick(self) -> list[SeatChange]:
        """Let go of calls whose time is over. Call it every second or so."""
        now, changes = self._clock(), list[SeatChange]()
        dialled = self.dialling.call
        self.dialling.tick()
        changes += self._dial_over(dialled, answered=False)
        self.consults.forget_old(now)
        if self._up_at is not None and now - self._up_at >= CONFIRM_TIME:
            self._up_at = None
            changes += self._gone({key for key, call in self._calls_and_waiting() if call.unconfirmed})
        for call in [each for each in self.calls.values() if each.over_since is not None]:
            if now - (call.over_since or 0.0) >= (INTERRUPTED_TIME if call.interrupted else OVER_TIME):
                del self.calls[call.key]
        return changes

    def _connection_changed(self, state: ConnectionState) -> list[SeatChange]:
        self.connection = state
        self.retry_at = self._clock() + state.retry_in if state.phase == "waiting" else None
        if state.phase in ("up", "waiting", "ended"):
            self.trouble = state if state.phase != "up" else None
        if state.ending in ("taken-over", "disabled"):
            self._pause.sent_away()
        if state.phase == "up":
            self._queues_due = self._clock() + JOIN_TIME
            if not (self._resumes and self.extension):  # else it says when it told of all
                self._up_at = self._clock()
            return self._pause_again()
        self._up_at = None
        if state.phase == "logging-in":
            self.queues.clear()
            self._queues_told = False
            self._pause.logging_in()
            self.pbx_up = True
            self._resumes = False
            self.macs_refused = ()
        self._under_way.clear()
        unsure = [
            replace(call, unconfirmed=True, under_way="")
            for call in self.calls.values()
            if call.phase != "over" and not call.unconfirmed
        ]
        self.calls.update((call.key, call) for call in unsure)
        self._waiting = {key: replace(call, unconfirmed=True) for key, call in self._waiting.items()}
        return [CallChanged(call) for call in unsure]

    def _reply(self, reply: Reply, answers: IssuedCommand | None) -> list[SeatChange]:
        match reply.number:
            case ReplyCode.QUEUE_JOINED:
                self.queues[reply.information] = SeatQueue(reply.information, "joined")
                if queue_key(reply.information) in self._left_queues:
                    return [JoinedAgainstWish(reply.information)]
            case ReplyCode.QUEUE_LEFT:
                self.queues[reply.information] = SeatQueue(reply.information, "left")
            case ReplyCode.QUEUE_REFUSED:
                name, _, reason = reply.text.partition(" ")
                self.queues[name] = SeatQueue(name, "refused", reason)
            case ReplyCode.PAUSE_DONE | ReplyCode.PAUSE_REFUSED:
                return self._pause_decided(reply.number == ReplyCode.PAUSE_DONE, reply.text)
            case ReplyCode.PAUSE_STATE:
                self._pause.told(reply.token.upper() == PauseWord.IN, reply.text)
                return self._pause_again()
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
                return self._consult_told(reply)
            case ReplyCode.PBX_DOWN:
                self.pbx_up = False
            case ReplyCode.PBX_UP:
                self.pbx_up = True
                self._queues_due = self._clock() + JOIN_TIME
            case ReplyCode.OK if answers is not None and answers.line.startswith(f"{CommandName.RESUME} "):
                self._resumes = True
            case ReplyCode.OK | ReplyCode.REFUSED if answers is not None and (queue := _asked_out(answers)):
                return self._out_decided(queue, reply)
            case ReplyCode.OK if answers is not None and reply.text == UNCHECKED:
                return [TransferUnchecked()]
            case ReplyCode.REFUSED if answers is not None and self.up:
                verb = answers.line.partition(" ")[0].upper()
                if verb == CommandName.PAUSE:
                    return self._pause_decided(False, reply.text)
                if answers.line == f"{CommandName.HANGUP} {DIALLED_CALL}":
                    self.dialling.not_cancelled()
                    return []  # it is over already, or what became of it is about to be told
                if verb not in _NOT_TOLD_HERE:
                    return [CommandRefused(verb, reply.text)]
            case _:
                pass
        return []

    def _out_decided(self, queue: str, reply: Reply) -> list[SeatChange]:
        """The server took note that the user is out of a queue, or refuses: then he is in it again."""
        if reply.number == ReplyCode.OK:
            self._left_queues.add(queue)
            return []
        self._left_queues.discard(queue)
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

    def _consult_told(self, reply: Reply) -> list[SeatChange]:
        words = reply.text.split()
        if len(words) < 3:  # id, state, number
            return []
        key, state, exten = words[:3]
        call = self.calls.get(key)
        known = call is not None and call.phase == "talking"
        changes = list[SeatChange]()
        for event in self.consults.told(key, state, exten, known=known, now=self._clock()):
            changes += self._event(event, told_before=False)
        return changes

    def _pause_decided(self, granted: bool, text: str) -> list[SeatChange]:
        asked = self._pause.decided(granted)
        return [CommandRefused(CommandName.PAUSE, text)] if asked and not granted else []

    def _pause_again(self) -> list[SeatChange]:
        lost = self._pause.take_lost() if self.up else None
        return [PauseLost(lost.reason)] if lost is not None else []

    def _unanswered(self, command: IssuedCommand) -> list[SeatChange]:
        verb = command.line.partition(" ")[0].upper()
        if verb == CommandName.PAUSE and not self._pause.unanswered():
            return []
        return [CommandRefused(verb, "")] if verb in _TOLD_IF_LOST else []

    def _resume_begins(self, resumed: Resumed) -> None:
        self._resumed.begin(resumed, [key for key, _call in self._calls_and_waiting()])
        if resumed.mode == ResumeMode.STATE:  # numbers of the epoch before mean nothing now
            for calls in (self.calls, self._waiting):
                calls.update([(key, replace(call, first_seq=0)) for key, call in calls.items()])

    def _resume_is_over(self) -> list[SeatChange]:
        """The calls that are left go on, and those that the server did not name are over."""
        changes = self._gone(self._resumed.end())
        sure = [
            replace(call, unconfirmed=False) for _key, call in self._calls_and_waiting() if call.unconfirmed
        ]
        for call in sure:
            (self.calls if call.key in self.calls else self._waiting)[call.key] = call
        return [*changes, *(CallChanged(call) for call in sure if call.key in self.calls)]

    def _calls_and_waiting(self) -> list[tuple[str, SeatCall]]:
        going = [(key, call) for key, call in self.calls.items() if call.phase != "over"]
        return [*going, *self._waiting.items()]

    def _gone(self, keys: set[str]) -> list[SeatChange]:
        """These are over, and nobody told how."""
        now, changes = self._clock(), list[SeatChange]()
        for call in [call for key, call in self._calls_and_waiting() if key in keys and key in self.calls]:
            end: End = "answered" if call.was_answered else "cancelled"
            changes += self._end(replace(call, phase="over", over_since=now, end=end))
        self._waiting = {key: call for key, call in self._waiting.items() if key not in keys}
        return changes

    def _event(self, event: CallEvent, told_before: bool) -> list[SeatChange]:
        """What became of its call. Triggers come after that: pages and notices find the call as it is now.

        `told_before`: an earlier run of the client showed it. That has no notice, and is in the history.
        """
        if event.id == "OriginateResponse":
            dialled = self.dialling.call
            if self.dialling.responded(event):
                return self._dial_over(dialled, answered=False)
            return [DialOutcome(event.originate)] if event.originate and not told_before else []
        if not seat_call.is_of_a_call(event):
            return []
        now, key = self._clock(), event.call.uniqueid
        self._resumed.named(key)
        if told_before:
            self._remember_ring(key)
        late = self._resumed.late
        known = late.get(key) or self.calls.get(key) or self._waiting.get(key)
        if known is None and event.id in ("Hangup", "Unlink"):
            return []
        if known is not None and known.phase == "over":
            return []
        if self.consults.keeps(event):
            return []
        call = seat_call.follow(known or seat_call.begin(event, now), event, now)
        if told_before and call.phase == "over":
            for calls in (late, self.calls, self._waiting):
                calls.pop(key, None)
            return []
        if key not in self.calls and key not in late and not seat_call.makes_visible(event):
            if call.phase == "over":
                self._waiting.pop(key, None)
            else:
                self._waiting[key] = call
            return []
        self._waiting.pop(key, None)
        if event.late and call.phase != "over":
            late[key] = call
            return []
        late.pop(key, None)
        self.calls[key] = call
        dialled = self.dialling.call
        answered = self.dialling.follow(call, event.cause)
        return [*self._what_became(call), *self._dial_over(dialled, answered=answered)]

    def _dial_over(self, before: DialledCall | None, *, answered: bool) -> list[SeatChange]:
        """Whether the call that was asked for is made no longer; `before`: as it was."""
        if before is None or before.phase == "failed" or self.dialling.busy:
            return []
        return [DialOver(before.number, answered)]

    def _what_became(self, call: SeatCall) -> list[SeatChange]:
        if call.phase == "over":
            return self._end(call)
        if call.phase == "ringing" and call.key not in self._rung:
            self._remember_ring(call.key)
            return [RingBegan(call)]
        return [CallChanged(call)]

    def _remember_ring(self, key: str) -> None:
        self._rung[key] = None
        if len(self._rung) > MOST_RINGS_REMEMBERED:
            self._rung.popitem(last=False)

    def _end(self, call: SeatCall) -> list[SeatChange]:
        self.consults.call_over(call.key)
        self.calls[call.key] = call
        return [CallChanged(call), CallOver(call)]


def _asked_out(command: IssuedCommand) -> str:
    """The key of the queue that a command asks to leave; empty if it asks for something else."""
    match command.line.split():
        case [CommandName.QUEUE, queue, QueueWord.OUT]:
            return queue_key(queue)
    return ""
