"""What can go wrong between browser, provider and Configurator: a page for each, and nobody gets in.

Against oidc-provider-mock, in a process of its own, which gives everybody everything.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client, override_settings
from django.utils import timezone

from configurator.models import AuditEntry, LoginFailure, ManagerUser, OpenIdIdentity
from configurator.openid import provider as provider_module
from configurator.openid.code_flow import STATE_LIVES, ProviderCodeFlow
from configurator.openid.openid_settings import BACKEND, OpenIdSettings
from configurator.openid.provider import MOST_WAITING, OpenIdProvider
from configurator.openid.refusals import TEXTS, SignOnError, SignOnRefusal
from tests.configurator.conftest import PASSWORD
from tests.configurator.openid.conftest import started
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

VERA = {"preferred_username": "vera", "name": "Vera Violet", "email": "vera@example.com"}


def chosen_settings(issuer: str, **changed: Any) -> OpenIdSettings:
    values: dict[str, Any] = {
        "issuer": issuer,
        "client_id": "astcti",
        "client_secret": "secret",
        "name": "Office account",
        "scopes": "openid profile email",
        "user_claim": "preferred_username",
        "role_claim": "roles",
        "roles": (
            ("administrator", frozenset({"cti-admins"})),
            ("supervisor", frozenset({"cti-supervisors"})),
            ("viewer", frozenset()),
        ),
        "algorithm": "RS256",
        "local_login": frozenset({"administrator"}),
        "ca_file": "",
    }
    return OpenIdSettings(**{**values, **changed})


def mock_provider(stack: ExitStack, *options: str) -> str:
    """Start one; returns its issuer."""
    port = free_port()
    stack.enter_context(started("oidc_provider_mock", "--port", str(port), *options))
    issuer = f"http://localhost:{port}"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            requests.get(f"{issuer}/jwks", timeout=PATIENCE)
            return issuer
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError("the provider does not listen")


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with ExitStack() as stack:
        yield mock_provider(stack)


@pytest.fixture
def chosen(mock: str) -> Iterator[OpenIdSettings]:
    """The Configurator whose provider this is."""
    found = chosen_settings(mock)
    with with_openid(found):
        yield found


def with_openid(chosen: OpenIdSettings) -> Any:
    return override_settings(
        OPENID=chosen, AUTHENTICATION_BACKENDS=[*settings.AUTHENTICATION_BACKENDS, BACKEND]
    )


def know(issuer: str, subject: str, **claims: Any) -> None:
    """Let the provider say this of somebody."""
    requests.put(f"{issuer}/users/{subject}", json={**VERA, **claims}, timeout=PATIENCE).raise_for_status()


def begin(client: Client, where: str = "/seats/") -> str:
    answer = client.get("/sign-on/", {"next": where})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"])


def answer_of_provider(asked: str, **form: str) -> str:
    """Where the provider sends the browser back to."""
    answer = requests.post(asked, form, allow_redirects=False, timeout=PATIENCE)
    return answer.headers["Location"].removeprefix("http://testserver")


def sign_on(client: Client, subject: str) -> Any:
    return client.get(answer_of_provider(begin(client), sub=subject))


def says(answer: Any, refusal: SignOnRefusal) -> bool:
    """Whether this is the page of a refusal, in the Configurator's words, with the way on."""
    text, title = (
        answer.content.decode(),
        str(TEXTS[refusal].title) % {"name": "Office account", "userid": "vera"},
    )
    assert "Log in with Office account again" in text and 'href="/login/"' in text
    return answer.status_code == TEXTS[refusal].status and f"<h1>{title}</h1>" in text


def test_who_cancels_is_told_so_and_can_try_again(chosen: OpenIdSettings) -> None:
    client = Client()
    assert says(client.get(answer_of_provider(begin(client), action="deny")), SignOnRefusal.CANCELLED)
    assert says(client.get("/sign-on/callback/?error=server_error&state=x"), SignOnRefusal.REFUSED)
    assert says(client.get("/sign-on/callback/?error=unauthorized_client"), SignOnRefusal.SET_UP)


