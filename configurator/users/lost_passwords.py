"""Mails for lost passwords, sent by a thread: no answer tells by its time which address is known."""

from __future__ import annotations

import logging
import smtplib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.conf import settings
from django.core import mail
from django.db import connections
from django.utils import translation

from configurator.forms.users import PasswordLostForm

logger = logging.getLogger(__name__)
MOST_WAITING = 20


class LostPassword(NamedTuple):
    """Somebody's wish for a link."""

    email: str
    """As it was typed: whether a user has it is looked up later."""
    host: str
    https: bool
    language: str


class MailState(NamedTuple):
    """What pages say of the mails: the same, whatever address was typed."""

    waiting: int
    failed: bool
    """The mail server could not be reached, or refused, at the last attempt."""


class LostPasswordMails:
    """Sends one after the other. Any thread; nothing waits for the mail server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = 0
        self._failed = False
        self._thread: ThreadPoolExecutor | None = None

    def add(self, wish: LostPassword) -> None:
        """Have a mail sent, if a user has the address. Beyond `MOST_WAITING` nothing is: the server hangs."""
        with self._lock:
            if self._waiting >= MOST_WAITING:
                return
            self._waiting += 1
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="lost-password-mail")
            self._thread.submit(self._send, wish)

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

    def _send(self, wish: LostPassword) -> None:
        failed = True
        try:
            _send_link(wish)
            failed = False
        except (OSError, smtplib.SMTPException) as error:
            logger.error("mail cannot be sent by %s: %s", settings.EMAIL_HOST, error)
        except Exception:
            logger.exception("a mail for a lost password was not sent")
        finally:
            connections.close_all()
            with self._lock:
                self._waiting -= 1
                self._failed = failed


def _send_link(wish: LostPassword) -> None:
    # Reached whether or not a user has the address: so it shows for every address if it cannot be.
    with translation.override(wish.language), mail.get_connection():
        form = PasswordLostForm({"email": wish.email})
        if form.is_valid():
            form.save(
                domain_override=wish.host,
                use_https=wish.https,
                subject_template_name="configurator/password_mail_subject.txt",
                email_template_name="configurator/password_mail.txt",
            )


mails = LostPasswordMails()
