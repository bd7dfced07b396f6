"""Accounts of a real provider, Django OAuth Toolkit, log in by the real code flow over HTTP."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from tests.configurator.conftest import first_group
from tests.configurator.openid.conftest import (
    LOCAL_PASSWORD,
    RunningConfigurator,
    RunningProvider,
    WebPerson,
    running_configurator,
    write_settings,
)
from tests.configurator.openid.toolkit_provider import PASSWORD
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

Somebody = Callable[[], WebPerson]
HTMX = {"HX-Request": "true"}


def run(data: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A command of the Configurator."""
    command = [sys.executable, "-m", "configurator", "--data", str(data), *arguments]
    return subprocess.run(
        command, input=typed, capture_output=True, text=True, timeout=2 * PATIENCE, check=False
    )


def test_an_account_becomes_a_user_with_the_role_that_its_claim_says(
    site: RunningConfigurator, provider: RunningProvider, somebody: Somebody
) -> None:
    ada = somebody()
    assert "Log in with Office account" in ada.get("/login/").text
    page = ada.sign_on("ada", "/managers/")
    assert page.url == f"{site.address}/managers/" and "Ada Admin" in page.text
    (asked,) = [address for address in ada.way if "/o/authorize/" in address and "code_challenge" in address][
        :1
    ]
    said = parse_qs(urlsplit(asked).query)
    assert said["code_challenge_method"] == ["S256"] and said["nonce"] and said["state"]
    assert said["redirect_uri"] == [f"{site.address}/sign-on/callback/"]
    again = somebody()
    again.sign_on("ada")
    users = site.rows("SELECT role, full_name, email FROM configurator_manageruser WHERE userid = 'ada'")
    assert users == [("administrator", "Ada Admin", "ada@example.com")]
    log = site.rows("SELECT action, kind FROM configurator_auditentry WHERE userid = 'ada' ORDER BY id")
    assert log == [("add", "manageruser"), ("login", "session"), ("login", "session")]
    (identity,) = site.rows(
        "SELECT issuer FROM configurator_openididentity JOIN configurator_manageruser AS u"
        " ON u.id = user_id WHERE userid = 'ada'"
    )
    assert identity == (provider.issuer,)


def test_a_supervisor_may_what_supervisors_may(somebody: Somebody) -> None:
    sven = somebody()
    assert sven.sign_on("sven").status_code == 200
    assert sven.get("/audit/").status_code == 200
    assert sven.get("/managers/").status_code == 403


def test_who_has_no_role_is_refused_and_told_what_to_ask_for(
    site: RunningConfigurator, somebody: Somebody
) -> None:
    page = somebody().sign_on("nora")
    assert page.status_code == 403
    for words in (
        "no role here",
        "“nora”",
        "“roles”",
        "cti-admins",
        "cti-leads, cti-supervisors",
        "Supervisor",
    ):
        assert words in page.text
    assert site.rows("SELECT * FROM configurator_manageruser WHERE userid = 'nora'") == []
    assert "no role" in site.line_with("sign-on refused")
    (entry,) = site.rows("SELECT details FROM configurator_auditentry WHERE name = 'nora'")
    assert "no role" in entry[0]


def test_each_refusal_is_one_line_of_the_log(site: RunningConfigurator, somebody: Somebody) -> None:
    sven = somebody()
    sven.sign_on("sven")
    while not site.lines.empty():
        site.lines.get()
    for address in ("/managers/", "/publish/export/"):
        assert sven.get(address).status_code == 403
    somebody().get("/sign-on/callback/?state=x&code=y")
    somebody().log_in("the-end", "wrong")
    lines: list[str] = []
    while "the-end" not in "".join(lines):
        lines.append(site.lines.get(timeout=PATIENCE))
    assert [("/managers/" in line, "/export/" in line, "sign-on" in line) for line in lines[:-1]] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ], lines


def test_the_role_is_the_claims_at_each_login_and_without_one_every_session_ends(
    site: RunningConfigurator, provider: RunningProvider, somebody: Somebody
) -> None:
    before, carol = somebody(), somebody()
    before.sign_on("carol")
    assert before.get("/managers/").status_code == 200
    provider.set_group("carol", "cti-leads")
    carol.sign_on("carol")
    assert carol.get("/managers/").status_code == 403 == before.get("/managers/").status_code
    details = site.rows(
        "SELECT details FROM configurator_auditentry WHERE name = 'carol' AND action = 'edit'"
    )
    assert details == [('[["Role", "administrator", "supervisor"]]',)]
    provider.set_group("carol", "kitchen")
    assert somebody().sign_on("carol").status_code == 403
    assert "/login/" in before.get("/services/").url and "/login/" in carol.get("/services/").url


def test_nobody_becomes_a_user_who_is_there_by_name_or_address_alone(
    site: RunningConfigurator, somebody: Somebody
) -> None:
    root = somebody()
    root.log_in()
    form = {"full_name": "Lena", "role": "viewer", "enabled": "on", "new_password": LOCAL_PASSWORD}
    root.send(root.get("/managers/add/"), userid="lena", **form)
    lena = somebody()
    page = lena.sign_on("lena", "/seats/")
    assert page.status_code == 403 and "user “lena” here already" in page.text
    assert "/login/" in lena.get("/services/").url
    wrong = lena.send(page, "/sign-on/connect/", password="not-this-one-7")
    assert "password or code are wrong" in wrong.text
    right = lena.send(wrong, "/sign-on/connect/", password=LOCAL_PASSWORD)
    assert right.url == f"{site.address}/seats/"
    assert somebody().sign_on("lena").url == f"{site.address}/services/"
    assert site.rows("SELECT role FROM configurator_manageruser WHERE userid = 'lena'") == [("supervisor",)]
    late = lena.send(lena.get("/account/"), "/sign-on/connect/", password=LOCAL_PASSWORD)
    assert late.status_code == 400 and "Please begin again" in late.text

    somebody().sign_on("mary")  # whose address is that of the local administrator
    mails = site.rows("SELECT userid, role FROM configurator_manageruser WHERE email = 'mary@example.com'")
    assert sorted(mails) == [("mary", "supervisor"), ("root", "administrator")]