def test_a_strangers_link_neither_logs_in_nor_out(chosen: OpenIdSettings, mock: str, users: Any) -> None:
    know(mock, "1", roles=["cti-supervisors"])
    client = Client()
    client.post("/login/", {"username": "administrator", "password": PASSWORD})
    stranger = Client()
    link = answer_of_provider(begin(stranger), sub="1")
    for address in (link, "/sign-on/callback/", "/sign-on/callback/?error=access_denied&state=x"):
        client.get(address)
        assert client.session["userid"] == "administrator"
    assert says(client.get(link), SignOnRefusal.STATE)
    assert stranger.get(link).url == "/seats/"
    assert says(stranger.get(link), SignOnRefusal.STATE), "once"


def test_what_was_begun_too_long_ago_is_begun_again(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles="cti-supervisors")
    client = Client()
    link = answer_of_provider(begin(client), sub="1")
    session = client.session
    (state,) = session["oidc_states"].values()
    state["added_on"] -= STATE_LIVES + 1
    session["oidc_states"] = session["oidc_states"]
    session.save()
    assert says(client.get(link), SignOnRefusal.STATE)
    assert not ManagerUser.objects.exists()


def test_a_session_after_it_is_like_any_other_one(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles=["cti-supervisors", "other"])
    client = Client()
    begun = begin(client)
    before = client.session.session_key
    assert client.session.get_expiry_age() == STATE_LIVES
    client.get(answer_of_provider(begun, sub="1"))
    assert client.session.session_key != before
    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE
    assert not {"oidc_states", "openid_person"} & set(client.session.keys())


def test_logins_that_were_begun_and_left_leave_nothing_for_ever(chosen: OpenIdSettings) -> None:
    for _ in range(3):
        begin(Client())
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    begin(Client())
    assert Session.objects.count() == 1


def test_a_token_for_another_login_is_refused(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles=["cti-supervisors"])
    client = Client()
    link = answer_of_provider(begin(client), sub="1")
    session = client.session
    (state,) = session["oidc_states"].values()
    state["nonce"] = "another"
    session["oidc_states"] = session["oidc_states"]
    session.save()
    assert says(client.get(link), SignOnRefusal.ANSWER)


def test_a_code_that_is_none_is_refused(chosen: OpenIdSettings) -> None:
    client = Client()
    (state,) = parse_qs(urlsplit(begin(client)).query)["state"]
    assert says(client.get("/sign-on/callback/", {"state": state, "code": "guessed"}), SignOnRefusal.STATE)


def test_an_answer_of_another_issuer_is_refused(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles=["cti-supervisors"])
    client = Client()
    link = answer_of_provider(begin(client), sub="1")
    assert says(client.get(f"{link}&iss=https://evil.example"), SignOnRefusal.ANSWER)


@pytest.mark.parametrize(
    "claims, refusal",
    [
        ({"preferred_username": "Vera Violet"}, SignOnRefusal.CLAIM),
        ({"preferred_username": ["", 5]}, SignOnRefusal.CLAIM),
        ({"preferred_username": None}, SignOnRefusal.CLAIM),
        ({"preferred_username": "v" * 151}, SignOnRefusal.CLAIM),
        ({"roles": []}, SignOnRefusal.ROLE),
        ({"roles": "cti-admins cti-supervisors"}, SignOnRefusal.ROLE),
        ({"roles": {"cti-admins": True}}, SignOnRefusal.ROLE),
    ],
)
def test_claims_that_name_nobody_or_no_role_let_nobody_in(
    chosen: OpenIdSettings, mock: str, claims: dict[str, Any], refusal: SignOnRefusal
) -> None:
    know(mock, "1", **{"roles": ["cti-admins"], **claims})
    client = Client()
    answer = sign_on(client, "1")
    assert says(answer, refusal)
    assert not ManagerUser.objects.exists() and client.get("/services/").status_code == 302


