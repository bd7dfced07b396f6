"""A second factor beside the password: codes of an app (TOTP, RFC 6238), where django-otp is installed.

A user who confirmed an app logs in with its codes from then on. django-otp keeps the secrets, takes no code
twice and slows guessing.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from configurator.models import ManagerUser
from configurator.openid.sessions import is_signed_on
from configurator.users import authentication


def device_of(user: ManagerUser, *, confirmed: bool = True) -> Any:
    """The user's app, None where there is none; with `confirmed` False, one that is being set up."""
    if not settings.TWO_FACTOR:
        return None
    return _devices().filter(user=user, confirmed=confirmed).first()


def is_used() -> bool:
    """Whether anybody has an app: only then is a code asked for."""
    return bool(settings.TWO_FACTOR) and bool(_devices().filter(confirmed=True).exists())


def is_missing(user: ManagerUser) -> bool:
    """Whether this user's role has to have an app, and there is none."""
    return user.role in settings.SECOND_FACTOR_FOR and device_of(user) is None


def keeps_out(request: HttpRequest) -> bool:
    """Whether who asks reaches nothing before an app is set up.

    How many factors an account of the provider needs is decided there.
    """
    return not is_signed_on(request) and is_missing(request.user)


def accepts(user: ManagerUser, code: str, address: str) -> bool:
    """Whether the user may log in with this code from there: without an app, any.

    django-otp makes the next code wait twice as long after each wrong one, days in the end. From an address
    from which this user logged in lately that does not count: who has the password alone, elsewhere, keeps
    nobody out, and what is guessed there `count_attempt` slows.
    """
    with transaction.atomic(
        "default"
    ):  # writing from its start on: of two with one code the second one is late
        device = device_of(user)
        if device is None:
            return True
        if authentication.is_known(user.userid, address):
            device.throttle_reset(commit=False)
        return bool(device.verify_token(code.replace(" ", "")))


def begin(user: ManagerUser) -> Any:
    """An app to be confirmed with its first code; the same one until then."""
    return device_of(user, confirmed=False) or _devices().create(user=user, name="app", confirmed=False)


def confirm(user: ManagerUser, code: str) -> bool:
    """Ask for codes from now on, if this one is right."""
    device = begin(user)
    if not device.verify_token(code.replace(" ", "")):
        return False
    device.confirmed = True
    device.save()
    return True


def remove(user: ManagerUser) -> bool:
    """Ask for no codes any more; tells whether there was an app."""
    if not settings.TWO_FACTOR:
        return False
    return bool(_devices().filter(user=user).delete()[0])


def picture(device: Any) -> str:
    """The secret as a picture (QR code) for the app's camera: SVG without styles."""
    import segno

    return str(segno.make(device.config_url).svg_inline(scale=5, border=3, light="#fff"))


def _devices() -> Any:
    from django_otp.plugins.otp_totp.models import TOTPDevice

    return TOTPDevice.objects
