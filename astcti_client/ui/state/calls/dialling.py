"""The call that this seat asked for, until somebody answers or it came to nothing. No Tk, no I/O.

There is one at a time: the server refuses a second one while the own phone rings for the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from astcti_client.ui.state.seat_call import SeatCall
from schemas.events import CalledEnd, CallEvent, Cause, PhoneEnd

UNKNOWN_AFTER = 60.0  # seconds; the server lets the own phone ring for 30
PUT_AWAY_AFTER = 600.0  # seconds that the words about a call that came to nothing stay, unless put away

DialledPhase = Literal["asked", "phone", "calling", "failed"]
"""`asked`: the server was; `phone`: the own phone rings; `calling`: it was taken, the number is called."""

_CALLED_BY_CAUSE: dict[int, CalledEnd] = {17: "busy", 21: "refused", 1: "unknown", 28: "unknown"}
_CALLED_BY_CAUSE |= {18: "no-answer", 19: "no-answer", 3: "unreachable", 20: "unreachable", 34: "congested"}
"""For a server that does not say it: Asterisk passes the cause of the number's end on to the own leg."""


@dataclass(frozen=True, slots=True)
class DialledCall:
    """A call that was asked for. Times are seconds of the model's clock."""

    number: str
    service: str
    phase: DialledPhase
    since: float
    key: str = ""
    """The own leg's uniqueid, once known."""
    context: str = ""
    """Of the service, to call through the same one again; empty for the first outbound one."""
    cancelling: bool = False
    """Its end was asked for."""
    failed_at: float | None = None
    problem: str = ""
    """Of one that failed: why it was not even begun, as the server or the client says it."""
    phone: PhoneEnd | Literal["", "unknown"] = ""
    """Why the own phone took no part."""
    called: CalledEnd | Literal[""] = ""
    """Why the number was not reached."""
    reason: int = 0
    """Asterisk's code, where an older server says no more."""


class Dialling:
    """What became of the call that was asked for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self.call: DialledCall | None = None
        """None where there is nothing to show: nothing was dialled, or somebody has answered."""
        self.cancels = False
        """Whether the server can end a call whose phone still rings."""

    @property
    def busy(self) -> bool:
        """Whether a call is being made: no other one is made beside it."""
        return self.call is not None and self.call.phase != "failed"

    @property
    def may_cancel(self) -> bool:
        """Whether it can be ended now."""
        call = self.call
        return call is not None and self.busy and not call.cancelling and (self.cancels or bool(call.key))

    def shows(self, key: str) -> bool:
        """Whether this leg is the call's own: it has its card."""
        return self.call is not None and bool(key) and self.call.key == key

    def forget(self) -> None:
        """Another operator may log in."""
        self.call = None
        self.cancels = False

    # --- what the user does ---

    def begin(self, number: str, service: str, context: str = "") -> None:
        """The server is asked for it; `context` as in `DialledCall`."""
        self.call = DialledCall(number, service, "asked", self._clock(), context=context)

    def cancel(self) -> None:
        """Its end is asked for."""
        self._change(cancelling=True)

    def put_away(self) -> None:
        """What became of it was read."""
        if not self.busy:
            self.call = None

    # --- what happens ---

    def accepted(self) -> None:
        """The server had Asterisk ring the own phone."""
        if self.call is not None and self.call.phase == "asked":
            self._change(phase="phone")

    def refused(self, problem: str) -> None:
        """It was not even begun."""
        if self.call is not None and self.call.phase == "asked":
            self._fail(problem=problem)

    def not_cancelled(self) -> None:
        """It could not be ended: it goes on, or what became of it is about to be told."""
        self._change(cancelling=False)

    def responded(self, event: CallEvent) -> bool:
        """OriginateResponse. Whether it was about this call."""
        made = event.originate
        if self.call is None or not self.busy or made is None or made.exten != self.call.number:
            return False
        if made.response.lower() == "success":
            self._change(phase="calling", key=event.call.uniqueid)
        elif made.phone == "cancelled":
            self.call = None
        else:
            self._fail(phone=made.phone, reason=made.reason)
        return True

    def follow(self, leg: SeatCall, cause: Cause | None) -> bool:
        """One of the seat's legs after an event. Whether somebody has answered the call just now."""
        call = self.call
        if call is None or not self.busy:
            return False
        if not call.key and leg.phase == "calling" and leg.since >= call.since:
            self._change(key=leg.key)  # a server that tells all calls tells of it while the phone still rings
        if self.call is None or self.call.key != leg.key:
            return False
        if leg.phase in ("talking", "parted"):
            self.call = None
            return True
        if leg.phase == "over" and call.phase == "calling":
            self._over(cause)
        return False

    def _over(self, cause: Cause | None) -> None:
        called: CalledEnd | Literal[""] = ""
        if cause is not None:
            called = cause.called or ("" if self.cancels else _CALLED_BY_CAUSE.get(cause.code, ""))
        if called and not (self.call is not None and self.call.cancelling):
            self._fail(called=called)
        else:
            self.call = None  # the user hung up himself, or spoke to an announcement

    def leg_gone(self) -> None:
        """Its own leg is no more, and nobody told how it ended."""
        if self.call is None or not self.busy:
            return
        if self.call.cancelling:
            self.call = None
        else:
            self._fail(phone="unknown")

    def tick(self) -> None:
        """Let go of what nobody will tell of any more. Call it every second or so."""
        call, now = self.call, self._clock()
        if call is None:
            return
        if call.phase in ("asked", "phone") and now - call.since >= UNKNOWN_AFTER:
            self._fail(phone="unknown")
        elif call.failed_at is not None and now - call.failed_at >= PUT_AWAY_AFTER:
            self.call = None

    def _fail(
        self,
        *,
        problem: str = "",
        phone: PhoneEnd | Literal["", "unknown"] = "",
        called: CalledEnd | Literal[""] = "",
        reason: int = 0,
    ) -> None:
        if self.call is not None:
            self.call = replace(
                self.call,
                phase="failed",
                failed_at=self._clock(),
                problem=problem,
                phone=phone,
                called=called,
                reason=reason,
            )

    def _change(self, **changes: object) -> None:
        if self.call is not None:
            self.call = replace(self.call, **changes)  # type: ignore[arg-type]
