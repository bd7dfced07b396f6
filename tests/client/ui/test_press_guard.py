"""A button that was moved, shown, enabled or given another meaning does nothing for a while."""

from __future__ import annotations

import gc
import time
import tkinter as tk
from collections.abc import Callable, Iterator

import pytest

from astcti_client.ui.widgets.press_guard import INERT, GuardedButton, PressedOnce, PressGuard
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.widgets import click
from tests.fake.patience import PATIENCE


class Clock:
    """Goes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A window with two buttons, one below the other, and what was pressed."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.root = tk.Tk()
        self.guard = PressGuard(self.root, self.clock)
        self.root.geometry("300x200+100+100")
        self.pressed: list[str] = []
        self.upper, self.lower = self.add("upper"), self.add("lower")
        self.pump(self.lower.winfo_viewable)
        self.settle()

    def add(self, name: str) -> GuardedButton:
        made = GuardedButton(self.root, lambda: self.pressed.append(name), text=name)
        made.pack(fill="x")
        return made

    def settle(self) -> None:
        """What there is has been there for long."""
        self.root.update()
        self.clock.now += 5

    def pump(self, fact: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE
        while not fact():
            assert time.monotonic() < until
            self.root.update()
        self.root.update()


@pytest.fixture
def bench(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("DISPLAY", desktop.display)
    made = Bench()
    yield made
    made.root.destroy()
    gc.collect()


def test_an_action_that_was_begun_rests_as_long_as_a_button(bench: Bench) -> None:
    action, other = PressedOnce(bench.lower), PressedOnce(bench.root)
    assert [action.begins(), action.begins(), other.begins()] == [True, False, True]
    bench.clock.now += 0.99
    assert not action.begins()
    bench.clock.now += 0.02
    assert [action.begins(), action.begins()] == [True, False]


def test_a_button_that_was_there_is_pressed(bench: Bench, desktop: Desktop) -> None:
    click(desktop, bench.lower)
    bench.pump(lambda: bench.pressed == ["lower"])


def test_what_moved_is_inert_for_a_second_and_shows_it(bench: Bench) -> None:
    newcomer = bench.add("newcomer")
    newcomer.pack(before=bench.upper, fill="x")
    bench.root.update()
    for button in (newcomer, bench.upper, bench.lower):
        button.invoke()
        assert button.instate([INERT])
    assert bench.pressed == []
    bench.clock.now += 0.99
    bench.lower.invoke()
    assert bench.pressed == []
    bench.clock.now += 0.02
    bench.lower.invoke()
    assert bench.pressed == ["lower"]
    bench.pump(lambda: not bench.lower.instate([INERT]))


def test_what_was_enabled_rests_from_then_on_and_not_from_the_next_press(bench: Bench) -> None:
    bench.lower.state(["disabled"])
    newcomer = bench.add("newcomer")  # so that all are looked at while it is
    bench.settle()
    bench.lower.state(["!disabled"])
    bench.root.update()
    assert bench.lower.instate([INERT])
    bench.settle()
    bench.lower.invoke()
    newcomer.invoke()
    assert bench.pressed == ["lower", "newcomer"]


def test_what_is_for_something_else_rests_though_it_looks_the_same(bench: Bench) -> None:
    bench.settle()
    bench.lower.means_another()
    bench.lower.invoke()
    bench.upper.invoke()
    assert bench.pressed == ["upper"]
    assert bench.lower.instate([INERT])


def test_what_stayed_where_it_was_is_not_held_up_by_what_moved(bench: Bench) -> None:
    bench.lower.pack_configure(pady=(10, 0))
    bench.root.update()
    bench.upper.invoke()
    bench.lower.invoke()
    assert bench.pressed == ["upper"]


def test_other_words_and_a_button_that_is_enabled_count_as_a_change(bench: Bench) -> None:
    bench.upper.configure(text="reppu")  # as wide as before: nothing moves
    bench.lower.configure(state="disabled")
    bench.settle()
    bench.upper.configure(text="upper")
    bench.lower.configure(state="normal")
    for button in (bench.upper, bench.lower):
        button.invoke()
    assert bench.pressed == []
    bench.clock.now += 1.1
    bench.lower.invoke()
    assert bench.pressed == ["lower"]


@pytest.mark.parametrize("key", ["space", "Return"])
def test_keys_are_held_up_as_the_mouse_is(bench: Bench, desktop: Desktop, key: str) -> None:
    bench.upper.bind("<Return>", lambda _event: bench.upper.invoke())
    seen: list[object] = []
    bench.root.bind(f"<KeyRelease-{key}>", seen.append)
    bench.upper.focus_force()
    bench.pump(lambda: bench.root.focus_get() is bench.upper)
    bench.upper.configure(text="reppu")
    desktop.do("key", key)
    bench.pump(lambda: len(seen) == 1)
    assert bench.pressed == []
    bench.clock.now += 1.1
    desktop.do("key", key)
    bench.pump(lambda: bench.pressed == ["upper"])


def test_a_press_that_began_before_the_change_does_not_count(bench: Bench, desktop: Desktop) -> None:
    x, y = bench.upper.winfo_rootx() + 40, bench.upper.winfo_rooty() + 10
    desktop.do("mousemove", str(x), str(y), "mousedown", "1")
    bench.pump(lambda: bench.upper.instate(["pressed"]))
    bench.upper.configure(text="reppu")
    bench.root.update()
    bench.clock.now += 3  # whoever holds the button that long
    released: list[object] = []
    bench.root.bind("<ButtonRelease-1>", released.append)
    desktop.do("mouseup", "1")
    bench.pump(lambda: released)
    assert bench.pressed == []


def test_a_window_that_opens_is_inert_at_first(bench: Bench) -> None:
    bench.root.withdraw()
    bench.pump(lambda: not bench.upper.winfo_viewable())
    bench.root.deiconify()
    bench.pump(bench.upper.winfo_viewable)
    bench.upper.invoke()
    assert bench.pressed == []


def test_a_window_that_its_user_moves_goes_on_working(bench: Bench, desktop: Desktop) -> None:
    before = bench.root.winfo_rootx()
    bench.root.geometry("+250+150")
    bench.pump(lambda: bench.root.winfo_rootx() != before)
    bench.upper.invoke()
    assert bench.pressed == ["upper"]


def test_a_quiet_window_that_is_moved_is_inert(bench: Bench) -> None:
    notice = tk.Toplevel(bench.root)
    notice.overrideredirect(True)
    notice.geometry("+400+100")
    button = GuardedButton(notice, lambda: bench.pressed.append("notice"), text="close")
    button.pack()
    bench.pump(button.winfo_viewable)
    bench.settle()
    notice.geometry("+400+180")
    bench.pump(lambda: notice.winfo_rooty() == 180)
    button.invoke()
    assert bench.pressed == []


def test_nothing_is_left_of_a_button_that_went(bench: Bench) -> None:
    bench.lower.destroy()
    frame = tk.Frame(bench.root)
    GuardedButton(frame, bench.root.bell, text="inside").pack()
    frame.pack()
    bench.settle()
    failures: list[object] = []
    bench.root.report_callback_exception = lambda _kind, error, _trace: failures.append(error)
    bench.root.tk.call("destroy", str(frame))  # as Tk itself does it
    bench.root.update()
    bench.upper.configure(text="other")
    bench.settle()
    bench.upper.invoke()
    assert bench.pressed == ["upper"]
    assert failures == []
