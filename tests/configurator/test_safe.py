"""Who gets in, who is kept out, and what an answer tells."""

from __future__ import annotations

import io
import logging
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connections
from django.test import Client, override_settings
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode

from configurator.cli import with_our_option_for_names, without_traceback_of_refusals
from configurator.commands.users import make_first_user, reset_password
from configurator.database import backup
from configurator.models import AuditEntry, LoginFailure, ManagerUser, Operator, Seat
from configurator.options import Options, current_options
from configurator.users import authentication
from configurator.users.lost_passwords import mails
from configurator.users.password_rules import weakness_of
from tests.configurator.conftest import PASSWORD, post_import

HERE = __name__


def failures(userid: str, address: str, count: int) -> None:
    LoginFailure.objects.bulk_create(LoginFailure(userid=userid, address=address) for _ in range(count))


def test_nobody_outside_keeps_out_who_logged_in_from_here_lately(admin: Client) -> None:
    for number in range(60):
        failures("administrator", f"203.0.113.{number}", 2)
    failures("somebody", "127.0.0.1", authentication.ADDRESS_LIMIT)
    assert authentication.count_attempt("administrator", "127.0.0.1") == 0
    AuditEntry.objects.filter(action="login").update(at=timezone.now() - timedelta(days=31))
    assert authentication.count_attempt("administrator", "127.0.0.1") > 0


def test_addresses_of_one_network_are_one_guesser(users) -> None:
    welcome = [authentication.count_attempt("viewer", f"2001:db8::{number:x}") for number in range(12)]
    assert welcome.count(0) == authentication.PAIR_LIMIT
    assert authentication.count_attempt("viewer", "2001:db8:0:1::1") == 0, "a neighbour"
    AuditEntry.objects.create(userid="viewer", action="login", address="2001:db8::77")
    assert authentication.count_attempt("viewer", "2001:db8::88") == 0, (
        "its own address is a new one each day"
    )


