"""Sends mails beside the pages: nobody who asks for one waits for the mail server."""

from __future__ import annotations

import logging
import smtplib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.conf import settings
from django.db import connections

logger = logging.getLogger(__name__)
MOST_WAITING = 20


class MailState(NamedTuple):
    """What pages say of the mails."""

    waiting: int
    failed: bool
    """The mail server could not be reached, or refused, at the last attempt."""


class MailThread:
    """Sends one after the other. Any thread; nothing waits for the mail server."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting = 0
        self._failed = False
        self._thread: ThreadPoolExecutor | None = None

    def submit(self, send: Callable[[], None]) -> None:
        """Have `send` called by the thread. Beyond `MOST_WAITING` nothing is: the server hangs.

        It may raise OSError or SMTPException: the log then says that no mail can be sent.
        """
        with self._lock:
            if self._waiting >= MOST_WAITING:
                return
            self._waiting += 1
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix=self._name)
            self._thread.submit(self._send, send)

    def state(self) -> MailState:
        """How it stands."""
        with self._lock:
            return MailState(self._waiting, self._failed)

    def finish(self) -> None:
        """Send what waits, and end the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()

    def _send(self, send: Callable[[], None]) -> None:
        failed = True
        try:
            send()
            failed = False
        except (OSError, smtplib.SMTPException) as error:
            logger.error("mail cannot be sent by %s: %s", settings.EMAIL_HOST, error)
        except Exception:
            logger.exception("a mail was not sent")
        finally:
            connections.close_all()
            with self._lock:
                self._waiting -= 1
                self._failed = failed
