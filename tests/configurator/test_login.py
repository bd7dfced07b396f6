"""Who gets in, how, and how a session ends."""

from __future__ import annotations

import json
import queue
import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connections
from django.test import Client, override_settings
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode

from configurator.models import AuditEntry, LoginFailure, ManagerUser
from configurator.users import authentication
from configurator.users.lost_passwords import mails
from tests.configurator.conftest import PASSWORD, first_group
from tests.fake.patience import PATIENCE


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(users) -> None:
    answers = [
        Client().post("/login/", {"username": name, "password": "wrong"}).content.decode()
        for name in ("administrator", "nobody")
    ]
    said = [first_group(r'role="alert">(.*?)</p>', answer) for answer in answers]
    assert said[0] == said[1] == "User id or password are wrong, or the user is disabled."


def test_the_user_name_is_kept_in_the_session_and_written_with_each_change(admin: Client) -> None:
    admin.post("/reasons/add/", {"name": "Lunch"})
    entry = AuditEntry.objects.get(action="add")
    assert admin.session["userid"] == "administrator"
    assert (entry.userid, entry.kind, entry.name) == ("administrator", "pausereason", "Lunch")


def test_a_user_who_is_renamed_is_written_under_the_new_name(admin: Client) -> None:
    ManagerUser.objects.filter(userid="administrator").update(userid="boss")
    admin.post("/reasons/add/", {"name": "Lunch"})
    assert AuditEntry.objects.get(action="add").userid == "boss"


def test_after_five_failures_even_the_right_password_has_to_wait(users) -> None:
    client = Client()
    for _ in range(authentication.PAIR_LIMIT):
        client.post("/login/", {"username": "viewer", "password": "wrong"})
    refused = client.post("/login/", {"username": "viewer", "password": PASSWORD})
    assert refused.status_code == 200
    assert "Too many failed attempts" in refused.content.decode()
    LoginFailure.objects.update(at=timezone.now() - authentication.FAILURES_COUNT_FOR - timedelta(seconds=1))
    assert client.post("/login/", {"username": "viewer", "password": PASSWORD}).status_code == 302


