"""Has the system's browser show the page of a window, while that goes on. No window, no toolkit."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from astcti_client.triggers.runner import own_system
from astcti_client.triggers.system_browser import FAILS_WITHIN, NoBrowserStarts, PageOpening

logger = logging.getLogger(__name__)

LOOK = 0.2  # seconds between two looks whether the browser took the page


def open_in_system_browser(
    url: str, failed: Callable[[], None], environ: Mapping[str, str] | None = None
) -> threading.Thread:
    """Open a page of the web; anything else is passed over. Returns the thread that does it.

    A desktop that does not answer holds nobody up. `failed` is called in that thread if no browser took the
    page. `environ`: this process's if there is none.
    """
    thread = threading.Thread(target=_open, args=(url, failed, environ), name="outside", daemon=True)
    thread.start()
    return thread


def _open(url: str, failed: Callable[[], None], environ: Mapping[str, str] | None) -> None:
    if not url.startswith(("http://", "https://")):
        return
    try:
        opening = PageOpening(url, system=own_system(), environ=environ)
    except NoBrowserStarts as error:
        logger.warning("%s", error)
        failed()
        return
    until = time.monotonic() + FAILS_WITHIN
    while (taken := opening.poll()) is None and time.monotonic() < until:
        time.sleep(LOOK)
    opening.let_go()
    if taken is False:
        failed()
