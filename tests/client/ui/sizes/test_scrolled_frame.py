"""What scrolls is as wide as the room there is, whether its bar is there or not."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from astcti_client.ui.widgets.controls import ScrolledFrame
from tests.client.ui.tools.window_test_bed import WindowTestBed

Make = Callable[..., WindowTestBed]


def test_a_bar_that_was_there_for_a_moment_leaves_no_gap(open_client: Make) -> None:
    bed = open_client()
    top = tk.Toplevel(bed.root)
    top.geometry("300x200")
    place = ScrolledFrame(top, bed.app.windows.look)
    place.pack(fill="both", expand=True)
    content = tk.Frame(place.inner, height=20)
    content.pack(fill="x")
    bed.pump(lambda: content.winfo_viewable() and content.winfo_width() == 300)
    for height in (900, 20, 900, 20):
        content.configure(height=height)
        bed.root.update_idletasks()
    bed.turn()
    assert content.winfo_width() == 300
    content.configure(height=900)
    bed.pump(lambda: content.winfo_width() < 300)
    content.configure(height=20)
    bed.pump(lambda: content.winfo_width() == 300)


def test_what_became_less_high_than_where_the_view_was_is_seen_again(open_client: Make) -> None:
    bed = open_client()
    top = tk.Toplevel(bed.root)
    top.geometry("300x200")
    place = ScrolledFrame(top, bed.app.windows.look)
    place.pack(fill="both", expand=True)
    rows = [tk.Frame(place.inner, height=50) for _ in range(40)]
    for row in rows:
        row.pack(fill="x")
    bed.pump(lambda: rows[-1].winfo_viewable() and place.inner.winfo_height() == 2000)
    place.see(rows[-1])
    bed.pump(lambda: place.inner.winfo_y() == -1800)
    for row in rows[10:]:
        row.destroy()
    bed.pump(lambda: rows[9].winfo_viewable(), "nothing is seen")
    assert place.inner.winfo_y() == 200 - 500