def test_attempts_count_while_others_are_still_looked_at(users, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    def slow(self: object, request: object, **_: object) -> None:
        looked_at.append(request)
        if len(looked_at) < 24:  # the next one comes while this one is not answered yet
            Client().post("/login/", {"username": "viewer", "password": "wrong"})

    monkeypatch.setattr(authentication.ManagerBackend, "authenticate", slow)
    Client().post("/login/", {"username": "viewer", "password": "wrong"})
    assert len(looked_at) == authentication.PAIR_LIMIT


def test_no_more_attempts_than_welcome_get_through_at_the_same_moment() -> None:
    together = threading.Barrier(24)
    answers: queue.SimpleQueue[int] = queue.SimpleQueue()

    def try_it() -> None:
        together.wait(PATIENCE)
        try:
            answers.put(authentication.count_attempt("viewer", "192.0.2.1"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=try_it) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE)
    assert [answers.get_nowait() for _ in threads].count(0) == authentication.PAIR_LIMIT


def test_a_login_takes_back_what_was_counted_for_it(users) -> None:
    client = Client()
    for _ in range(3):
        for _ in range(authentication.PAIR_LIMIT - 1):
            client.post("/login/", {"username": "viewer", "password": "wrong"})
        assert client.post("/login/", {"username": "viewer", "password": PASSWORD}).status_code == 302
        client.post("/logout/")
    assert not LoginFailure.objects.exists()


def test_another_password_from_an_administrator_makes_attempts_welcome_again(admin: Client) -> None:
    viewer = ManagerUser.objects.get(userid="viewer")
    for _ in range(authentication.PAIR_LIMIT):
        Client().post("/login/", {"username": "viewer", "password": "wrong"})
    data = {"userid": "viewer", "full_name": "V", "role": "viewer", "enabled": "on"}
    new = {"revision": viewer.revision, "new_password": "battery-staple-7"}
    admin.post(f"/managers/{viewer.pk}/edit/", {**data, **new})
    answer = Client().post("/login/", {"username": "viewer", "password": "battery-staple-7"})
    assert answer.status_code == 302


def test_a_form_without_user_or_password_counts_as_no_attempt(users) -> None:
    Client().post("/login/", {"username": "viewer", "password": ""})
    assert not LoginFailure.objects.exists()


def test_failures_of_one_user_do_not_lock_another_one_out(users) -> None:
    client = Client()
    for _ in range(authentication.PAIR_LIMIT):
        client.post("/login/", {"username": "viewer", "password": "wrong"})
    assert client.post("/login/", {"username": "supervisor", "password": PASSWORD}).status_code == 302


def test_a_password_that_is_asked_for_again_is_not_guessed_there_either(log_in) -> None:
    client = log_in("viewer")
    wrong = {
        "old_password": "wrong",
        "new_password1": "battery-staple-7",
        "new_password2": "battery-staple-7",
    }
    for _ in range(authentication.KNOWN_LIMIT):
        client.post("/account/password/", wrong)
    refused = client.post("/account/password/", {**wrong, "old_password": PASSWORD})
    assert refused.status_code == 200 and "Too many failed attempts" in refused.content.decode()
    LoginFailure.objects.all().delete()
    assert client.post("/account/password/", {**wrong, "old_password": PASSWORD}).status_code == 302
    assert not LoginFailure.objects.exists()


def test_guessing_names_from_one_address_ends_too(users) -> None:
    client = Client()
    for number in range(authentication.ADDRESS_LIMIT):
        client.post("/login/", {"username": f"name{number}", "password": "wrong"})
    assert client.post("/login/", {"username": "viewer", "password": PASSWORD}).status_code == 200


def test_failed_logins_are_in_the_audit_log_without_the_password(users) -> None:
    Client().post("/login/", {"username": "viewer", "password": "secret-guess"})
    entry = AuditEntry.objects.get(action="login-failed")
    assert entry.name == "viewer"
    assert "secret-guess" not in repr(entry.__dict__)


def test_a_session_that_was_there_before_the_login_is_not_the_one_after(users) -> None:
    client = Client()
    client.get("/login/")
    session = client.session
    session["planted"] = "yes"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    planted = session.session_key
    client.post("/login/", {"username": "viewer", "password": PASSWORD})
    assert client.session.session_key != planted
    attacker = Client()
    attacker.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert attacker.get("/services/").status_code == 302


def test_a_session_ends_with_its_user_being_disabled(log_in) -> None:
    client = log_in("viewer")
    ManagerUser.objects.filter(userid="viewer").update(enabled=False)
    assert client.get("/services/").url.startswith("/login/")


def manager_form(user: ManagerUser, **changed: str) -> dict[str, str]:
    fields = {
        "full_name": user.full_name,
        "userid": user.userid,
        "email": user.email,
        "role": user.role,
        "revision": str(user.revision),
    }
    return {key: value for key, value in {**fields, "enabled": "on", **changed}.items() if value}


def test_a_session_that_ended_stays_ended_when_its_user_is_enabled_again(admin: Client, log_in) -> None:
    client = log_in("viewer")
    for enabled in ("", "on"):
        user = ManagerUser.objects.get(userid="viewer")
        admin.post(f"/managers/{user.pk}/edit/", manager_form(user, enabled=enabled))
    assert ManagerUser.objects.get(userid="viewer").enabled
    assert client.get("/services/").url.startswith("/login/")
    assert admin.get("/services/").status_code == 200


def test_an_administrator_who_disables_himself_is_logged_out_in_order(admin: Client, users) -> None:
    ManagerUser.objects.make("second", PASSWORD, full_name="Second", role="administrator")
    user = ManagerUser.objects.get(userid="administrator")
    assert admin.post(f"/managers/{user.pk}/edit/", manager_form(user, enabled="")).status_code == 302
    assert not ManagerUser.objects.get(userid="administrator").enabled
    assert admin.get("/services/").url.startswith("/login/")


def test_sessions_that_nobody_ended_are_cleared_at_the_next_login(log_in) -> None:
    log_in("viewer")
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    log_in("supervisor")
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    "address, form",
    [
        ("/account/", {"full_name": "Vera", "email": "administrator@example.com"}),
        (
            "/account/password/",
            {
                "old_password": PASSWORD,
                "new_password1": "battery-staple-7",
                "new_password2": "battery-staple-7",
            },
        ),
    ],
)
def test_a_role_that_is_taken_away_meanwhile_stays_away(
    admin: Client, monkeypatch: pytest.MonkeyPatch, address: str, form: dict[str, str]
) -> None:
    real = ManagerUser.save

    def save(user: ManagerUser, *arguments: object, **named: object) -> None:
        ManagerUser.objects.filter(pk=user.pk).update(role="viewer")
        real(user, *arguments, **named)

    monkeypatch.setattr(ManagerUser, "save", save)
    assert admin.post(address, form).status_code == 302
    assert ManagerUser.objects.get(userid="administrator").role == "viewer"


def test_a_disabled_user_does_not_get_in(users) -> None:
    ManagerUser.objects.filter(userid="viewer").update(enabled=False)
    assert Client().post("/login/", {"username": "viewer", "password": PASSWORD}).status_code == 200


def test_another_password_ends_the_other_sessions(log_in) -> None:
    one, other = log_in("viewer"), log_in("viewer")
    answer = one.post(
        "/account/password/",
        {"old_password": PASSWORD, "new_password1": "battery-staple-7", "new_password2": "battery-staple-7"},
    )
    assert answer.status_code == 302
    assert one.get("/services/").status_code == 200
    assert other.get("/services/").status_code == 302