def test_claims_of_keycloak_are_found_where_it_has_them(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", realm_access={"roles": ["x", "cti-admins"]})
    with override_settings(OPENID=chosen_settings(mock, role_claim="realm_access.roles")):
        client = Client()
        assert sign_on(client, "1").url == "/seats/"
    know(mock, "2", **{"preferred_username": "x", "https://example.com/roles": ["cti-supervisors"]})
    with override_settings(OPENID=chosen_settings(mock, role_claim="https://example.com/roles")):
        sign_on(Client(), "2")
    assert dict(ManagerUser.objects.values_list("userid", "role")) == {
        "vera": "administrator",
        "x": "supervisor",
    }


def test_who_is_disabled_here_stays_out(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles=["cti-supervisors"])
    assert sign_on(Client(), "1").url == "/seats/"
    ManagerUser.objects.update(enabled=False)
    assert says(sign_on(Client(), "1"), SignOnRefusal.DISABLED)
    entry = AuditEntry.objects.filter(action="login-failed").get()
    assert entry.name == "vera" and entry.details == [["OpenID", "", "disabled here"]]


def test_the_last_administrator_stays_one(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles=["cti-admins"])
    sign_on(Client(), "1")
    know(mock, "1", roles=["cti-supervisors"])
    assert says(sign_on(Client(), "1"), SignOnRefusal.LAST_ADMINISTRATOR)
    assert ManagerUser.objects.get().role == "administrator"
    ManagerUser.objects.make("other", PASSWORD, full_name="Other", role="administrator")
    assert sign_on(Client(), "1").url == "/seats/"
    assert ManagerUser.objects.get(userid="vera").role == "supervisor"


def test_who_is_renamed_at_the_provider_stays_the_same_user(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles=["cti-supervisors"])
    sign_on(Client(), "1")
    know(mock, "1", roles=["cti-supervisors"], preferred_username="violet", name="V. Violet")
    sign_on(Client(), "1")
    assert ManagerUser.objects.values_list("userid", "full_name").get() == ("vera", "V. Violet")
    know(mock, "2", roles=["cti-supervisors"], preferred_username="Vera")
    assert sign_on(Client(), "2").status_code == 403, "a name that looks like hers"
    assert OpenIdIdentity.objects.count() == 1


def test_connecting_needs_the_password_as_a_login_does(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles=["cti-supervisors"])
    user = ManagerUser.objects.make("vera", PASSWORD, full_name="Vera", role="viewer")
    client = Client()
    assert says(sign_on(client, "1"), SignOnRefusal.TAKEN)
    for _ in range(5):
        client.post("/sign-on/connect/", {"password": "wrong"})
    refused = client.post("/sign-on/connect/", {"password": PASSWORD}).content.decode()
    assert "Too many failed attempts" in refused and not OpenIdIdentity.objects.exists()
    LoginFailure.objects.all().delete()
    user.set_unusable_password()
    user.save()
    answer = client.post("/sign-on/connect/", {"password": PASSWORD})
    assert answer.status_code == 403 and "Prove it" not in answer.content.decode()


def test_a_user_who_has_an_account_gets_no_second_one(chosen: OpenIdSettings, mock: str) -> None:
    ManagerUser.objects.make("vera", PASSWORD, full_name="Vera", role="viewer")
    for subject in ("1", "2"):
        know(mock, subject, roles=["cti-supervisors"])
        client = Client()
        page = sign_on(client, subject)
        assert says(page, SignOnRefusal.TAKEN)
        assert ("Prove it" in page.content.decode()) is (subject == "1")
        connected = client.post("/sign-on/connect/", {"password": PASSWORD})
        assert connected.status_code == (302 if subject == "1" else 403)
    assert OpenIdIdentity.objects.get().subject == "1"


def test_accounts_of_the_provider_have_no_password_here_and_get_none_by_mail(
    chosen: OpenIdSettings, mock: str, users: Any
) -> None:
    know(mock, "1", roles=["cti-admins"])
    client = Client()
    sign_on(client, "1")
    user = ManagerUser.objects.get(userid="vera")
    assert not user.has_usable_password()
    page = client.get("/account/").content.decode()
    assert "come from the provider" in page and "Change password" not in page
    client.post("/account/", {"full_name": "Other", "email": "other@example.com", "theme": "dark"})
    user.refresh_from_db()
    assert (user.full_name, user.email, user.theme) == ("Vera Violet", "vera@example.com", "dark")
    from configurator.forms.users import PasswordLostForm

    form = PasswordLostForm()
    assert not list(form.get_users("vera@example.com")) and not list(form.get_users("viewer@example.com"))
    assert [found.userid for found in form.get_users("administrator@example.com")] == ["administrator"]


@override_settings(SECOND_FACTOR_FOR=frozenset({"administrator"}))
def test_a_second_factor_is_the_providers_affair(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles=["cti-admins"])
    client = Client()
    sign_on(client, "1")
    assert client.get("/seats/").status_code == 200


def test_failed_logins_by_password_count_as_before(chosen: OpenIdSettings, mock: str, users: Any) -> None:
    know(mock, "1", roles=[])
    for _ in range(6):
        assert sign_on(Client(), "1").status_code == 403
    assert not LoginFailure.objects.exists()
    for _ in range(5):
        Client().post("/login/", {"username": "administrator", "password": "wrong"})
    page = Client().post("/login/", {"username": "administrator", "password": PASSWORD})
    assert "Too many failed attempts" in page.content.decode()


@pytest.mark.parametrize("seconds", [-2 * 3600, 2 * 3600])
def test_a_clock_that_differs_is_called_so(
    chosen: OpenIdSettings, mock: str, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    know(mock, "1", roles=["cti-admins"])
    client = Client()
    link = answer_of_provider(begin(client), sub="1")

    class OtherClock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=seconds)

    monkeypatch.setattr(jwt.api_jwt, "datetime", OtherClock)
    assert says(client.get(link), SignOnRefusal.CLOCK)
    assert not ManagerUser.objects.exists()


def flow_of(issuer: str) -> ProviderCodeFlow:
    return ProviderCodeFlow(chosen_settings(issuer))


_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(issuer: str, **changed: Any) -> tuple[str, Any]:
    """A token as the provider would make it but for what changed, and the key to check it with."""
    now = int(time.time())
    said = {"iss": issuer, "sub": "1", "aud": "astcti", "exp": now + 60, "iat": now, **changed}
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, _KEY, algorithm="RS256"), _KEY.public_key()


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"sub": None},
        {"exp": None},
        {"iat": None},
        {"azp": "another"},
        {"exp": 1},
        {"iat": int(time.time()) + 3600},
    ],
)
def test_a_token_that_is_not_for_us_now_is_refused(mock: str, changed: dict[str, Any]) -> None:
    flow = flow_of(mock)
    assert flow.get_payload_data(*token(mock))["sub"] == "1"
    assert flow.get_payload_data(*token(mock, aud=["astcti", "other"], azp="astcti"))["sub"] == "1"
    with pytest.raises((jwt.InvalidTokenError, SignOnError)):
        flow.get_payload_data(*token(mock, **changed))


