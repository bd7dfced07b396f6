"""The notices in a corner of the screen while the phone rings: a few at a time. Main thread."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable

from astcti_client.ui.state.lasting_messages import LastingMessage
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.theme.look import Look
from astcti_client.ui.theme.screen import work_area
from astcti_client.ui.windows.call_notice import CallNotice, MoreCallsNotice, show_quietly
from astcti_client.ui.windows.message_notice import MessageNotice

ANSWERED_TIME = 2.0  # seconds that a notice stays once this phone has answered
MOST_NOTICES = 5  # at one time
GAP = 12  # dots between two
MORE_HEIGHT = 60  # dots for the one that counts the others
PACE = 0.2  # seconds between two changes of the stack, so that a flood of calls is not all drawing
READABLE = 1.0  # seconds that a notice stays at least after its ring, before another call takes its place
AREA_TIME = 2.0  # seconds that what panels leave free is remembered


class CallNotices:
    """All notices, stacked in a corner. Of the calls that find no place their number is told."""

    def __init__(
        self,
        root: tk.Tk,
        look: Look,
        corner: str,
        stay: float,
        opened: Callable[[], None],
        put_away: Callable[[str], None],
    ) -> None:
        """`stay`: seconds after the ring's end, 0 until somebody closes it.

        `put_away` hears the topic of a message that somebody closes.
        """
        self._root, self._look, self._corner, self._stay, self._opened = root, look, corner, stay, opened
        self._put_away = put_away
        self.message: MessageNotice | None = None
        """What must be said beside the calls."""
        self.shown: dict[str, CallNotice] = {}
        self.waiting: dict[str, SeatCall] = {}
        """Calls that ring and have no notice: there are too many."""
        self.more: MoreCallsNotice | None = None
        self._due = ""
        self._arranged_at = 0.0
        self._area: tuple[float, tuple[int, int, int, int]] | None = None

    def apply_look(self, look: Look, corner: str, stay: float) -> None:
        """Show those that are there in another look, language or corner."""
        self._look, self._corner, self._stay = look, corner, stay
        for notice in self.shown.values():
            notice.apply_look(look)
        if self.message is not None:
            self.message.apply_look(look)
        if self.more is not None:
            self.more.destroy()
            self.more = None
        self._arrange_soon()

    def tell(self, message: LastingMessage | None) -> None:
        """Show this message beside the calls, or none any more."""
        if message == (self.message and self.message.message):
            return
        if self.message is not None:
            self.message.destroy()
            self.message = None
        if message is not None:
            topic = message.topic
            self.message = MessageNotice(
                self._root, self._look, message, lambda: self._put_away(topic), self._opened
            )
        self._arrange_soon()

    def ring(self, call: SeatCall) -> None:
        """The phone rings for this call."""
        if call.key in self.shown:
            self.change(call)
            return
        self.waiting[call.key] = call
        self._arrange_soon()

    def change(self, call: SeatCall) -> None:
        """More is known of the call, or it was answered, or its ring is over."""
        if call.key in self.waiting:
            if call.phase == "ringing" and not call.unconfirmed:
                self.waiting[call.key] = call
            else:
                del self.waiting[call.key]
        elif notice := self.shown.get(call.key):
            notice.show_call(call)
            self._set_end(notice, call)
        else:
            return
        self._arrange_soon()

    def tick(self) -> None:
        """Take away what stayed long enough."""
        now = time.monotonic()
        due = [key for key, notice in self.shown.items() if notice.is_due(now)]
        for key in due:
            self._close(key)
        if self.waiting:
            self._arrange_soon()

    def close_all(self) -> None:
        """Take all away."""
        self.waiting.clear()
        for key in list(self.shown):
            self._close(key)
        self._arrange()

    def _set_end(self, notice: CallNotice, call: SeatCall) -> None:
        if call.phase == "ringing" and not call.unconfirmed:
            notice.rings()
            return
        stay = ANSWERED_TIME if call.was_answered else self._stay
        notice.ring_is_over(time.monotonic(), stay, call_over=call.phase == "over")

    def _close(self, key: str) -> None:
        if notice := self.shown.pop(key, None):
            notice.destroy()
        self._arrange_soon()

    # --- the stack ---

    def _arrange_soon(self) -> None:
        """At once after a quiet time, else once for everything that happens meanwhile."""
        if not self._due:
            pause = PACE - (time.monotonic() - self._arranged_at)
            if pause > 0:
                self._due = self._root.after(int(pause * 1000), self._arrange)
            else:
                self._due = self._root.after_idle(self._arrange)

    def _arrange(self) -> None:
        if self._due:
            self._root.after_cancel(self._due)
            self._due = ""
        for call in list(self.waiting.values()):
            if not self._make_room():
                break
            del self.waiting[call.key]
            self.shown[call.key] = CallNotice(self._root, self._look, call, self._close, self._opened)
        self._count_the_others()
        self._stack()
        self._arranged_at = time.monotonic()

    def _make_room(self) -> bool:
        """Whether there is a place for one more; one that was over long enough gives its own."""
        now = time.monotonic()
        if len(self.shown) < MOST_NOTICES and self._has_height():
            return True
        for key, notice in self.shown.items():
            if notice.was_readable(now, READABLE):
                self.shown.pop(key).destroy()
                return True
        return False

    def _has_height(self) -> bool:
        """Whether one more, as high as the highest, would be on the screen."""
        heights = [notice.winfo_reqheight() + self._look.px(GAP) for notice in self.shown.values()]
        _left, top, _right, bottom = self._free_area()
        return not heights or sum(heights) + max(heights) + self._look.px(MORE_HEIGHT) <= bottom - top

    def _count_the_others(self) -> None:
        if not self.waiting:
            if self.more is not None:
                self.more.destroy()
                self.more = None
            return
        if self.more is None:
            self.more = MoreCallsNotice(self._root, self._look, self._opened)
        self.more.count(len(self.waiting))

    def _stack(self) -> None:
        others = (self.more, self.message)
        windows: list[tk.Toplevel] = [*self.shown.values(), *(window for window in others if window)]
        if not windows:
            return
        left, top, right, bottom = self._free_area()
        gap = self._look.px(GAP)
        down = self._corner.startswith("top")
        y = top + gap if down else bottom - gap
        for window in windows:
            window.update_idletasks()
            width, height = window.winfo_reqwidth(), window.winfo_reqheight()
            x = left + gap if self._corner.endswith("left") else right - gap - width
            if not down:
                y -= height
            window.geometry(f"{width}x{height}+{x}+{y}")
            if not window.winfo_viewable():
                show_quietly(window)
            y += height + gap if down else -gap

    def _free_area(self) -> tuple[int, int, int, int]:
        now = time.monotonic()
        if self._area is None or now - self._area[0] > AREA_TIME:
            self._area = now, work_area(self._root)
        return self._area[1]
