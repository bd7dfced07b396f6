"""What `doctor` makes of facts: also of those that the real Asterisks of the tests cannot show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astcti_server.doctor.asterisk_conf import AsteriskConf
from astcti_server.doctor.examination import Diagnosis, judge
from astcti_server.doctor.facts import (
    Facts,
    FileFacts,
    ListedMember,
    LookedAtFile,
    ManagerStage,
    ServerFacts,
    ServerState,
    SystemUser,
)
from astcti_server.doctor.findings import Finding, FindingCode, Severity
from astcti_server.doctor.manager_classes import write_classes
from astcti_server.doctor.report import as_document, exit_code, lines_of
from schemas.problems import Problem
from schemas.server.missing_rights import MissingRight
from tests.server.doctor.conftest import ACTIONS, EVENTS, MANAGER_CONF, Change


def only(facts: Facts) -> Finding:
    (found,) = judge(facts)
    return found


def test_where_nothing_is_wrong_nothing_is_said(facts: Facts) -> None:
    assert judge(facts) == ()


# -- the running server -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "severity", "words"),
    [
        ({"version": "0.0.1"}, FindingCode.SERVER_OLD, Severity.WARNING, "version 0.0.1 runs"),
        ({"stuck": ["ami"]}, FindingCode.SERVER_HANGS, Severity.ERROR, "its thread ami hangs"),
        ({"state_directory": {"error": "full"}}, FindingCode.STATE_DIRECTORY, Severity.ERROR, "full"),
        (
            {"ami": {"state": "down", "reason": "its reason", "lacking": [], "manager": ""}},
            FindingCode.SERVER_NOT_CONNECTED,
            Severity.ERROR,
            "not connected to Asterisk: its reason",
        ),
        (
            {
                "queues": [
                    {
                        "queue": "Sales",
                        "members": 0,
                        "differing": [
                            {
                                "interface": "SIP/201",
                                "username": "mario",
                                "differs": "missing",
                                "reason": "Interface not found",
                            }
                        ],
                    }
                ]
            },
            FindingCode.MEMBER_MISSING,
            Severity.ERROR,
            "SIP/201 (mario) cannot join: Interface not found",
        ),
    ],
)
def test_what_the_running_server_says_of_itself(
    with_server: Change, status: dict[str, Any], code: FindingCode, severity: Severity, words: str
) -> None:
    found = only(with_server(status))
    assert (found.code, found.severity) == (code, severity)
    assert words in found.text


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        ({"user": 0}, FindingCode.SERVER_ROOT),
        ({"descriptors": 1024}, FindingCode.SERVER_DESCRIPTORS),
        ({"ami": {"host": "old.example", "username": "astcti"}}, FindingCode.SERVER_RESTART),
        ({"listen": {"port": 1}}, FindingCode.SERVER_RESTART),
        ({"metrics": {"address": "127.0.0.1", "port": 9105}}, FindingCode.SERVER_RESTART),
    ],
)
def test_what_the_running_server_has_seen_of_its_machine(
    with_server: Change, seen: dict[str, Any], code: FindingCode
) -> None:
    found = only(with_server(seen=seen))
    assert (found.code, found.severity) == (code, Severity.WARNING)


def test_a_server_without_a_limit_of_open_files_has_enough(with_server: Change) -> None:
    assert judge(with_server(seen={"descriptors": None})) == ()


@pytest.mark.parametrize(
    ("state", "code", "severity"),
    [
        ("not-running", FindingCode.SERVER_NOT_RUNNING, Severity.NOTE),
        ("not-allowed", FindingCode.NOT_LOOKED, Severity.NOTE),
        ("no-answer", FindingCode.SERVER_SILENT, Severity.ERROR),
    ],
)
def test_a_server_that_does_not_answer(
    facts: Facts, state: ServerState, code: FindingCode, severity: Severity
) -> None:
    found = only(replace(facts, server=ServerFacts(state, "why")))
    assert (found.code, found.severity) == (code, severity)
    assert "why" in found.text


def test_a_server_that_tells_its_status_alone_is_no_fault(facts: Facts) -> None:
    found = only(replace(facts, server=replace(facts.server, seen={})))
    assert (found.code, found.severity) == (FindingCode.NOT_LOOKED, Severity.NOTE)


# -- the manager session ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["host-name", "connect", "tls", "greeting", "login"])
def test_without_a_session_the_reason_is_the_finding(with_manager: Change, stage: ManagerStage) -> None:
    facts = with_manager(stage=stage, failure="the reason")
    found = only(
        replace(facts, server=replace(facts.server, seen={**facts.server.seen, "events": list(EVENTS)}))
    )
    assert found.severity == Severity.ERROR and found.what == "the reason"


def test_that_the_servers_own_session_is_the_only_one_allowed_is_no_fault(with_manager: Change) -> None:
    facts = with_manager(stage="login", failure="Asterisk says that user 'astcti' is logged in already (...)")
    told = replace(facts.server, seen={**facts.server.seen, "events": list(EVENTS)})
    assert only(replace(facts, server=told)).severity == Severity.NOTE
    down = {**facts.server.status, "ami": {**facts.server.status["ami"], "state": "down"}}
    assert only(replace(facts, server=replace(told, status=down))).code == FindingCode.LOGIN


def test_a_class_is_proved_by_what_either_session_saw(with_manager: Change, with_server: Change) -> None:
    facts = with_server(seen={"events": ["Hangup"]})
    assert facts.manager is not None
    assert judge(replace(facts, manager=replace(facts.manager, events=EVENTS - {"Newchannel"}))) == ()
    found = only(with_manager(events=EVENTS - {"Newchannel"}))
    assert (found.code, found.severity) == (FindingCode.NOT_SEEN_YET, Severity.NOTE)


@pytest.mark.parametrize(
    ("conf", "code", "words"),
    [
        (AsteriskConf("manager.conf", {}), FindingCode.READ_CLASS, "Add dialplan"),
        (MANAGER_CONF, FindingCode.EVENT_FILTER, "though read has dialplan"),
    ],
)
def test_what_the_running_server_missed_is_known_to_be_missing(
    with_manager: Change, conf: AsteriskConf, code: FindingCode, words: str
) -> None:
    facts = with_manager(events=EVENTS - {"VarSet"}, manager_conf=conf)
    lacking = {**facts.server.status["ami"], "lacking": [MissingRight.DIALPLAN.text()]}
    told = replace(facts.server, status={**facts.server.status, "ami": lacking})
    found = judge(replace(facts, server=told))[0]
    assert (found.code, found.severity) == (code, Severity.ERROR)
    assert words in found.text


def test_what_the_running_server_was_refused_counts_where_nothing_can_be_asked(with_manager: Change) -> None:
    facts = with_manager(stage="login", failure="user 'astcti' is logged in already", actions=None)
    refusal = {"action": "QueueAdd", "message": "Permission denied"}
    seen = {**facts.server.seen, "events": list(EVENTS), "refusals": [refusal]}
    found = judge(replace(facts, server=replace(facts.server, seen=seen)))
    assert [finding.severity for finding in found] == [Severity.ERROR, Severity.NOTE]
    assert "refused QueueAdd (Permission denied). Add agent" in found[0].text


def test_what_the_running_server_saw_as_another_user_proves_nothing(with_manager: Change) -> None:
    facts = with_manager(events=EVENTS - {"Newchannel"})
    other = {**facts.server.seen["ami"], "username": "another"}
    seen = {**facts.server.seen, "events": list(EVENTS), "ami": other}
    found = judge(replace(facts, server=replace(facts.server, seen=seen)))
    assert {finding.code for finding in found} == {FindingCode.SERVER_RESTART, FindingCode.NOT_SEEN_YET}


def test_newexten_does_not_prove_the_class_dialplan_in_asterisk_12_to_15(with_manager: Change) -> None:
    events = EVENTS - {"VarSet"} | {"Newexten"}
    assert judge(with_manager(events=events)) == ()
    assert only(with_manager(events=events, manager="2.10.4")).code == FindingCode.NOT_SEEN_YET


def test_asterisk_1_4_needs_other_classes(with_manager: Change) -> None:
    facts = with_manager(
        manager="1.0",
        version="",
        events=EVENTS - {"VarSet", "FullyBooted"},
        actions=frozenset(
            [
                "ping",
                "logoff",
                "status",
                "hangup",
                "redirect",
                "queueadd",
                "queueremove",
                "queuepause",
                "queuestatus",
            ]
        ),
        queues_conf=AsteriskConf("queues.conf", {"Sales": (("ringinuse", "no"), ("eventwhencalled", "yes"))}),
    )
    by_code = {finding.code: finding.text for finding in judge(facts)}
    assert by_code.keys() == {FindingCode.WRITE_CLASS, FindingCode.NOT_SEEN_YET}
    assert "may not ask for Originate" in by_code[FindingCode.WRITE_CLASS]
    assert "Add call" in by_code[FindingCode.WRITE_CLASS]
    assert "class system" in by_code[FindingCode.NOT_SEEN_YET]


def test_without_the_application_no_class_is_missing(with_manager: Change, facts: Facts) -> None:
    assert facts.manager is not None and facts.manager.actions is not None
    without = {name for name in facts.manager.actions if not name.startswith("queue")}
    found = only(with_manager(actions=frozenset(without)))
    assert found.code == FindingCode.QUEUE_UNKNOWN and "app_queue is not loaded" in found.text


@pytest.mark.parametrize(("ahead", "known"), [(5.5, True), (-6.0, True), (4.9, False), (None, False)])
def test_clocks(with_manager: Change, ahead: float | None, known: bool) -> None:
    found = judge(with_manager(clock_ahead=ahead, clock_within=0.2))
    assert [finding.code for finding in found] == [FindingCode.CLOCK] * known


def test_a_proxy_that_greets_as_itself(with_manager: Change) -> None:
    codes = {finding.code for finding in judge(with_manager(manager="Asterisk Call Manager Proxy/1.22"))}
    assert FindingCode.VERSION in codes


def test_a_file_without_the_users_section_is_no_fault(with_manager: Change) -> None:
    found = only(with_manager(manager_conf=AsteriskConf("manager.conf", {"general": ()}, complete=False)))
    assert (found.code, found.severity) == (FindingCode.NOT_LOOKED, Severity.NOTE)


@pytest.mark.parametrize(("text", "known"), [("100", True), ("999", True), ("1000", False), ("soon", True)])
def test_a_timeout(with_manager: Change, text: str, known: bool) -> None:
    conf = AsteriskConf("manager.conf", {"astcti": (("read", "all"), ("writetimeout", text))})
    found = judge(with_manager(manager_conf=conf))
    assert [finding.code for finding in found] == [FindingCode.WRITE_TIMEOUT] * known


def test_asterisks_certificate_that_ends(with_manager: Change, facts: Facts) -> None:
    found = only(with_manager(certificate_ends=facts.now + 86400 * 3.5))
    assert found.code == FindingCode.CERTIFICATE_ENDS and "in 3 days" in found.text


# -- the PBX ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("manager", "called", "known"), [("1.1", "no", True), ("1.3", "vars", False), ("11.0.0", "no", False)]
)
def test_eventwhencalled_matters_before_12_where_pages_open_at_the_ring(
    with_manager: Change, manager: str, called: str, known: bool
) -> None:
    lines = (("ringinuse", "no"), ("eventwhencalled", called))
    conf = AsteriskConf("queues.conf", {"Sales": lines})
    found = judge(with_manager(manager=manager, queues_conf=conf))
    assert [finding.code for finding in found] == [FindingCode.QUEUE_OPTION] * known


@pytest.mark.parametrize(
    ("without", "atxfer", "said"),
    [
        ((), "*2", ""),
        (("bridge",), "*2", ""),
        (("bridge",), "", "the client has no button for it"),
        (("bridge", "atxfer"), "*2", "the client has no button for it"),
        ((), "", "by a second call of the agent's phone"),
    ],
)
def test_how_colleagues_can_be_asked(
    with_manager: Change, without: tuple[str, ...], atxfer: str, said: str
) -> None:
    lines = (("atxfer", atxfer),) if atxfer else ()
    features = AsteriskConf("features.conf", {"featuremap": lines})
    found = judge(with_manager(actions=ACTIONS - set(without), features_conf=features))
    assert [(finding.code, finding.severity) for finding in found] == (
        [(FindingCode.CONSULT, Severity.NOTE)] if said else []
    )
    assert all(said in finding.text for finding in found)


@pytest.mark.parametrize(
    ("phone", "more", "code", "said"),
    [
        ("SIP/201", ("moduleload", "sipnotify"), None, ""),
        ("SIP/201", ("moduleload", "pjsipnotify"), FindingCode.ANSWER, "has not the action SIPnotify"),
        ("PJSIP/201", ("moduleload",), FindingCode.ANSWER, "Load res_pjsip_notify.so"),
        ("PJSIP/201", (), FindingCode.WRITE_CLASS, "may not ask for PJSIPNotify: agents cannot answer"),
    ],
)
def test_why_a_phone_cannot_be_answered_from_the_window(
    with_pbx: Change, phone: str, more: tuple[str, ...], code: FindingCode | None, said: str
) -> None:
    facts = with_pbx(devices={phone: "UNAVAILABLE"})
    configuration = facts.files.configuration
    assert configuration is not None and facts.manager is not None
    seat = replace(configuration.seats[0], extension=phone, queue_interface=phone, answer="notify")
    files = replace(facts.files, configuration=replace(configuration, seats=(seat,)))
    manager = replace(facts.manager, actions=ACTIONS | set(more))
    found = judge(replace(facts, files=files, manager=manager))
    assert [(finding.code, finding.severity) for finding in found] == (
        [(code, Severity.WARNING)] if code else []
    )
    assert all(said in finding.text for finding in found)


@pytest.mark.parametrize(
    ("phone", "first"), [("PJSIP/201", "system"), ("SIP/201", "system"), ("IAX2/201", "call")]
)
def test_only_a_phone_that_can_be_told_to_answer_needs_the_class_system(
    with_pbx: Change, phone: str, first: str
) -> None:
    configuration = with_pbx().files.configuration
    assert configuration is not None
    seat = replace(configuration.seats[0], extension=phone, queue_interface=phone, answer="notify")
    assert write_classes(replace(configuration, seats=(seat,)), "2.10.6")[0] == first


def test_that_colleagues_cannot_be_asked_is_a_matter_of_the_class_where_that_is_missing(
    with_manager: Change,
) -> None:
    found = only(with_manager(actions=ACTIONS - {"originate"}))
    assert (found.code, "nor ask a colleague" in found.text) == (FindingCode.WRITE_CLASS, True)


def member(interface: str, membership: str = "dynamic", queue: str = "sales") -> ListedMember:
    return ListedMember(queue, interface, interface, membership)


def test_members_of_others_are_told_apart(with_pbx: Change) -> None:
    members = (
        member("SIP/201", "static"),
        member("Local/201@from-queue/n"),
        member("SIP/300"),
        member("SIP/201", "static", "another-queue"),
    )
    found = [(finding.code, finding.severity) for finding in judge(with_pbx(members=members))]
    assert found == [
        (FindingCode.STATIC_MEMBER, Severity.WARNING),
        (FindingCode.FOREIGN_MEMBER, Severity.WARNING),
        (FindingCode.FOREIGN_MEMBER, Severity.NOTE),
    ]


def test_a_member_is_ours_while_its_operator_is_logged_in_or_may_come_back(with_pbx: Change) -> None:
    facts = with_pbx(members=(member("SIP/201"),))
    assert only(facts).severity == Severity.WARNING
    session = {"username": "mario", "extension": "SIP/201"}
    for status in (
        {"sessions": [session]},
        {"queues": [{"queue": "Sales", "members": 1, "differing": []}]},  # he lost his connection
    ):
        told = {**facts.server.status, **status}
        assert judge(replace(facts, server=replace(facts.server, status=told))) == ()
        assert judge(replace(facts, server=replace(facts.server, earlier=told))) == ()
    alone = replace(facts, server=ServerFacts("not-running"))
    assert {finding.severity for finding in judge(alone)} == {Severity.NOTE}


def test_what_could_not_be_asked_is_noted(with_pbx: Change) -> None:
    found = judge(with_pbx(queues=None, contexts={}, devices={}))
    assert {finding.code for finding in found} == {FindingCode.NOT_LOOKED}
    assert {finding.severity for finding in found} == {Severity.NOTE}
    assert {finding.where for finding in found} == {"queues", "dialplan", "phones"}


# -- files --------------------------------------------------------------------------------------------------


def test_files_that_the_servers_user_cannot_read(facts: Facts) -> None:
    user = SystemUser("astcti", 100, frozenset({100}))
    path = Path("/etc/astcti/server.xml")

    def told(closed: str) -> str:
        files = replace(facts.files, server_user=user, files=(LookedAtFile(path, "settings", closed),))
        return only(replace(facts, files=files)).todo

    assert told(str(path)) == f"chown root:astcti {path}; chmod g+r {path}"
    assert "chmod g+rx /etc/astcti" in told("/etc/astcti")
    assert "elsewhere" in told("/etc")


def test_without_a_valid_configuration_that_is_what_is_said(facts: Facts) -> None:
    files = FileFacts(Path("/etc/astcti"), problems=(Problem("server.xml", 3, "it is wrong"),))
    found = only(replace(facts, files=files, manager=None))
    assert (found.code, found.where, found.what) == (
        FindingCode.CONFIGURATION_INVALID,
        "server.xml:3",
        "it is wrong",
    )


# -- what is printed ----------------------------------------------------------------------------------------


def test_the_exit_code_is_that_of_the_worst(facts: Facts, with_manager: Change, with_server: Change) -> None:
    def code(facts: Facts) -> int:
        return exit_code(Diagnosis(judge(facts), "", facts))

    assert code(facts) == 0
    assert code(replace(facts, server=ServerFacts("not-running"))) == 0
    assert code(with_server(seen={"user": 0})) == 1
    assert code(with_manager(stage="login", failure="no")) == 2


def test_a_line_is_one_line_whatever_is_in_a_name(with_pbx: Change) -> None:
    facts = with_pbx(members=(member("Local/201@\x1b[31m\nERROR"),))
    lines = list(lines_of(Diagnosis(judge(facts), "[astcti]\nread = call\n", facts)))
    assert lines[0].startswith("WARNING  queue sales: Local/201@\\x1b[31m\\nERROR")
    assert lines[-1] == "0 errors, 1 warning, 0 notes"
    assert "    read = call" in lines


def test_the_json_has_everything(with_server: Change) -> None:
    facts = with_server(seen={"user": 0})
    told = as_document(Diagnosis(judge(facts), "[astcti]\n", facts))
    assert told == {
        "exit_code": 1,
        "findings": [
            {
                "code": "server-root",
                "severity": "warning",
                "where": "the running server",
                "what": "it runs as root",
                "todo": "It needs no such rights: let it run as a user of its own (astcti)",
            }
        ],
        "asterisk": "22.5.2",
        "manager": "11.0.0",
        "least_user": "[astcti]\n",
    }
