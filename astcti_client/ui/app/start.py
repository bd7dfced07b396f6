"""Starts the client with its window. Imported only when there shall be one: it needs Tk and Pillow."""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import sqlite3
import tkinter as tk
from collections.abc import Callable
from pathlib import Path

from astcti_client.hand_over.requests import SHOW, NoHandOver, OtherClient
from astcti_client.hand_over.running_client import ask_running_client
from astcti_client.settings import LoadedSettings
from astcti_client.stop_signals import stop_requests
from astcti_client.triggers.memory_file import MemoryFile, pop_ups_file
from astcti_client.triggers.trigger_memory import TriggerMemory
from astcti_client.ui import i18n
from astcti_client.ui.app.app import App
from astcti_client.ui.state.history import History, default_file
from astcti_client.ui.state.pause_file import PauseFile, pause_file
from astcti_client.ui.state.window_places import WindowPlaces, default_places_file
from astcti_client.ui.text import words
from astcti_client.ui.theme.screen import draw_in_real_dots, draws_emoji

logger = logging.getLogger(__name__)


class NoDisplay(Exception):
    """There is no screen to open a window on. The text is Tk's."""


def run_window(loaded: LoadedSettings, reload: Callable[[], LoadedSettings], file: Path) -> int:
    """Show the window until the user quits; returns the exit code. Raises NoDisplay.

    If another client of this user is running, that one shows its window instead; OtherClient is raised if it
    has none.
    """
    try:
        ask_running_client(SHOW)
        return 0
    except NoHandOver:
        pass  # nobody is there, or one without a window: listening for requests will tell
    gc.freeze()  # what modules hold stays: to look through it once a minute takes 30 ms
    draw_in_real_dots()
    try:
        root = tk.Tk(className="Astcti")  # by this desktops tell which program a window belongs to
    except tk.TclError as error:
        raise NoDisplay(str(error)) from None
    root.withdraw()  # until it is known which window comes first
    i18n.use_language(loaded.settings.language)
    words.draw_emoji(draws_emoji(root))
    history = _history(loaded.settings.history_days)
    try:
        memory, left = TriggerMemory(MemoryFile(pop_ups_file())), PauseFile(pause_file())
        places = WindowPlaces(default_places_file())
        app = App(root, loaded, reload, file, history, memory, left, places)
    except OtherClient:
        history.close()
        root.destroy()
        raise
    inbox = app.inbox  # signals write to it until they mean again what they meant before
    signals = stop_requests((signal.SIGINT, signal.SIGTERM), inbox.put, inbox.signal_descriptor)
    with contextlib.closing(inbox), signals:
        try:
            app.start()
            root.mainloop()
        finally:
            app.close()
            root.destroy()
    return 0


def _history(days: int) -> History:
    try:
        return History(default_file(), days)
    except (OSError, sqlite3.Error) as error:
        logger.warning("the history cannot be kept in %s (%s): it lasts until the end", default_file(), error)
        return History(None, 0)