def test_after_logging_out_one_can_log_out_at_the_provider_too(
    provider: RunningProvider, site: RunningConfigurator, somebody: Somebody
) -> None:
    ada = somebody()
    page = ada.send(ada.sign_on("ada"), "/logout/")
    assert "You are logged out" in page.text and "/login/" in ada.get("/services/").url
    link = re.search(r'href="([^"]+/o/logout/[^"]+)"', page.text)
    assert link is not None
    asking = ada.get(link[1].replace("&amp;", "&"))  # without proof whose logout it is, providers ask
    assert ada.send(asking, allow="yes").url == f"{site.address}/login/"
    assert "<h1>Provider</h1>" in ada.get("/sign-on/").text
    root = somebody()
    assert root.send(root.log_in(), "/logout/").url == f"{site.address}/login/"


def test_administrators_log_in_with_a_password_others_do_not(
    site: RunningConfigurator, somebody: Somebody
) -> None:
    root = somebody()
    assert root.log_in().url == f"{site.address}/overview/"
    form = {"full_name": "V", "role": "viewer", "enabled": "on", "new_password": LOCAL_PASSWORD}
    root.send(root.get("/managers/add/"), userid="victor", **form)
    answers = [
        first_group(r'role="alert">(.*?)</p>', somebody().log_in("victor", word).text)
        for word in (LOCAL_PASSWORD, "wrong")
    ]
    assert "All but administrators log in with their account of Office account." in answers[0]
    assert answers[0] == answers[1], "nobody is told that a guessed password is right"
    said = run(site.data, "reset-password", "victor", typed="battery-staple-7\n")
    assert said.returncode == 0 and "does not let victor use it" in said.stderr
    assert "are wrong" in somebody().log_in("ada", PASSWORD).text, "the provider's passwords are its own"


def test_a_session_is_renewed_beside_the_page_that_it_ended_under(
    site: RunningConfigurator, somebody: Somebody
) -> None:
    rene = somebody()
    page = rene.sign_on("rene")
    assert 'data-signed-on="yes"' in page.text
    rene.session.cookies.clear(domain="127.0.0.1", path="/", name="astcti_session")
    assert rene.get("/session/", **HTMX).status_code == 401
    dialog = rene.get("/login/?userid=rene&signed-on=yes", **HTMX).text
    assert "data-sign-on" in dialog and 'name="password"' not in dialog
    assert "goes on by itself" in rene.sign_on("rene", "/sign-on/done/").text
    assert rene.get("/session/", **HTMX).status_code == 204
    renewed = rene.get("/login/?userid=rene&signed-on=yes", **HTMX)
    assert renewed.status_code == 204 and '"rene"' in renewed.headers["HX-Trigger"]


def test_behind_a_proxy_with_tls_people_come_back_to_its_address(
    provider: RunningProvider, tmp_path: Path
) -> None:
    write_settings(tmp_path / "data", provider.issuer)
    with running_configurator(tmp_path / "data", "--https", "--host", "cti.example.com") as configurator:
        answer = requests.get(
            f"{configurator.address}/sign-on/",
            headers={"Host": "cti.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"},
            allow_redirects=False,
            timeout=PATIENCE,
        )
    said = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert said["redirect_uri"] == ["https://cti.example.com/sign-on/callback/"]
    assert "secure" in answer.headers["Set-Cookie"].lower()


def test_without_its_provider_it_starts_and_administrators_get_in(tmp_path: Path) -> None:
    write_settings(tmp_path / "data", f"http://127.0.0.1:{free_port()}/o")
    with running_configurator(tmp_path / "data") as configurator:
        person = WebPerson(configurator.address)
        page = person.get("/sign-on/")
        assert page.status_code == 502 and "Office account does not answer" in page.text
        assert "Log in with a password" in page.text
        assert person.log_in().url == f"{configurator.address}/overview/"
        person.session.close()


def test_local_login_can_be_switched_off(provider: RunningProvider, tmp_path: Path) -> None:
    write_settings(tmp_path / "data", provider.issuer, "local-login = nobody\n")
    with running_configurator(tmp_path / "data") as configurator:
        person = WebPerson(configurator.address)
        page = person.get("/login/")
        assert 'name="password"' not in page.text and "Office account" in page.text
        sent = person.send(page, username="root", password=LOCAL_PASSWORD)
        assert "/login/" in sent.url and person.get("/services/").url != f"{configurator.address}/services/"
        person.session.close()


def test_a_command_says_what_to_register_and_whether_all_fits(
    site: RunningConfigurator, provider: RunningProvider, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    write_settings(data, provider.issuer)
    said = run(data, "--https", "--host", "cti.example.com", "check-sign-on")
    assert said.returncode == 0, said.stderr
    assert "register: https://cti.example.com/sign-on/callback/" in said.stdout
    assert "issuer, client and secret fit" in said.stdout
    (data / "openid-secret").write_text("another")
    said = run(data, "check-sign-on")
    assert said.returncode == 1 and "client-id or secret do not fit" in said.stderr
    write_settings(data, f"{provider.address}/other")
    said = run(data, "check-sign-on")
    assert said.returncode == 1 and "is the issuer right?" in said.stderr
    (data / "configurator.ini").write_text("")
    assert "no section [openid]" in run(data, "check-sign-on").stderr
