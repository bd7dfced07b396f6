"""Mails for lost passwords, sent by a thread: no answer tells by its time which address is known."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from django.core import mail
from django.utils import translation

from configurator.forms.users import PasswordLostForm
from configurator.users.mail_thread import MailThread


class LostPassword(NamedTuple):
    """Somebody's wish for a link."""

    email: str
    """As it was typed: whether a user has it is looked up later."""
    host: str
    https: bool
    language: str


class LostPasswordMails(MailThread):
    """What it says of itself is the same, whatever address was typed."""

    def add(self, wish: LostPassword) -> None:
        """Have a mail sent, if a user has the address."""
        self.submit(partial(_send_link, wish))


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


mails = LostPasswordMails("lost-password-mail")