@pytest.mark.parametrize(
    "address, network",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("2001:db8::/64", "2001:db8::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_what_attempts_are_counted_by(address: str, network: str) -> None:
    assert authentication.network_of(address) == network


def test_where_many_machines_guess_others_are_slowed_and_not_locked_out(users) -> None:
    failures("administrator", "203.0.113.1", authentication.USER_LIMIT)
    assert authentication.count_attempt("administrator", "198.51.100.7") == 0
    assert 0 < authentication.count_attempt("administrator", "198.51.100.7") <= 5
    LoginFailure.objects.filter(address="198.51.100.7").update(at=timezone.now() - authentication.SLOWED)
    assert authentication.count_attempt("administrator", "198.51.100.7") == 0


def test_guessing_from_an_administrators_own_address_is_slowed_too(admin: Client) -> None:
    failures("administrator", "127.0.0.1", authentication.KNOWN_LIMIT)
    assert authentication.count_attempt("administrator", "127.0.0.1") == 1
    LoginFailure.objects.update(at=timezone.now() - authentication.KNOWN_SLOWED)
    assert authentication.count_attempt("administrator", "127.0.0.1") == 0


class HangingMail(BaseEmailBackend):
    """A mail server that does not answer until it is told to, and then refuses."""

    go = threading.Event()

    def open(self) -> None:
        self.go.wait()
        raise OSError("it is gone")

    def send_messages(self, messages: Any) -> int:
        raise AssertionError("it was never open")


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    HangingMail.go.clear()
    yield HangingMail.go
    HangingMail.go.set()
    mails.finish()


def test_no_answer_waits_for_the_mail_server_and_all_addresses_are_told_that_it_fails(
    users, hanging: threading.Event
) -> None:
    with override_settings(EMAIL_HOST="mail.example", EMAIL_BACKEND=f"{HERE}.{HangingMail.__name__}"):
        for address in ("viewer@example.com", "unknown@example.com"):
            hanging.clear()
            sent = Client().post("/password-lost/", {"email": address}, follow=True)
            assert "Look into your mail" in sent.content.decode() and sent.headers["Refresh"] == "3"
            assert "Mail cannot be sent" not in sent.content.decode(), "that is not known yet"
            hanging.set()
            mails.finish()
            page = Client().get("/password-lost/sent/")
            assert "Mail cannot be sent now" in page.content.decode() and "Refresh" not in page.headers
            assert "is on its way" not in page.content.decode()
    with override_settings(EMAIL_HOST="mail.example"):
        Client().post("/password-lost/", {"email": "viewer@example.com"})
        mails.finish()
        assert len(mail.outbox) == 1
        assert "cannot be sent" not in Client().get("/password-lost/sent/").content.decode()


def test_another_address_for_the_link_needs_the_present_password(admin: Client) -> None:
    data = {"full_name": "Ada", "email": "other@example.com"}
    assert "needs your present password" in admin.post("/account/", data).content.decode()
    assert admin.post("/account/", {**data, "present_password": "wrong"}).status_code == 200
    assert ManagerUser.objects.get(userid="administrator").email == "administrator@example.com"
    assert admin.post("/account/", {**data, "present_password": PASSWORD}).status_code == 302
    assert ManagerUser.objects.get(userid="administrator").email == "other@example.com"
    assert admin.post("/account/", {**data, "full_name": "Ada A."}).status_code == 302


@pytest.mark.parametrize("changed", [{"email": "other@example.com"}, {"new_password": "battery-staple-7"}])
def test_ones_own_entry_among_the_users_is_no_way_around_that(
    admin: Client, users, changed: dict[str, str]
) -> None:
    for role in ("administrator", "viewer"):
        user = users[role]
        user.refresh_from_db()
        address = f"/managers/{user.pk}/edit/"
        sent = {"userid": role, "full_name": "A", "role": role, "email": user.email, "enabled": "on"}
        sent |= {"revision": str(user.revision), **changed}
        if role == "administrator":
            assert "present_password" in admin.get(address).content.decode()
            assert "needs your present password" in admin.post(address, sent).content.decode()
            user.refresh_from_db()
            assert user.email != "other@example.com" and user.check_password(PASSWORD)
            sent["present_password"] = PASSWORD
        else:
            assert "present_password" not in admin.get(address).content.decode()
        assert admin.post(address, sent).status_code == 302
    assert admin.get("/services/").status_code == 200, "one's own session goes on"


@pytest.mark.parametrize("weak", ["short-9", "9223372036854775808", "password123", "vera.violet", "x" * 201])
def test_the_rules_for_passwords_are_the_same_wherever_one_is_set(
    admin: Client, weak: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = {"userid": "vera.violet", "full_name": "Vera Violet", "role": "viewer", "enabled": "on"}
    assert admin.post("/managers/add/", {**new, "new_password": weak}).status_code == 200
    assert not ManagerUser.objects.filter(userid="vera.violet").exists()
    vera = ManagerUser.objects.make("vera.violet", PASSWORD, full_name="Vera Violet")
    client = Client()
    client.post("/login/", {"username": "vera.violet", "password": PASSWORD})
    twice = {"old_password": PASSWORD, "new_password1": weak, "new_password2": weak}
    assert client.post("/account/password/", twice).status_code == 200
    vera.refresh_from_db()
    assert vera.check_password(PASSWORD)

    ManagerUser.objects.all().delete()
    for name, value in {"USER": "vera.violet", "PASSWORD": weak, "FULL_NAME": "Vera Violet"}.items():
        monkeypatch.setenv(f"ASTCTI_CONFIGURATOR_{name}", value)
    with pytest.raises(click.UsageError, match="the first user: password"):
        make_first_user()


def test_a_weak_password_of_an_operator_is_stored_and_told(admin: Client, demo) -> None:
    data = {"username": "mario", "full_name": "Mario Rossi", "enabled": "on", "revision": "1"}
    address = f"/operators/{demo['operator'].pk}/edit/"
    said = admin.post(address, {**data, "new_password": "mario"}, headers={"HX-Request": "true"})
    assert "easily guessed" in said.headers["HX-Trigger"]
    plain = admin.post(address, {**data, "revision": "2", "new_password": "rossi"}, follow=True)
    assert "easily guessed" in plain.content.decode(), "without scripts, too"
    assert Operator.objects.get().password.startswith("scrypt:")
    assert weakness_of("battery-staple-7", demo["operator"]) == ""


def test_weak_passwords_of_operators_in_a_file_are_told_by_name(admin: Client, demo) -> None:
    stored = "md5:098f6bcd4621d373cade4e832627b4f6"
    rows = f"username,full-name,password\nanna,Anna,anna\nbob,Bob,battery-staple-7\ncleo,Cleo,{stored}\n"
    for store in ("no", "agreed"):
        page = post_import(admin, "operators", rows.encode(), store)
        (told,) = re.findall(r"easily guessed:(.*?)</p>", page.content.decode(), re.DOTALL)
        assert re.findall(r"<code>(.*?)</code>", told) == ["anna"]
    assert Operator.objects.filter(username="anna").exists()


@pytest.mark.parametrize("weak", ["short-9", "password123", "viewer@example"])
def test_a_link_and_the_command_line_take_no_weak_password_either(
    users, weak: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = users["viewer"]
    token = default_token_generator.make_token(user)
    client = Client()
    begin = f"/password-new/{urlsafe_base64_encode(str(user.pk).encode())}/{token}/"
    form = client.get(begin).headers["Location"]
    assert client.post(form, {"new_password1": weak, "new_password2": weak}).status_code == 200
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{weak}\n"))
    assert reset_password.callback is not None
    with pytest.raises(click.ClickException):
        reset_password.callback("viewer")
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_refused_request_is_one_line_in_the_log(
    log_in: Callable[[str], Client], caplog: pytest.LogCaptureFixture
) -> None:
    client = log_in("viewer")
    caplog.handler.addFilter(without_traceback_of_refusals)
    with caplog.at_level(logging.WARNING):
        assert client.get("/audit/").status_code == 403
    caplog.handler.removeFilter(without_traceback_of_refusals)
    (record,) = [record for record in caplog.records if "/audit/" in record.getMessage()]
    assert not record.exc_info and "Traceback" not in caplog.text


def test_an_unknown_name_is_one_line_with_the_option_for_it(caplog: pytest.LogCaptureFixture) -> None:
    filters = (without_traceback_of_refusals, with_our_option_for_names)
    for wanted in filters:
        caplog.handler.addFilter(wanted)
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        assert Client().get("/login/", headers={"Host": "cti.example.net"}).status_code == 400
    for wanted in filters:
        caplog.handler.removeFilter(wanted)
    (record,) = [record for record in caplog.records if "cti.example.net" in record.getMessage()]
    assert record.levelname == "WARNING" and not record.exc_info
    assert "--host NAME" in record.getMessage() and "ALLOWED_HOSTS" not in record.getMessage()


@pytest.mark.parametrize(
    "https, sent, words",
    [
        (False, {"Origin": "https://testserver"}, "started without <code>--https</code>"),
        (True, {"Origin": "https://testserver"}, "send <code>X-Forwarded-Proto</code>"),
        (True, {"Origin": "https://testserver:8443", "X-Forwarded-Proto": "https"}, "send <code>Host</code>"),
        (True, {"Origin": "https://testserver", "Host": "localhost:8080"}, "send <code>Host</code>"),
        (False, {}, "open for too long"),
        (True, {"Origin": "https://evil.example"}, "came from elsewhere"),
        (True, {"Origin": "https://[::1"}, "came from elsewhere"),
    ],
)
def test_a_proxy_that_lacks_something_for_a_login_is_told(
    users, https: bool, sent: dict[str, str], words: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    with override_settings(SESSION_COOKIE_SECURE=https):
        form = {"username": "viewer", "password": PASSWORD}
        secure = sent.get("X-Forwarded-Proto") == "https"
        answer = client.post("/login/", form, headers=sent, secure=secure)
    assert answer.status_code == 403 and words in answer.content.decode()
    assert settings.SECURE_HSTS_SECONDS == 0


def test_files_are_for_their_owner_alone_whatever_the_umask_and_the_directory(tmp_path: Path, demo) -> None:
    chosen = Options(tmp_path / "data")
    chosen.data.mkdir(mode=0o777)
    chosen.data.chmod(0o777)
    before = os.umask(0)
    try:
        chosen.secret_key()
        for name in ("managers.sqlite", "configuration.sqlite"):
            backup.copy_database(current_options().data / name, chosen.data / name)
        backup.write_backup(chosen, chosen.data / "all.zip")
        backup.copies_directory(chosen)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in chosen.data.iterdir()}
    assert {modes.pop("copies"), modes.pop("temporary")} == {0o700}
    assert set(modes.values()) == {0o600} and "all.zip" in modes


@pytest.mark.parametrize("part", [{}, {"HX-Request": "true"}])
def test_a_full_disk_is_called_so_and_half_of_nothing_is_stored(
    admin: Client, demo, part: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    admin.raise_request_exception = False
    answers = []
    with connections["configuration"].cursor() as cursor:
        cursor.execute("VACUUM")  # a test before may have left free pages for hundreds of seats
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        for number in range(40):  # the first ones find room in pages that are free
            before = Seat.objects.count()
            seat = {"mac": f"02:00:00:00:00:{number:02x}", "extension": f"PJSIP/{number}"}
            answers.append(admin.post("/seats/add/", {**seat, "description": "x" * 4000}, headers=part))
            if answers[-1].status_code == 507:
                break
        cursor.execute("PRAGMA max_page_count = 1073741823")
    assert answers[-1].status_code == 507
    said = answers[-1].headers.get("HX-Trigger") if part else answers[-1].content.decode()
    assert "The disk is full" in said and "Nothing of this was stored" in said
    assert Seat.objects.count() == before
    assert AuditEntry.objects.filter(action="add").count() == before - 1, "the log tells of nothing else"
    assert admin.get("/seats/").status_code == 200
