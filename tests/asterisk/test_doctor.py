"""`doctor` on real Asterisks: each fault that is put in is found, alone, and none where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from astcti_server.doctor.examination import Diagnosis
from astcti_server.doctor.findings import Finding, FindingCode, Severity
from astcti_server.doctor.manager_probe import ProbeTimeLimits
from astcti_server.doctor.provoking import NOBODY as NOBODYS_PHONE
from astcti_server.doctor.report import exit_code
from schemas.configuration.model import Configuration, Operator
from schemas.configuration.xml_form import dump_xml
from tests import needed
from tests.asterisk.ami_session import AmiSession
from tests.asterisk.doctor_site import DoctorSite, prepared
from tests.asterisk.rig import CACHE, Asterisk, installed
from tests.fake.certificates import make_certificate
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(180)]


@pytest.fixture(scope="module", params=[22, 16])
def pbx(request: pytest.FixtureRequest) -> Iterator[Asterisk]:
    """An Asterisk of its own for the faults, started once for each version."""
    version = int(request.param)
    if not installed(version):
        needed.lacking(f"no Asterisk {version} in {CACHE}, or not root: run tests/asterisk/install.sh")
    asterisk = prepared(version)
    try:
        asterisk.start()
        yield asterisk
    finally:
        asterisk.close()


@pytest.fixture
def site(pbx: Asterisk) -> Iterator[DoctorSite]:
    with DoctorSite(pbx) as made:
        yield made


def findings(diagnosis: Diagnosis) -> list[Finding]:
    return [finding for finding in diagnosis.findings if finding.severity != Severity.NOTE]


Seed = Callable[[DoctorSite], object]


def change_seat(**changed: str) -> Seed:
    return lambda site: site.change_seat(
        **{name: value.replace("TECH", site.asterisk.technology) for name, value in changed.items()}
    )


def change_service(**changed: object) -> Seed:
    return lambda site: site.change_service(**changed)


def ami(**changed: str) -> Seed:
    return lambda site: site.ami.update(changed)


def user(name: str) -> Seed:
    def seed(site: DoctorSite) -> None:
        site.user = name

    return seed


def wrong_secret(site: DoctorSite) -> None:
    site.secret = "another"


def nothing_listens(site: DoctorSite) -> None:
    site.ami["port"] = str(free_port())


def plain_at_the_tls_port(site: DoctorSite) -> None:
    site.ami["port"] = str(site.asterisk.ami_tls_port)
    site.limits = ProbeTimeLimits(login=1.0)  # nothing ever comes


def strange_certificate(site: DoctorSite) -> None:
    site.ami |= {"port": str(site.asterisk.ami_tls_port), "tls": "yes"}


def another_driver(site: DoctorSite) -> None:
    other = {"SIP": "PJSIP/201", "PJSIP": "SIP/201"}[site.asterisk.technology]
    site.change_seat(extension=other, queue_interface=other)


def unknown_transfer_context(site: DoctorSite) -> None:
    site.sections = "<transfer><context>nowhere</context></transfer>"


def expiring(days: int) -> Seed:
    return lambda site: site.certificate(days)


def expired(site: DoctorSite) -> None:
    made = site.certificate()
    command = ["openssl", "x509", "-in", str(made), "-signkey", str(made.with_suffix(".key")), "-days", "-1"]
    old = subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE).stdout
    made.write_bytes(old)


def everybody_reads(name: str) -> Seed:
    def seed(site: DoctorSite) -> None:
        if name == "cti.key":
            site.certificate()
        site.write()
        site.config.chmod(0o755)
        for path in site.config.iterdir():
            path.chmod(0o644 if path.name == name else 0o640)
        site.written = True

    return seed


def state_of_everybody(site: DoctorSite) -> None:
    site.state.mkdir()
    site.state.chmod(0o777)


def broken_file(site: DoctorSite) -> None:
    site.write()
    os.utime(site.config / "configuration.xml", (1.7e9, 1.7e9))
    (site.config / "newer.xml").write_text("<configuration><seats>")
    site.written = True


def no_valid_file(site: DoctorSite) -> None:
    site.change_service(operators=(replace(site.configuration.services[0].operators[0], username="nobody"),))


FAULTS: dict[str, tuple[Seed, set[FindingCode], str]] = {
    "a name that nobody knows": (
        ami(host="pbx.invalid"),
        {FindingCode.HOST_NAME, FindingCode.CONFIGURATION_WARNING},
        "cannot be resolved",
    ),
    "a port where nothing listens": (nothing_listens, {FindingCode.NOT_REACHED}, "nothing listens"),
    "TLS where there is none": (ami(tls="yes"), {FindingCode.TLS}, "tlsenable"),
    "a certificate of an unknown authority": (strange_certificate, {FindingCode.TLS}, "ca-file"),
    "no TLS at the port that has it": (plain_at_the_tls_port, {FindingCode.NO_ANSWER}, "does not greet"),
    "a wrong secret": (wrong_secret, {FindingCode.LOGIN}, "refused the login"),
    "an unknown manager user": (user("unheard-of"), {FindingCode.LOGIN}, "[unheard-of]"),
    "a manager user who is denied": (user("denied"), {FindingCode.LOGIN}, "permit"),
    "write without agent": (user("no-agent"), {FindingCode.WRITE_CLASS}, "Add agent"),
    "write without originate": (user("no-originate"), {FindingCode.WRITE_CLASS}, "Add originate"),
    "write without call": (user("no-call"), {FindingCode.WRITE_CLASS}, "Hangup, Redirect"),
    "write without reporting": (user("no-reporting"), {FindingCode.WRITE_CLASS}, "ShowDialPlan"),
    "read without agent": (user("blind-agent"), {FindingCode.READ_CLASS}, "Add agent"),
    "read without dialplan": (user("blind-dialplan"), {FindingCode.READ_CLASS}, "Add dialplan"),
    "read without call": (user("blind-call"), {FindingCode.READ_CLASS}, "Add call"),
    "read without system": (user("blind-system"), {FindingCode.READ_CLASS}, "Add system"),
    "no writetimeout": (user("hasty"), {FindingCode.WRITE_TIMEOUT}, "100 ms"),
    "a filter that hides steps and variables": (
        user("filtered"),
        {FindingCode.EVENT_FILTER},
        "Newexten, VarSet",
    ),
    "a filter for the seats' channels alone": (user("calls-only"), {FindingCode.EVENT_FILTER}, "Newexten"),
    "a queue that is misspelt": (
        change_service(queue_name="astct"),
        {FindingCode.QUEUE_UNKNOWN},
        'Is "astcti" meant',
    ),
    "a queue that rings who talks": (
        change_service(queue_name="rings-in-use"),
        {FindingCode.QUEUE_OPTION},
        "ringinuse = yes",
    ),
    "a queue that does so by default": (
        change_service(queue_name="says-nothing"),
        {FindingCode.QUEUE_OPTION},
        "no ringinuse",
    ),
    "a seat that is a static member": (
        change_service(queue_name="with-static"),
        {FindingCode.STATIC_MEMBER},
        "member =>",
    ),
    "a context that is misspelt": (
        change_service(context="astctidem"),
        {FindingCode.CONTEXT_UNKNOWN},
        "astctidem",
    ),
    "a transfer to nowhere": (unknown_transfer_context, {FindingCode.CONTEXT_UNKNOWN}, "every transfer"),
    "a phone that does not exist": (
        change_seat(extension="TECH/999", queue_interface="TECH/999"),
        {FindingCode.PHONE_UNKNOWN},
        "/999",
    ),
    "a phone of the other driver": (another_driver, {FindingCode.PHONE_UNKNOWN}, "write that"),
    "a queue interface that leads nowhere": (
        change_seat(queue_interface="Local/999@agents/n", state_interface="TECH/201"),
        {FindingCode.PHONE_UNKNOWN},
        "queue-interface Local/999@agents/n",
    ),
    "a hint that does not exist": (
        change_seat(queue_interface="Local/201@agents/n", state_interface="hint:202@hints"),
        {FindingCode.PHONE_UNKNOWN},
        "state-interface hint:202@hints",
    ),
    "a certificate that has expired": (expired, {FindingCode.CERTIFICATE_INVALID}, "expired on"),
    "a certificate that soon will": (expiring(10), {FindingCode.CERTIFICATE_ENDS}, "in 9 days"),
    "a secret that everybody can read": (
        everybody_reads("server.xml"),
        {FindingCode.FILE_OPEN},
        "server.xml",
    ),
    "a key that everybody can read": (everybody_reads("cti.key"), {FindingCode.FILE_OPEN}, "cti.key"),
    "passwords that everybody can read": (
        everybody_reads("configuration.xml"),
        {FindingCode.FILE_OPEN},
        "hashes",
    ),
    "a state directory of everybody": (state_of_everybody, {FindingCode.FILE_OPEN}, "state"),
    "a newer configuration that is broken": (broken_file, {FindingCode.CONFIGURATION_REFUSED}, "newer.xml"),
    "no configuration that is valid": (no_valid_file, {FindingCode.CONFIGURATION_INVALID}, "nobody"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_nothing_else(site: DoctorSite, fault: str) -> None:
    seed, codes, words = FAULTS[fault]
    seed(site)
    found = findings(site.examine())
    assert {finding.code for finding in found} == codes, found
    assert any(words in finding.text for finding in found), found


CLASSES = {"blind-agent": "agent", "blind-dialplan": "dialplan", "blind-call": "call"}


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_that_is_missing_shows_by_provoking_where_no_file_can_be_read(
    site: DoctorSite, name: str
) -> None:
    site.etc = None
    site.user = name
    assert not findings(site.examine())
    (found,) = findings(site.examine(provoke=True))
    assert found.code == FindingCode.READ_CLASS and f"Add {CLASSES[name]}" in found.text
    assert site.asterisk.channels() == []
    assert NOBODYS_PHONE not in {interface for _queue, interface in site.asterisk.members()}


def test_what_a_filter_hides_is_no_missing_class(site: DoctorSite) -> None:
    site.user = "filtered"
    assert [finding.code for finding in findings(site.examine(provoke=True))] == [FindingCode.EVENT_FILTER]


def test_asterisk_tells_of_its_files_whoever_has_the_class_config(site: DoctorSite) -> None:
    site.etc, site.user = None, "config"
    site.change_service(queue_name="rings-in-use")
    (found,) = findings(site.examine())
    assert found.code == FindingCode.QUEUE_OPTION
    assert FindingCode.NOT_LOOKED not in {finding.code for finding in site.examine().findings}


def test_clocks_that_differ_and_a_certificate_that_is_not_valid_yet(site: DoctorSite) -> None:
    site.certificate()
    found = findings(site.examine(clock=lambda: time.time() - 86400 * 2))
    assert {finding.code for finding in found} == {FindingCode.CLOCK, FindingCode.CERTIFICATE_INVALID}
    assert "ahead of" in found[1].text and "not valid before" in found[0].text


def test_events_that_are_switched_off_and_a_certificate_of_asterisk_that_ends(site: DoctorSite) -> None:
    asterisk = site.asterisk
    conf, kept = asterisk.folder / "etc/manager.conf", asterisk.ca_file.read_bytes()
    before, key = conf.read_text(), asterisk.ca_file.with_suffix(".key").read_bytes()
    make_certificate(conf.parent, "ami", subjects="DNS:localhost,IP:127.0.0.1", days=9)
    conf.write_text(before.replace("[general]", "[general]\ndisabledevents = Newexten,QueueMemberAdded"))
    asterisk.cli("manager reload")
    site.ami |= {"port": str(asterisk.ami_tls_port), "tls": "yes", "ca-file": str(asterisk.ca_file)}
    try:
        found = findings(site.examine())
        conf.write_text(before)
        asterisk.cli("manager reload")  # which does not switch them on again
        (still,) = (
            one
            for one in findings(site.examine(provoke=True))
            if "Asterisk" not in one.what and "crt" not in one.what
        )
    finally:
        conf.write_text(before.replace("[general]", "[general]\ndisabledevents = None"))
        asterisk.cli("manager reload")
        conf.write_text(before)
        asterisk.ca_file.write_bytes(kept)
        asterisk.ca_file.with_suffix(".key").write_bytes(key)
        asterisk.cli("manager reload")
    by_code = {finding.code: finding.text for finding in found}
    assert by_code.keys() == {FindingCode.DISABLED_EVENTS, FindingCode.CERTIFICATE_ENDS}
    assert "Newexten, QueueMemberAdded" in by_code[FindingCode.DISABLED_EVENTS]
    assert [finding.where for finding in found if "Asterisk's certificate" in finding.what]
    assert still.code == FindingCode.EVENT_FILTER and "Newexten, QueueMemberAdded was provoked" in still.text


def test_another_session_of_the_same_user_is_a_second_server(site: DoctorSite) -> None:
    site.user = "commander"
    assert not findings(site.examine())
    with AmiSession(site.asterisk.ami_port, "commander", "commander"):
        (found,) = findings(site.examine())
    assert found.code == FindingCode.SECOND_SERVER


# -- beside a running server --------------------------------------------------------------------------------


def test_what_is_wrong_with_a_running_server(site: DoctorSite) -> None:
    """Four faults at once: root's, few open files, a socket and a state directory for everybody."""
    server = site.run_server("prlimit", "--nofile=900:900")
    server.status_file.with_name("control.sock").chmod(0o666)
    site.state.chmod(0o777)
    found = findings(site.examine())
    assert {finding.code for finding in found} == {
        FindingCode.SERVER_ROOT,
        FindingCode.SERVER_DESCRIPTORS,
        FindingCode.FILE_OPEN,
    }
    assert sum(finding.code == FindingCode.FILE_OPEN for finding in found) == 2


