"""The code flow of OpenID Connect, by mozilla-django-oidc: with PKCE and nonce, and with its gaps closed.

That library checks the signature of an ID token, its time and its nonce; who issued it and for whom is
checked here (OpenID Connect Core 1.0, section 3.1.3.7). Its messages become reasons that a page can say.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import jwt
import requests
from django.contrib import auth
from django.contrib.sessions.models import Session
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from configurator.models import ManagerUser
from configurator.openid import identities
from configurator.openid.openid_settings import OpenIdSettings
from configurator.openid.provider import TIMEOUT, provider_of
from configurator.openid.refusals import SignOnError, SignOnRefusal

STATE_LIVES = 15 * 60
"""Seconds for a login at the provider, after which it has to be begun again."""
LEEWAY = 30
"""Seconds by which the clocks of both machines may differ."""
_CANCELLED = frozenset(
    {
        "access_denied",
        "login_required",
        "consent_required",
        "interaction_required",
        "account_selection_required",
    }
)
_NOT_BY_US = frozenset({"invalid_client", "unauthorized_client", "invalid_request", "invalid_scope"})


def _library_settings(chosen: OpenIdSettings, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What mozilla-django-oidc looks for in Django's settings."""
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return {
        "OIDC_OP_AUTHORIZATION_ENDPOINT": metadata["authorization_endpoint"],
        "OIDC_OP_TOKEN_ENDPOINT": metadata["token_endpoint"],
        "OIDC_OP_USER_ENDPOINT": metadata.get("userinfo_endpoint", ""),
        "OIDC_OP_JWKS_ENDPOINT": metadata["jwks_uri"],
        "OIDC_RP_CLIENT_ID": chosen.client_id,
        "OIDC_RP_CLIENT_SECRET": chosen.client_secret,
        "OIDC_RP_SIGN_ALGO": chosen.algorithm,
        "OIDC_RP_SCOPES": chosen.scopes,
        "OIDC_USE_NONCE": True,
        "OIDC_USE_PKCE": True,
        "OIDC_PKCE_CODE_CHALLENGE_METHOD": "S256",
        "OIDC_TIMEOUT": TIMEOUT,
        "OIDC_VERIFY_SSL": chosen.ca_file or True,
        "OIDC_TOKEN_USE_BASIC_AUTH": "client_secret_post" not in methods,
        "OIDC_AUTHENTICATION_CALLBACK_URL": "sign_on_callback",
        "LOGIN_REDIRECT_URL": reverse("home"),
    }


class _Configured:
    """Reads the library's settings from the provider and configurator.ini instead of from Django."""

    chosen: OpenIdSettings

    def get_settings(self, attr: str, *default: Any) -> Any:
        """A setting, or what the library takes without it."""
        found = _library_settings(self.chosen, provider_of(self.chosen).metadata())
        return found.get(attr, *default)


class ProviderCodeFlow(_Configured, OIDCAuthenticationBackend):
    """Makes a user of the code that the provider gave a browser."""

    def __init__(self, chosen: OpenIdSettings) -> None:
        self.chosen = chosen
        super().__init__()

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The provider's answer to the code."""
        return _as_object(super().get_token(payload), "the token endpoint")

    def raise_token_response_error(self, response: requests.Response) -> None:
        """Nothing, where the code was taken."""
        if response.status_code == 200:
            return
        if response.status_code >= 500:
            raise SignOnError(SignOnRefusal.UNREACHABLE, f"{response.url} answers {response.status_code}")
        try:
            said = response.json()
        except ValueError:
            said = {}
        word = str(said.get("error", "")) if isinstance(said, dict) else ""
        refusal = SignOnRefusal.STATE if word == "invalid_grant" else SignOnRefusal.SET_UP
        raise SignOnError(refusal, f"{response.url} answers {response.status_code} {word[:80]!r}")

    def retrieve_matching_jwk(self, token: str) -> Any:
        """The key that signed a token: the one that it names, or the only one that fits."""
        header = jwt.get_unverified_header(token)
        answer = requests.get(
            self.OIDC_OP_JWKS_ENDPOINT, timeout=TIMEOUT, verify=self.get_settings("OIDC_VERIFY_SSL")
        )
        answer.raise_for_status()
        keys = _as_object(answer.json(), "the jwks_uri").get("keys")
        fitting = [
            key
            for key in (keys if isinstance(keys, list) else [])
            if isinstance(key, dict)
            and key.get("use", "sig") == "sig"
            and key.get("alg", self.chosen.algorithm) == self.chosen.algorithm
            and key.get("kty") == {"R": "RSA", "E": "EC"}[self.chosen.algorithm[0]]
            and ("kid" not in header or key.get("kid") == header["kid"])
        ]
        if len(fitting) != 1:
            raise SignOnError(SignOnRefusal.ANSWER, f"{len(fitting)} keys of the provider fit its ID token")
        return jwt.PyJWK(fitting[0], algorithm=self.chosen.algorithm)

    def get_payload_data(self, token: str, key: Any) -> dict[str, Any]:
        """The claims of an ID token that is the provider's, for us, and valid now."""
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[self.chosen.algorithm],
            audience=self.chosen.client_id,
            issuer=provider_of(self.chosen).metadata()["issuer"],
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
        if claims.get("azp", self.chosen.client_id) != self.chosen.client_id:
            raise SignOnError(SignOnRefusal.ANSWER, "the ID token was issued to another client (azp)")
        return claims

    def get_or_create_user(
        self, access_token: str, id_token: str, payload: dict[str, Any]
    ) -> ManagerUser | None:
        """The user of these claims. What the ID token does not say is asked for (userinfo)."""
        claims = payload
        wanted = (self.chosen.user_claim, self.chosen.role_claim, "name")
        if self.OIDC_OP_USER_ENDPOINT and not all(identities.claim_values(claims, name) for name in wanted):
            said = _as_object(self.get_userinfo(access_token, id_token, payload), "the userinfo endpoint")
            if said.get("sub") != payload["sub"]:  # section 5.3.2: or it may be somebody else's
                raise SignOnError(SignOnRefusal.ANSWER, "userinfo tells of another subject than the ID token")
            claims = {**said, **payload}
        return identities.user_of(identities.person_of(claims, self.chosen), self.request)


