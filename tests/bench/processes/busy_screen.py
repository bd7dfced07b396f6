"""Keeps the X server of DISPLAY busy until it is ended: a window drawn anew a hundred times a second."""

from __future__ import annotations

import time
from typing import Any

from Xlib.display import Display

WIDTH, HEIGHT, EACH = 900, 500, 0.01  # seconds; a large picture that moves, such as a video


def main() -> None:
    """Draw, wait, draw again; each waits for the X server, so that no queue grows there."""
    display: Any = Display()
    screen = display.screen()
    window = screen.root.create_window(0, 40, WIDTH, HEIGHT, 0, screen.root_depth, override_redirect=True)
    window.map()
    context = window.create_gc()
    for number in range(10**9):
        for left in range(0, WIDTH, 20):
            context.change(foreground=(number * 7919 + left * 104729) & 0xFFFFFF)
            window.fill_rectangle(context, left, 0, 20, HEIGHT)
        display.sync()
        time.sleep(EACH)  # the pace of what it draws


if __name__ == "__main__":
    main()
