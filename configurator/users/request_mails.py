"""Mails to administrators: somebody asks for a publication."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string
from django.utils import timezone, translation

from configurator.models import ManagerUser, PublicationRequest
from configurator.users.mail_thread import MailThread


class _Recipient(NamedTuple):
    email: str
    language: str


class RequestMails(MailThread):
    """One mail for each administrator who has an address, in the language of each."""

    def add(self, asked: PublicationRequest, full_name: str, page: str) -> None:
        """Tell of a new request, which is answered at the address `page`; without a mail server nobody."""
        if settings.EMAIL_HOST:
            self.submit(partial(_send, asked, full_name, page, translation.get_language() or "en"))


def _send(asked: PublicationRequest, full_name: str, page: str, language: str) -> None:
    administrators = ManagerUser.objects.filter(role=ManagerUser.Role.ADMINISTRATOR, enabled=True)
    recipients = [_Recipient(user.email, user.language or language) for user in administrators if user.email]
    if not recipients:
        return
    with mail.get_connection() as connection:
        for recipient in recipients:
            with translation.override(recipient.language):
                context = {
                    "asked": asked,
                    "full_name": full_name,
                    "page": page,
                    "when": timezone.localtime(asked.at),
                }
                subject = render_to_string("configurator/request_mail_subject.txt", context).strip()
                text = render_to_string("configurator/request_mail.txt", context)
            mail.EmailMessage(subject, text, to=[recipient.email], connection=connection).send()


request_mails = RequestMails("request-mail")