class SignOnBeginView(_Configured, OIDCAuthenticationRequestView):
    """Sends the browser to the provider."""

    def __init__(self, chosen: OpenIdSettings, **named: Any) -> None:
        self.chosen = chosen
        super().__init__(**named)

    def get(self, request: HttpRequest) -> HttpResponse:
        """State, nonce and the proof of PKCE stay in the session."""
        response = super().get(request)
        if not request.user.is_authenticated:
            request.session.set_expiry(STATE_LIVES)
        # Anybody may begin without an end: what that leaves lives no longer than this.
        Session.objects.filter(expire_date__lt=timezone.now()).delete()
        return response


class SignOnCallbackView(_Configured, OIDCAuthenticationCallbackView):
    """Where the browser comes back to. Raises SignOnError where nobody is logged in."""

    def __init__(self, chosen: OpenIdSettings, **named: Any) -> None:
        self.chosen = chosen
        super().__init__(**named)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Log in, if all is well."""
        self._look_at_answer(request)
        try:
            with provider_of(self.chosen).turn():
                return super().get(request)
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            raise SignOnError(SignOnRefusal.CLOCK, f"the ID token: {error}") from None
        except (jwt.PyJWTError, SuspiciousOperation) as error:
            raise SignOnError(SignOnRefusal.ANSWER, f"the ID token: {error}") from None
        except (requests.JSONDecodeError, requests.HTTPError) as error:
            raise SignOnError(SignOnRefusal.ANSWER, str(error)) from None
        except requests.RequestException as error:
            raise SignOnError(SignOnRefusal.UNREACHABLE, str(error)) from None

    def login_success(self) -> HttpResponse:
        """Begin a session like any other one."""
        where = self.success_url
        if self.request.user != self.user:
            auth.login(self.request, self.user)
        end_sign_on(self.request)
        return redirect(where)

    def login_failure(self) -> HttpResponse:
        """The library had no reason of its own."""
        raise SignOnError(SignOnRefusal.ANSWER)

    def _look_at_answer(self, request: HttpRequest) -> None:
        """Only what was asked for from this browser counts: a stranger's link changes nothing."""
        state, word = request.GET.get("state", ""), request.GET.get("error", "")
        states = request.session.get("oidc_states", {})
        begun = states.get(state)
        if word or not request.GET.get("code"):
            if states.pop(state, None):
                request.session.modified = True
            refusal = SignOnRefusal.CANCELLED if word in _CANCELLED else SignOnRefusal.REFUSED
            said = f"{word[:80]!r} {request.GET.get('error_description', '')[:200]!r}"
            raise SignOnError(SignOnRefusal.SET_UP if word in _NOT_BY_US else refusal, said)
        if begun is None or not 0 <= time.time() - begun["added_on"] <= STATE_LIVES:
            raise SignOnError(SignOnRefusal.STATE)
        issuer = request.GET.get("iss")  # RFC 9207
        if issuer is not None and issuer != provider_of(self.chosen).metadata()["issuer"]:
            raise SignOnError(SignOnRefusal.ANSWER, f"the answer came from {issuer[:200]!r}")


def end_sign_on(request: HttpRequest) -> None:
    """Forget what was kept for the provider's answer: the session is one like any other now."""
    for key in ("oidc_states", "oidc_login_next", "openid_person"):
        request.session.pop(key, None)
    request.session.set_expiry(None)


def log_out_address(request: HttpRequest, chosen: OpenIdSettings) -> str:
    """Where one logs out at the provider (RP-Initiated Logout 1.0), empty if it has no such page."""
    try:
        address = provider_of(chosen).metadata().get("end_session_endpoint")
    except SignOnError:
        return ""
    back = request.build_absolute_uri(reverse("login"))
    return (
        f"{address}?{urlencode({'client_id': chosen.client_id, 'post_logout_redirect_uri': back})}"
        if address
        else ""
    )


def client_refusal(chosen: OpenIdSettings) -> str:
    """What the provider says against client id and secret, empty where it takes them. No user is needed.

    requests.RequestException, SignOnError.
    """
    flow = ProviderCodeFlow(chosen)
    sent = {"client_id": chosen.client_id, "client_secret": chosen.client_secret}
    try:
        # A code that nobody was given: who is refused for that alone was recognised.
        flow.get_token(
            {**sent, "grant_type": "authorization_code", "code": "check", "redirect_uri": "https://x/"}
        )
    except SignOnError as error:
        return "" if error.refusal is SignOnRefusal.STATE else f"client-id or secret do not fit: {error}"
    return ""


def _as_object(said: Any, where: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise SignOnError(SignOnRefusal.ANSWER, f"{where} answers no JSON object")
    return said
