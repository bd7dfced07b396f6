"""Why a login with an account of the provider did not come about, and what to do then."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class SignOnRefusalText(NamedTuple):
    """What a page says. `%(name)s` is what the provider is called; status is that of HTTP."""

    status: int
    title: Promise
    text: Promise
    what_to_do: Promise


class SignOnRefusal(Enum):
    """The ways in which it may fail; the value is what log and audit call it."""

    UNREACHABLE = "provider not reachable"
    BUSY = "too many wait for the provider"
    ANSWER = "the provider's answer makes no sense"
    SET_UP = "provider and configurator.ini do not fit"
    CANCELLED = "cancelled at the provider"
    REFUSED = "refused by the provider"
    STATE = "begun too long ago, or elsewhere"
    CLOCK = "clocks differ"
    CLAIM = "no usable user id"
    ROLE = "no role"
    DISABLED = "disabled here"
    TAKEN = "another user has this user id"
    LAST_ADMINISTRATOR = "the last administrator would lose the role"


class SignOnError(Exception):
    """A login that did not come about. `detail` is for the log."""

    def __init__(self, refusal: SignOnRefusal, detail: str = "", userid: str = "") -> None:
        super().__init__(detail or refusal.value)
        self.refusal = refusal
        self.userid = userid
        """Whom the provider says it is; empty where that is not known."""


_AGAIN = _("Try again in a while. Whoever administrates the Configurator finds more in its log.")
_ADMINISTRATOR = _("Tell whoever administrates the Configurator: its log says what does not fit.")

TEXTS = {
    SignOnRefusal.UNREACHABLE: SignOnRefusalText(
        502, _("%(name)s does not answer"), _("The provider of these accounts cannot be reached."), _AGAIN
    ),
    SignOnRefusal.BUSY: SignOnRefusalText(
        503, _("%(name)s does not answer"), _("Others wait for the provider of these accounts, too."), _AGAIN
    ),
    SignOnRefusal.ANSWER: SignOnRefusalText(
        502,
        _("%(name)s was not understood"),
        _("What the provider of these accounts answered could not be verified."),
        _ADMINISTRATOR,
    ),
    SignOnRefusal.SET_UP: SignOnRefusalText(
        502,
        _("%(name)s does not know the Configurator"),
        _("The provider of these accounts refused the Configurator, not you."),
        _ADMINISTRATOR,
    ),
    SignOnRefusal.CANCELLED: SignOnRefusalText(
        403,
        _("You did not log in"),
        _("The login was cancelled, or not allowed, at the provider."),
        _("Try again if you want to log in."),
    ),
    SignOnRefusal.REFUSED: SignOnRefusalText(
        403,
        _("%(name)s refused the login"),
        _("The provider of these accounts did not say yes."),
        _ADMINISTRATOR,
    ),
    SignOnRefusal.STATE: SignOnRefusalText(
        400,
        _("Please begin again"),
        _("The login took too long, or was begun in another window or browser."),
        _("Begin again, and keep to one window. Cookies have to be allowed for this page."),
    ),
    SignOnRefusal.CLOCK: SignOnRefusalText(
        502,
        _("The clocks differ"),
        _("By the clock of the Configurator, what the provider says has run out or is not valid yet."),
        _("Tell whoever administrates the Configurator to set the clocks of both machines by NTP."),
    ),
    SignOnRefusal.CLAIM: SignOnRefusalText(
        403,
        _("%(name)s does not say who you are"),
        _("The claim “%(user_claim)s” is missing, or no name that the Configurator takes."),
        _("Tell whoever administrates %(name)s, or the Configurator."),
    ),
    SignOnRefusal.ROLE: SignOnRefusalText(
        403,
        _("You have no role here"),
        _("%(name)s knows you as “%(userid)s”, but gives you no role in the Configurator."),
        _("Ask whoever administrates %(name)s for one of these values in the claim “%(role_claim)s”:"),
    ),
    SignOnRefusal.DISABLED: SignOnRefusalText(
        403,
        _("You are disabled here"),
        _("%(name)s knows you as “%(userid)s”; an administrator disabled this user in the Configurator."),
        _("Ask an administrator of the Configurator."),
    ),
    SignOnRefusal.TAKEN: SignOnRefusalText(
        403,
        _("There is a user “%(userid)s” here already"),
        _("It belongs to no account of %(name)s yet, and the name alone does not prove that it is yours."),
        _("Ask an administrator of the Configurator to rename or remove that user, then log in again."),
    ),
    SignOnRefusal.LAST_ADMINISTRATOR: SignOnRefusalText(
        403,
        _("You are the last administrator"),
        _("%(name)s gives you another role, but then nobody could administrate the Configurator."),
        _("Let another administrator log in first, or log in with your password."),
    ),
}