def test_a_token_signed_otherwise_is_refused(mock: str) -> None:
    flow = flow_of(mock)
    said = jwt.decode(token(mock)[0], options={"verify_signature": False})
    unsigned = jwt.encode(said, "", algorithm="none")
    secret = jwt.encode(said, "secret" * 8, algorithm="HS256")
    for forged in (unsigned, secret):
        with pytest.raises(jwt.InvalidTokenError):
            flow.get_payload_data(forged, _KEY.public_key())
    foreign = jwt.encode(said, _KEY, algorithm="RS256", headers={"kid": "unknown"})
    with pytest.raises(SignOnError):
        flow.retrieve_matching_jwk(foreign)


def test_userinfo_of_somebody_else_is_refused(mock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = flow_of(mock)
    monkeypatch.setattr(flow, "get_userinfo", lambda *_: {**VERA, "sub": "2", "roles": ["cti-admins"]})
    with pytest.raises(SignOnError, match="another subject"):
        flow.get_or_create_user("access", "id", {"sub": "1", "iss": mock})
    assert not ManagerUser.objects.exists()


def test_one_goes_on_here_and_nowhere_else(chosen: OpenIdSettings, mock: str) -> None:
    know(mock, "1", roles=["cti-supervisors"])
    for where in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        client = Client()
        assert client.get(answer_of_provider(begin(client, where), sub="1")).url == "/"


def test_a_provider_that_is_not_there_or_another_one_has_its_page(
    mock: str, caplog: pytest.LogCaptureFixture
) -> None:
    with with_openid(chosen_settings(f"http://127.0.0.1:{free_port()}")):
        assert says(Client().get("/sign-on/"), SignOnRefusal.UNREACHABLE)
    with with_openid(chosen_settings(f"{mock}/realms/none")):
        assert says(Client().get("/sign-on/"), SignOnRefusal.SET_UP)
    with with_openid(chosen_settings(mock.replace("localhost", "127.0.0.1"), algorithm="ES256")):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert says(Client().get("/sign-on/"), SignOnRefusal.SET_UP)
        (record,) = caplog.records
        assert "ES256: set algorithm to one of RS256" in record.getMessage()


def test_a_provider_that_hangs_holds_up_some_requests_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "TIMEOUT", (0.2, 0.2))
    monkeypatch.setattr(provider_module, "LONGEST_TURN", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        chosen = chosen_settings(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with with_openid(chosen):
            assert says(Client().get("/sign-on/"), SignOnRefusal.UNREACHABLE)
        provider = OpenIdProvider(chosen)
        with ExitStack() as stack:
            for _ in range(MOST_WAITING):
                stack.enter_context(provider.turn())
            with pytest.raises(SignOnError) as raised, provider.turn():
                pass
        assert raised.value.refusal is SignOnRefusal.BUSY
        with provider.turn():
            pass


def test_a_provider_is_asked_once_an_hour_and_rests_after_a_failure(
    mock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    away = OpenIdProvider(chosen_settings(f"http://127.0.0.1:{free_port()}"), lambda: now[0])
    asked: list[float] = []
    real = requests.get

    def counted(*given: Any, **named: Any) -> Any:
        asked.append(now[0])
        return real(*given, **named)

    monkeypatch.setattr(requests, "get", counted)
    for later in (0.0, provider_module.SILENT_FOR - 0.1, 0.2):
        now[0] += later
        with pytest.raises(SignOnError, match="Connection") as raised:
            away.metadata()
        assert raised.value.refusal is SignOnRefusal.UNREACHABLE
    assert asked == [0.0, now[0]]
    there = OpenIdProvider(chosen_settings(mock), lambda: now[0])
    first = there.metadata()
    now[0] += provider_module.KEPT_FOR - 1
    assert there.metadata() is first
    now[0] += 2
    assert there.metadata() is not first


def test_without_the_section_there_is_no_such_page(admin: Client) -> None:
    assert settings.OPENID is None
    for address in ("/sign-on/", "/sign-on/callback/?error=x", "/logged-out/"):
        assert Client().get(address).status_code == 404
    assert Client().post("/sign-on/connect/", {"password": "x"}).status_code == 404
    assert "sign-on" not in Client().get("/login/").content.decode()
    assert "signed-on" not in admin.get("/seats/").content.decode()
