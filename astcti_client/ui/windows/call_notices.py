"""The notices in a corner of the screen while the phone rings: a few at a time. Main thread."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Mapping

from astcti_client.ui.state.actions import Actions
from astcti_client.ui.state.calls.dialling import Dialling
from astcti_client.ui.state.lasting_messages import LastingMessage
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.theme.look import Look
from astcti_client.ui.theme.screen import WorkArea
from astcti_client.ui.windows.call_notice import CallNotice, DialledNotice, MoreCallsNotice, show_quietly
from astcti_client.ui.windows.message_notice import MessageNotice

ANSWERED_TIME = 2.0  # seconds that a notice stays once this phone has answered
MOST_NOTICES = 5  # at one time
GAP = 12  # dots between two
MORE_HEIGHT = 60  # dots for the one that counts the others
PACE = 0.2  # seconds between two changes of the stack, so that a flood of calls is not all drawing
READABLE = 1.0  # seconds that a notice stays at least after its ring, before another call takes its place
AREA_TIME = 2.0  # seconds that what panels leave free is remembered
MOST_SPARE = 2  # notices that are kept for the next calls


class CallNotices:
    """All notices, stacked in a corner. Of the calls that find no place their number is told."""

    def __init__(
        self, root: tk.Tk, look: Look, corner: str, stay: float, actions: Actions, dialling: Dialling
    ) -> None:
        """`stay`: seconds after the ring's end, 0 until somebody closes it."""
        self._dialling = dialling
        self._may_answer = False
        self._root, self._look, self._corner, self._stay, self._actions = root, look, corner, stay, actions
        self._used_corner = ""
        """Where they stand now; empty while there is none."""
        self._in_the_way = False
        """They would cover the program's own window, in which its user works, and are out of sight."""
        self.message: MessageNotice | None = None
        """What must be said beside the calls."""
        self.shown: dict[str, CallNotice] = {}
        self._spare: list[CallNotice] = []
        """Out of sight, of no call: a ring has to fill and to show one, no more."""
        self.waiting: dict[str, SeatCall] = {}
        """Calls that ring and have no notice: there are too many."""
        self.more: MoreCallsNotice | None = None
        self.dialled: DialledNotice | None = None
        """The call that was asked for, while the main window is out of sight."""
        self._due = ""
        self._arranged_at = self._came_at = 0.0
        """When they were put in their places last, and when a new one came."""
        self._work_area = WorkArea(root)
        self._area: tuple[float, tuple[int, int, int, int]] | None = None
        root.bind("<Map>", self._window_came, add=True)

    def apply_look(self, look: Look, corner: str, stay: float) -> None:
        """Show those that are there in another look, language or corner."""
        if corner != self._corner:
            self._used_corner = ""
        self._look, self._corner, self._stay = look, corner, stay
        for notice in self.shown.values():
            notice.apply_look(look)
        while self._spare:
            self._spare.pop().destroy()
        if self.message is not None:
            self.message.apply_look(look)
        if self.more is not None:
            self.more.destroy()
            self.more = None
        if self.dialled is not None:
            self.dialled.destroy()
            self.dialled = None
            self.show_dialled(time.monotonic())
        self._arrange_soon()

    def show_dialled(self, now: float) -> None:
        """Show the call that was asked for, unless its card is in sight; `now` is the model's clock."""
        wanted = self._dialling.call is not None and not self._root.winfo_viewable()
        if wanted and self.dialled is None:
            self.dialled = DialledNotice(self._root, self._look, self._actions, self._dialling)
        elif not wanted and self.dialled is not None:
            self.dialled.destroy()
            self.dialled = None
            self._arrange_soon()
        if self.dialled is not None:
            self.dialled.show_call(now)
            if self.dialled.winfo_height() != self.dialled.winfo_reqheight():
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
                self._root,
                self._look,
                message,
                lambda: self._actions.windows.put_away(topic),
                self._actions.windows.show,
            )
        self._arrange_soon()

    def make_ready(self) -> None:
        """Have a notice for the next ring; for a moment in which nothing else is to be done."""
        if not (self._spare or self.shown or self.waiting):
            self._spare.append(self._new_notice())
            self._spare[0].make_ready()
            self._free_area()

    def close(self) -> None:
        """Let go of what is no window."""
        self._work_area.close()

    def ring(self, call: SeatCall) -> None:
        """The phone rings for this call; `show` follows."""
        if call.key not in self.shown:
            self.waiting[call.key] = call

    def show(self, calls: Mapping[str, SeatCall]) -> bool:
        """Show the calls as they are now; whether a notice came on the screen, and is to be drawn.

        `calls` are those that have a card, by their keys: of any other one nothing new is known.
        """
        for key in list(self.waiting):
            if (call := calls.get(key)) is not None and call.rings:
                self.waiting[key] = call
            else:
                del self.waiting[key]
                self._arrange_soon()
        for key, notice in self.shown.items():
            if (call := calls.get(key)) is not None and call != notice.call:
                notice.show_call(call)
                self._set_end(notice, call)
                self._arrange_soon()
        if self.waiting and time.monotonic() - self._came_at >= PACE:
            return self._arrange()
        if self.waiting:
            self._arrange_soon()
        return False

    def tick(self) -> None:
        """Take away what stayed long enough."""
        now = time.monotonic()
        due = [key for key, notice in self.shown.items() if notice.is_due(now)]
        for key in due:
            self._close(key)
        windows = self._windows
        if self.waiting or self._in_the_way or (windows and self._corner_for(windows) != self._used_corner):
            self._arrange_soon()

    def offer_answer(self, may_answer: bool) -> None:
        """Whether this phone can be told to answer from now on."""
        if may_answer != self._may_answer:
            self._may_answer = may_answer
            for notice in self.shown.values():
                notice.offer_answer(may_answer)
            self._arrange_soon()

    def close_all(self) -> None:
        """Take all away."""
        self.waiting.clear()
        for key in list(self.shown):
            self._close(key)
        self._arrange()

    def _set_end(self, notice: CallNotice, call: SeatCall) -> None:
        if call.rings:
            notice.rings()
            return
        stay = ANSWERED_TIME if call.was_answered else self._stay
        notice.ring_is_over(time.monotonic(), stay, call_over=call.phase == "over")

    def _close(self, key: str) -> None:
        if notice := self.shown.pop(key, None):
            self._let_go(notice)
        self._arrange_soon()

    def _new_notice(self) -> CallNotice:
        while self._spare:
            if (spare := self._spare.pop()).winfo_exists():
                return spare
        return CallNotice(self._root, self._look, self._actions, self._close)

    def _let_go(self, notice: CallNotice) -> None:
        if len(self._spare) < MOST_SPARE:
            notice.rest()
            self._spare.append(notice)
        else:
            notice.destroy()

    # --- the stack ---

    @property
    def _windows(self) -> list[tk.Toplevel]:
        """All in their order, the one in the corner first."""
        others = (self.dialled, self.more, self.message)
        return [*self.shown.values(), *(window for window in others if window)]

    def _window_came(self, event: tk.Event[tk.Misc]) -> None:
        """The program's own window is shown, perhaps by a click on a notice, and perhaps below it."""
        if event.widget is self._root and self._windows:
            self._arrange_soon()

    def _arrange_soon(self) -> None:
        """At once after a quiet time, else once for everything that happens meanwhile."""
        if not self._due:
            pause = PACE - (time.monotonic() - self._arranged_at)
            if pause > 0:
                self._due = self._root.after(int(pause * 1000), self._arrange)
            else:
                self._due = self._root.after_idle(self._arrange)

    def _arrange(self) -> bool:
        """Whether a notice came on the screen."""
        if self._due:
            self._root.after_cancel(self._due)
            self._due = ""
        for call in list(self.waiting.values()):
            if not self._make_room():
                break
            del self.waiting[call.key]
            notice = self.shown[call.key] = self._new_notice()
            notice.begin(call, self._may_answer)
        self._count_the_others()
        came = self._stack()
        self._arranged_at = time.monotonic()
        if came:
            self._came_at = self._arranged_at
        return came

    def _make_room(self) -> bool:
        """Whether there is a place for one more; one that was over long enough gives its own."""
        now = time.monotonic()
        if len(self.shown) < MOST_NOTICES and self._has_height():
            return True
        for key, notice in self.shown.items():
            if notice.was_readable(now, READABLE):
                self._let_go(self.shown.pop(key))
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
            self.more = MoreCallsNotice(self._root, self._look, self._actions.windows.show)
        self.more.count(len(self.waiting))

    def _stack(self) -> bool:
        """Whether a window came on the screen."""
        windows = self._windows
        if not windows:
            self._used_corner = ""
            return False
        left, top, right, bottom = self._free_area()
        gap = self._look.px(GAP)
        for window in windows:
            window.update_idletasks()
        self._used_corner = self._corner_for(windows)
        self._in_the_way = not self._used_corner
        if self._in_the_way:
            for window in windows:
                window.withdraw()
            return False
        came = False
        corner = self._used_corner
        down = corner.startswith("top")
        y = top + gap if down else bottom - gap
        for window in windows:
            window.update_idletasks()
            width, height = window.winfo_reqwidth(), window.winfo_reqheight()
            x = left + gap if corner.endswith("left") else right - gap - width
            if not down:
                y -= height
            window.geometry(f"{width}x{height}+{x}+{y}")
            if not window.winfo_viewable():
                show_quietly(window)
                came = True
            y += height + gap if down else -gap
        return came

    def _corner_for(self, windows: list[tk.Toplevel]) -> str:
        """Where they are, as long as they do not cover the program's own window; else as `_free_corner`.

        That window is opened and moved while they are there, and they may become more.
        """
        used = self._used_corner
        if used and (not self._root.winfo_viewable() or not self._covered(used, windows)):
            return used
        return self._free_corner(windows)

    def _covered(self, corner: str, windows: list[tk.Toplevel]) -> int:
        """How many dots of the program's own window would be covered from this corner."""
        gap, root = self._look.px(GAP), self._root
        width = max(window.winfo_reqwidth() for window in windows) + gap
        height = sum(window.winfo_reqheight() + gap for window in windows)
        x, y = root.winfo_rootx(), root.winfo_rooty()
        own = x, y, x + root.winfo_width(), y + root.winfo_height()
        return overlap(own, corner_rectangle(self._free_area(), corner, width, height))

    def _free_corner(self, windows: list[tk.Toplevel]) -> str:
        """The corner of the settings, or another where the program's own window is not covered.

        Where there is none: nothing while its user works in that window, which has a card for each call; else
        the one that covers least of it, for it may be behind others.
        """
        if not self._root.winfo_viewable():
            return self._corner
        vertical, _dash, side = self._corner.partition("-")
        other_side = "left" if side == "right" else "right"
        other_vertical = "top" if vertical == "bottom" else "bottom"
        corners = (
            self._corner,
            f"{vertical}-{other_side}",
            f"{other_vertical}-{side}",
            f"{other_vertical}-{other_side}",
        )
        covered = [self._covered(corner, windows) for corner in corners]
        if min(covered) > 0 and self._has_keyboard():
            return ""
        return corners[covered.index(min(covered))]

    def _has_keyboard(self) -> bool:
        try:
            focused = self._root.focus_get()
        except KeyError:  # something that Tk made by itself, a list or a menu
            return True
        return focused is not None and focused.winfo_toplevel() is self._root

    def _free_area(self) -> tuple[int, int, int, int]:
        now = time.monotonic()
        if self._area is None or now - self._area[0] > AREA_TIME:
            self._area = now, self._work_area.now()
        return self._area[1]


Rectangle = tuple[int, int, int, int]
"""Left, top, right and bottom, in dots of the screen."""


def corner_rectangle(area: Rectangle, corner: str, width: int, height: int) -> Rectangle:
    """The place of that size in a corner (`top-left` and so on) of an area."""
    left, top, right, bottom = area
    x = left if corner.endswith("left") else right - width
    y = top if corner.startswith("top") else bottom - height
    return x, y, x + width, y + height


def overlap(one: Rectangle, other: Rectangle) -> int:
    """How many dots two rectangles have in common."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, width) * max(0, height)
