"""What Django asks for the users of sessions that began at the provider. Loads nothing until one begins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from configurator.models import ManagerUser
from configurator.users.authentication import ManagerBackend


class OpenIdBackend(ManagerBackend):
    """Logs in by a code of the provider; sessions are as those of a password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        nonce: str | None = None,
        code_verifier: str | None = None,
        **_: Any,
    ) -> ManagerUser | None:
        """The user, None for a login by password. SignOnError."""
        if request is None or settings.OPENID is None or not nonce or not code_verifier:
            return None
        from configurator.openid.code_flow import ProviderCodeFlow

        return ProviderCodeFlow(settings.OPENID).authenticate(
            request, nonce=nonce, code_verifier=code_verifier
        )