def test_what_became_wrong_while_the_server_runs(site: DoctorSite) -> None:
    """A held file, settings for the next start, a file that its user cannot read, a member of nobody."""
    people = tuple(
        Operator(f"p{number}", f"P {number}", site.configuration.operators[0].password) for number in range(9)
    )
    site.configuration = replace(site.configuration, operators=(*site.configuration.operators, *people))
    server = site.run_server()
    server.put("empty.xml", dump_xml(Configuration()))
    server.wait_for_log("it is held")
    settings = site.config / "server.xml"
    server.put("server.xml", settings.read_text().replace("<ami ", '<ami ping="30" '))
    server.wait_for_log("changed, which takes effect at the next start only")
    settings.chmod(0o600)
    os.chown(settings, 0, 0)
    asterisk = site.asterisk
    phone = asterisk.device("201")
    asterisk.control.must("QueueAdd", Queue="astcti", Interface=phone, MemberName="Somebody")
    try:
        found = findings(site.examine())
    finally:
        asterisk.control.must("QueueRemove", Queue="astcti", Interface=phone)
    by_code = {finding.code: finding.text for finding in found}
    assert by_code.keys() == {
        FindingCode.CONFIGURATION_HELD,
        FindingCode.SERVER_RESTART,
        FindingCode.FILE_CLOSED,
        FindingCode.FOREIGN_MEMBER,
    }
    assert f"{phone} (Somebody)" in by_code[FindingCode.FOREIGN_MEMBER]
    assert "server.xml" in by_code[FindingCode.FILE_CLOSED]


