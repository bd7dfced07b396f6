"""Facts of an installation with nothing wrong, to be changed by a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astcti_server.demo.pbx import DemoPbx
from astcti_server.doctor.asterisk_conf import AsteriskConf
from astcti_server.doctor.facts import Facts, FileFacts, ManagerFacts, PbxFacts, ServerFacts
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.server.settings import AmiSettings, ServerSettings
from schemas.version import VERSION

NOW = 1_800_000_000.0
CONFIGURATION = Configuration(
    services=(
        Service(
            "Demo",
            "incoming",
            "inbound",
            is_queue=True,
            queue_name="Sales",
            variables=("calldata",),
            triggers=(Trigger("browser", on="ring", url="https://crm.example/"),),
            operators=(Binding("mario"),),
        ),
    ),
    seats=(Seat("00:00:00:00:02:01", "SIP/201", "SIP/201"),),
    operators=(Operator("mario", "Mario Rossi", "md5:0"),),
)
EVENTS = frozenset({"FullyBooted", "Newchannel", "VarSet", "QueueMemberAdded"})
ACTIONS = frozenset(
    [
        "ping",
        "logoff",
        "status",
        "hangup",
        "redirect",
        "originate",
        "showdialplan",
        "queueadd",
        "queueremove",
        "queuepause",
        "queuestatus",
        "getvar",
        "getconfig",
        "bridge",
        "atxfer",
    ]
)
STATUS: dict[str, Any] = {
    "version": VERSION,
    "stuck": [],
    "state_directory": {"error": ""},
    "ami": {"state": "up", "reason": "", "lacking": [], "manager": "11.0.0"},
    "queues": [],
    "sessions": [],
}
MANAGER_CONF = AsteriskConf(
    "manager.conf (GetConfig)",
    {"general": (), "astcti": (("read", "all"), ("write", "all"), ("writetimeout", "5000"))},
)
QUEUES_CONF = AsteriskConf("queues.conf (GetConfig)", {"general": (), "Sales": (("ringinuse", "no"),)})

FEATURES_CONF = AsteriskConf("features.conf (GetConfig)", {"featuremap": (("atxfer", "*2"),)})


def clean() -> Facts:
    """Asterisk 22, a running server, and nothing to complain about."""
    settings = ServerSettings(AmiSettings("astcti", "secret"))
    ami, listen = settings.ami, settings.listen
    seen = {
        "events": [],
        "refusals": [],
        "ami": {"host": ami.host, "port": ami.port, "username": ami.username},
        "listen": {"address": listen.address, "port": listen.port},
        "metrics": None,
        "user": 100,
        "groups": [100],
        "descriptors": 65536,
    }
    return Facts(
        NOW,
        FileFacts(
            Path("/etc/astcti"), Path("/etc/astcti/c.xml"), settings=settings, configuration=CONFIGURATION
        ),
        ServerFacts("running", "", Path("/run/astcti/control.sock"), STATUS, seen, STATUS),
        ManagerFacts(
            stage="up",
            own_address="127.0.0.1",
            manager="11.0.0",
            version="22.5.2",
            actions=ACTIONS,
            events=EVENTS,
            clock_ahead=0.01,
            manager_conf=MANAGER_CONF,
            queues_conf=QUEUES_CONF,
            features_conf=FEATURES_CONF,
            pbx=PbxFacts(
                queues=frozenset({"sales"}), contexts={"incoming": True}, devices={"SIP/201": "UNAVAILABLE"}
            ),
        ),
    )


@pytest.fixture
def pbx() -> Iterator[DemoPbx]:
    """A PBX of its own for each test."""
    with DemoPbx() as running:
        yield running


@pytest.fixture
def facts() -> Facts:
    return clean()


Change = Callable[..., Facts]


@pytest.fixture
def with_manager(facts: Facts) -> Change:
    """The facts with others of the manager session."""

    def change(**changed: Any) -> Facts:
        assert facts.manager is not None
        return replace(facts, manager=replace(facts.manager, **changed))

    return change


@pytest.fixture
def with_pbx(facts: Facts, with_manager: Change) -> Change:
    """The facts with others of the PBX."""

    def change(**changed: Any) -> Facts:
        assert facts.manager is not None
        return with_manager(pbx=replace(facts.manager.pbx, **changed))

    return change


@pytest.fixture
def with_server(facts: Facts) -> Change:
    """The facts with another answer of the running server, by field of STATUS and of SEEN."""

    def change(status: dict[str, Any] | None = None, seen: dict[str, Any] | None = None) -> Facts:
        server = facts.server
        told = {**server.status, **(status or {})}
        return replace(
            facts, server=replace(server, status=told, earlier=told, seen={**server.seen, **(seen or {})})
        )

    return change