def test_a_session_ends_some_hours_after_the_login(admin: Client) -> None:
    session = admin.session
    session["since"] = timezone.now().timestamp() - settings.SESSION_LONGEST - 1
    session.save()
    assert admin.get("/services/").status_code == 302


def test_logging_out_takes_a_post_and_ends_the_session(admin: Client) -> None:
    assert admin.get("/logout/").status_code == 405
    assert admin.post("/logout/").status_code == 302
    assert admin.get("/services/").status_code == 302
    assert AuditEntry.objects.filter(action="logout", name="administrator").exists()


def test_without_mail_the_page_says_who_can_reset_a_password(users) -> None:
    page = Client().get("/password-lost/").content.decode()
    assert "Administrator" in page
    assert "reset-password" in page
    Client().post("/password-lost/", {"email": "viewer@example.com"})
    assert mail.outbox == []


@override_settings(EMAIL_HOST="mail.example")
def test_a_lost_password_is_replaced_through_a_link_that_works_once(users) -> None:
    client = Client()
    assert client.post("/password-lost/", {"email": "viewer@example.com"}).status_code == 302
    mails.finish()
    link = first_group(r"http://testserver(/password-new/\S+)", str(mail.outbox[0].body))
    form = client.get(link, follow=True).redirect_chain[-1][0]
    for _ in range(authentication.PAIR_LIMIT):
        Client().post("/login/", {"username": "viewer", "password": "wrong"})
    new = {"new_password1": "battery-staple-7", "new_password2": "battery-staple-7"}
    assert client.post(form, new).url == "/password-new/done/"
    assert "used or too old" in Client().get(link, follow=True).content.decode()
    assert Client().post("/login/", {"username": "viewer", "password": "battery-staple-7"}).status_code == 302


def test_a_link_is_worth_nothing_once_its_user_is_disabled(users) -> None:
    user, client = users["viewer"], Client()
    token = default_token_generator.make_token(user)
    link = f"/password-new/{urlsafe_base64_encode(str(user.pk).encode())}/{token}/"
    form = client.get(link).headers["Location"]
    ManagerUser.objects.filter(pk=user.pk).update(enabled=False)
    new = {"new_password1": "battery-staple-7", "new_password2": "battery-staple-7"}
    assert "used or too old" in client.post(form, new).content.decode()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@override_settings(EMAIL_HOST="mail.example")
def test_an_unknown_mail_address_gets_the_same_answer_and_no_mail(users) -> None:
    assert Client().post("/password-lost/", {"email": "x@example.com"}).url == "/password-lost/sent/"
    mails.finish()
    assert mail.outbox == []


def test_a_login_leads_to_no_other_host(users) -> None:
    answer = Client().post(
        "/login/", {"username": "viewer", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer.url == "/"


def test_posts_need_the_csrf_token(users) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/login/", {"username": "viewer", "password": PASSWORD}).status_code == 403


def test_a_page_whose_session_ended_logs_in_on_the_spot_and_gets_a_fresh_token(users) -> None:
    client = Client(enforce_csrf_checks=True)
    shown = {"HX-Request": "true"}
    answer = client.get("/services/", headers=shown)
    assert (answer.status_code, answer.headers.get("HX-Redirect")) == (401, None)
    assert client.get("/session/", headers=shown).status_code == 401
    part = client.get("/login/?userid=viewer", headers=shown).content.decode()
    assert "<html" not in part and 'value="viewer"' in part and "login_username" in part
    sent = {"username": "viewer", "password": "wrong"}
    assert client.post("/login/", sent, headers=shown).status_code == 401, (
        "a token that is too old is renewed"
    )
    sent["csrfmiddlewaretoken"] = first_group('csrfmiddlewaretoken" value="([^"]+)', part)
    assert "wrong" in client.post("/login/", sent, headers=shown).content.decode()
    answer = client.post("/login/", {**sent, "password": PASSWORD}, headers=shown)
    said = json.loads(answer.headers["HX-Trigger"])["loggedIn"]
    assert (answer.status_code, said["userid"]) == (204, "viewer")
    again = client.post("/account/appearance/", {"theme": "dark"}, headers={"X-CSRFToken": said["token"]})
    assert again.status_code == 204 == client.get("/session/").status_code
    assert client.get("/login/", headers=shown).status_code == 204, "logged in elsewhere: only the token"


@pytest.mark.parametrize("language, word", [("it", "Accedi"), ("en", "Log in")])
def test_the_login_page_speaks_the_browsers_language(language: str, word: str) -> None:
    assert word in Client().get("/login/", headers={"Accept-Language": language}).content.decode()