def test_a_port_that_is_wrong_since_the_start_is_found_before_the_next_one(site: DoctorSite) -> None:
    """The server itself is still connected."""
    site.run_server()
    site.ami["port"] = str(free_port())
    assert site.server is not None
    site.server.put(
        "server.xml",
        (site.config / "server.xml").read_text().replace(str(site.asterisk.ami_port), site.ami["port"]),
    )
    site.server.wait_for_log("changed, which takes effect at the next start only")
    codes = {finding.code for finding in findings(site.examine())}
    assert codes == {FindingCode.NOT_REACHED, FindingCode.SERVER_RESTART}


# -- nothing wrong ------------------------------------------------------------------------------------------


def clean_with_agents_at_work(site: DoctorSite) -> None:
    server = site.run_server()
    phone = site.asterisk.device("201")
    client = server.client("mario")
    until(lambda: ("astcti", phone) in site.asterisk.members(), "mario did not join")
    site.keep(client)


def clean_with_local_members(site: DoctorSite) -> None:
    site.change_seat(queue_interface="Local/201@agents/n", state_interface="hint:201@hints")
    site.user = "full"


def clean_with_tls_everywhere(site: DoctorSite) -> None:
    secret = site.config / "secret"
    secret.write_text("least\n")
    secret.chmod(0o600)
    site.ami |= {
        "port": str(site.asterisk.ami_tls_port),
        "tls": "yes",
        "ca-file": str(site.asterisk.ca_file),
        "secret-file": "secret",
    }
    site.certificate()
    site.listen |= {"address": "0.0.0.0"}


