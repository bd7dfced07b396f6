"""Logging in: who may, how often one may fail, and what is kept in the session."""

from __future__ import annotations

import ipaddress
import math
from datetime import timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from configurator import audit_log
from configurator.models import AuditEntry, LoginFailure, ManagerUser

FAILURES_COUNT_FOR = timedelta(minutes=15)
"""How long a failure counts."""
PAIR_LIMIT = 5
"""Failures for one user from one address."""
ADDRESS_LIMIT = 30
"""Failures from one address, whatever the user: guessing of names."""
USER_LIMIT = 50
"""Failures for one user, wherever from: many machines that guess one password. Others are slowed then."""
SLOWED = timedelta(minutes=5)
"""How far apart attempts from one address are then; the first one is welcome, so nobody is kept out."""
KNOWN_FOR = timedelta(days=30)
"""How long an address from which a user logged in is known as that user's."""
KNOWN_LIMIT = 20
"""Failures for one user from an address of his own, before attempts have to be a minute apart."""
KNOWN_SLOWED = timedelta(minutes=1)
NETWORK_BITS = 64
"""Of an IPv6 address: what is behind these its owner takes as he likes, and systems take anew each day."""


class ManagerBackend:
    """Checks user id and password against the manager users."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> ManagerUser | None:
        """Return the user, or None; an unknown one takes as long as a wrong password."""
        if not username or password is None:
            return None
        user = ManagerUser.objects.filter(userid=username).first()
        if user is None:
            make_password(password)  # or the time of the answer would tell which names exist
            return None
        return user if user.check_password(password) and user.enabled else None

    def get_user(self, user_id: int) -> ManagerUser | None:
        """The user of a session; one that was disabled has none any more."""
        return ManagerUser.objects.filter(pk=user_id, enabled=True).first()


def count_attempt(userid: str, address: str) -> int:
    """Count an attempt before it is looked at, so that any number at a time are no more than the limits.

    Returns 0 where it is welcome; else it is not counted, and these are the minutes until the next one is.
    A login takes back what was counted for it. From an address from which this user logged in lately, only
    failures of this user from there count: whoever guesses elsewhere, or other names, keeps nobody out.
    """
    userid, address = userid[:150], network_of(address)
    with transaction.atomic("default"):  # writing from its start on: one attempt waits for the other
        LoginFailure.objects.filter(at__lt=timezone.now() - FAILURES_COUNT_FOR).delete()
        of_user, of_address = (
            LoginFailure.objects.filter(userid=userid),
            LoginFailure.objects.filter(address=address),
        )
        of_pair = of_user.filter(address=address)
        if is_known(userid, address):
            minutes = _slowed(of_pair, KNOWN_LIMIT, of_pair, KNOWN_SLOWED)
        else:
            minutes = max(
                _minutes(of_pair, PAIR_LIMIT),
                _minutes(of_address, ADDRESS_LIMIT),
                _slowed(of_user, USER_LIMIT, of_pair, SLOWED),
            )
        if not minutes:
            LoginFailure.objects.create(userid=userid, address=address)
    return minutes


def forget_failures(userid: str) -> None:
    """Make attempts of a user welcome again: the password is another one now."""
    LoginFailure.objects.filter(userid=userid).delete()


def end_sessions(user: ManagerUser) -> None:
    """End every session of a user for good: enabled again, the user logs in again."""
    for session in Session.objects.filter(expire_date__gt=timezone.now()):  # a row does not say whose it is
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()


def network_of(address: str) -> str:
    """What attempts are counted by: an IPv4 address as it is, of an IPv6 address one customer's network."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, NETWORK_BITS), strict=False))


def is_known(userid: str, address: str) -> bool:
    """Whether the user logged in from this address, or its network, lately."""
    logins = AuditEntry.objects.filter(userid=userid, action="login", at__gt=timezone.now() - KNOWN_FOR)
    addresses = logins.order_by().values_list("address", flat=True).distinct()
    return bool(userid) and network_of(address) in map(network_of, addresses)


def _slowed(
    failures: QuerySet[LoginFailure], limit: int, of_pair: QuerySet[LoginFailure], apart: timedelta
) -> int:
    """Past the limit, attempts of a user from one address have to be so far apart."""
    last = of_pair.order_by("-at").first()
    if last is None or failures.count() < limit:
        return 0
    return max(0, math.ceil((last.at + apart - timezone.now()).total_seconds() / 60))


def _minutes(failures: QuerySet[LoginFailure], limit: int) -> int:
    latest = list(failures.order_by("-at")[:limit])
    if len(latest) < limit:
        return 0
    return max(1, math.ceil((latest[-1].at + FAILURES_COUNT_FOR - timezone.now()).total_seconds() / 60))


@receiver(user_logged_in)
def _keep_name(request: HttpRequest, user: ManagerUser, **_: Any) -> None:
    request.session["userid"] = user.userid
    request.session["since"] = timezone.now().timestamp()
    network = network_of(audit_log.address_of(request))
    LoginFailure.objects.filter(userid=user.userid, address=network).delete()
    Session.objects.filter(expire_date__lt=timezone.now()).delete()  # those that were never logged out
    audit_log.record(request, "login", "session", user.userid)


@receiver(user_logged_out)
def _note_end(request: HttpRequest, user: ManagerUser | None, **_: Any) -> None:
    if user is not None:
        audit_log.record(request, "logout", "session", user.userid)
