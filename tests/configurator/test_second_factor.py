"""Codes of an app beside the password: optional, or needed by a role."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client, override_settings
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from configurator.mail_settings import MailSettingsError, read_second_factor
from configurator.models import AuditEntry, ManagerUser
from configurator.users import second_factor
from tests.configurator.conftest import PASSWORD, first_group
from tests.fake.patience import PATIENCE

LOGIN = {"username": "administrator", "password": PASSWORD}


def code_of(device: TOTPDevice) -> str:
    """What the app shows."""
    return f"{totp(device.bin_key, device.step, device.t0, device.digits):06d}"


def again(device: TOTPDevice) -> str:
    """The same a while later: no code is taken twice, and a wrong one makes the next one wait."""
    TOTPDevice.objects.update(last_t=-1, throttling_failure_count=0, throttling_failure_timestamp=None)
    return code_of(device)


@pytest.fixture
def device(admin: Client) -> Any:
    """Of the administrator, who set it up."""
    page = admin.get("/account/second-factor/").content.decode()
    found = TOTPDevice.objects.get()
    assert "<svg" in page and "style=" not in page and not found.confirmed
    wrong = {"code": "000000", "present_password": PASSWORD}
    assert "not the code" in admin.post("/account/second-factor/", wrong).content.decode()
    for password in ({}, {"present_password": "x"}):
        refused = admin.post("/account/second-factor/", {"code": again(found), **password}).content.decode()
        assert "password is wrong" in refused, "an open page binds the account to nobody's phone"
    assert Client().post("/login/", LOGIN).status_code == 302, "it is not asked for before it is confirmed"
    right = {"code": again(found), "present_password": PASSWORD}
    assert admin.post("/account/second-factor/", right).status_code == 302
    return found


def test_who_set_up_an_app_logs_in_with_its_codes_and_others_without(device: TOTPDevice) -> None:
    assert "Code" in Client().get("/login/").content.decode()
    refused = Client().post("/login/", LOGIN)
    assert refused.status_code == 200 and "code are wrong" in refused.content.decode()
    assert Client().post("/login/", {**LOGIN, "code": "000000"}).status_code == 200
    code = again(device)
    assert Client().post("/login/", {**LOGIN, "code": f"{code[:3]} {code[3:]}"}).status_code == 302
    assert Client().post("/login/", {**LOGIN, "code": code}).status_code == 200, "a code works once"
    assert Client().post("/login/", {**LOGIN, "username": "viewer"}).status_code == 302


def test_no_answer_tells_who_guesses_passwords_that_one_is_right(device: TOTPDevice) -> None:
    tried = [LOGIN, {**LOGIN, "code": "000000"}, {**LOGIN, "password": "wrong"}, {**LOGIN, "username": "no"}]
    answers = [Client().post("/login/", form).content.decode() for form in tried]
    said = {first_group(r'role="alert">(.*?)</p>', answer) for answer in answers}
    assert said == {"User id, password or code are wrong, or the user is disabled."}


def test_who_guesses_codes_elsewhere_keeps_nobody_out(device: TOTPDevice) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    TOTPDevice.objects.update(
        last_t=-1, throttling_failure_count=20, throttling_failure_timestamp=timezone.now()
    )
    sent = {**LOGIN, "code": code_of(device)}
    assert Client(**elsewhere).post("/login/", sent).status_code == 200, "guessing is slowed"
    assert Client().post("/login/", sent).status_code == 302, "from here the user logged in lately"


def test_of_two_logins_with_one_code_at_the_same_moment_one_is_let_in(
    device: TOTPDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, code = ManagerUser.objects.get(userid="administrator"), again(device)
    accepted: queue.SimpleQueue[bool] = queue.SimpleQueue()
    real = TOTPDevice.verify_token

    def try_it() -> None:
        try:
            accepted.put(second_factor.accepts(user, code, "127.0.0.1"))
        finally:
            connections.close_all()

    other = threading.Thread(target=try_it)

    def slow(device: TOTPDevice, token: str) -> bool:
        if other.ident is None:
            other.start()
            other.join(0.3)  # it has to wait: so there is nothing that could be waited for
        return bool(real(device, token))

    monkeypatch.setattr(TOTPDevice, "verify_token", slow)
    try_it()
    other.join(PATIENCE)
    assert sorted([accepted.get_nowait(), accepted.get_nowait()]) == [False, True]


def test_who_has_an_account_of_the_provider_alone_is_asked_for_no_password(admin: Client) -> None:
    user = ManagerUser.objects.get(userid="administrator")
    user.set_unusable_password()
    user.save()
    admin.force_login(user)
    assert "present_password" not in admin.get("/account/second-factor/").content.decode()
    sent = {"code": code_of(TOTPDevice.objects.get())}
    assert admin.post("/account/second-factor/", sent).status_code == 302
    assert TOTPDevice.objects.get().confirmed


def test_it_is_ended_with_the_password_alone(admin: Client, device: TOTPDevice) -> None:
    assert "wrong" in admin.post("/account/second-factor/", {"present_password": "x"}).content.decode()
    assert TOTPDevice.objects.exists()
    assert admin.post("/account/second-factor/", {"present_password": PASSWORD}).status_code == 302
    assert Client().post("/login/", LOGIN).status_code == 302
    told = [entry.details for entry in AuditEntry.objects.filter(action="edit")]
    assert told == [[["Second factor", "yes", "no"]], [["Second factor", "no", "yes"]]]


@override_settings(SECOND_FACTOR_FOR=frozenset({"administrator"}))
def test_a_role_that_needs_one_does_nothing_before_it_is_set_up(admin: Client, log_in: Any) -> None:
    assert admin.get("/services/").url == "/account/second-factor/"
    part = admin.get("/publish/badge/", headers={"HX-Request": "true"})
    assert part.headers["HX-Redirect"] == "/account/second-factor/"
    assert log_in("viewer").get("/services/").status_code == 200
    admin.get("/account/second-factor/")
    sent = {"code": code_of(TOTPDevice.objects.get()), "present_password": PASSWORD}
    admin.post("/account/second-factor/", sent)
    assert admin.get("/services/").status_code == 200


def test_the_file_says_who_needs_one(tmp_path: Path) -> None:
    path = tmp_path / "configurator.ini"
    assert read_second_factor(path, installed=False) == frozenset()
    path.write_text("[login]\nsecond-factor = administrators\n")
    assert read_second_factor(path, installed=True) == {"administrator"}
    with pytest.raises(MailSettingsError, match="two-factor"):
        read_second_factor(path, installed=False)
    path.write_text("[login]\nsecond-factor = some\n")
    with pytest.raises(MailSettingsError, match="'some'"):
        read_second_factor(path, installed=True)