def clean_without_queues(site: DoctorSite) -> None:
    site.configuration = replace(site.configuration, services=site.configuration.services[1:])
    site.user = "blind-agent"
    site.sections = "<transfer><context>outbound</context></transfer>"


def clean_with_all_that_asterisk_tells(site: DoctorSite) -> None:
    site.etc, site.user = None, "config"


def clean_with_a_filter_that_hides_nothing_needed(site: DoctorSite) -> None:
    site.user = "harmless-filter"
    site.change_service(queue_name="ASTCTI")


CLEAN = [
    clean_with_agents_at_work,
    clean_with_local_members,
    clean_with_tls_everywhere,
    clean_without_queues,
    clean_with_all_that_asterisk_tells,
    clean_with_a_filter_that_hides_nothing_needed,
]


@pytest.mark.parametrize("prepare", CLEAN, ids=lambda prepare: prepare.__name__)
def test_a_clean_installation_has_no_finding(site: DoctorSite, prepare: Seed) -> None:
    prepare(site)
    for provoke in (False, True):
        diagnosis = site.examine(provoke=provoke)
        assert not findings(diagnosis)
        assert exit_code(diagnosis) == 0
    assert FindingCode.NOT_SEEN_YET not in {finding.code for finding in diagnosis.findings}


def test_the_least_manager_user_that_it_prints_is_enough(site: DoctorSite) -> None:
    asterisk = site.asterisk
    site.user = "no-agent"
    stanza = (
        site.examine()
        .least_user.replace("the-secret-of-server.xml", "least2")
        .replace("[no-agent]", "[least2]")
    )
    conf = asterisk.folder / "etc/manager.conf"
    before = conf.read_text()
    conf.write_text(f"{before}\n{stanza}")
    asterisk.cli("manager reload")
    site.user = "least2"
    try:
        assert not findings(site.examine(provoke=True))
    finally:
        conf.write_text(before)
        asterisk.cli("manager reload")


def test_on_the_command_line(site: DoctorSite) -> None:
    site.user = "hasty"
    site.write()
    command = [
        sys.executable,
        "-m",
        "astcti_server",
        "--state",
        str(site.state),
        "--status",
        str(site.folder / "status.json"),
    ]
    command += ["doctor", "--config", str(site.config), "--asterisk-etc", str(site.etc), "--provoke"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("WARNING  manager.conf [hasty]: no writetimeout")
    assert lines[-1] == "0 errors, 1 warning, 1 note"
    assert "    read = system,call,agent,dialplan" in lines
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    told = json.loads(done.stdout)
    assert [finding["code"] for finding in told["findings"]] == ["writetimeout", "server-not-running"]
    assert told["exit_code"] == done.returncode == 1
