"""What the dialplan has at the target of a transfer, asked of a manager interface that answers as told."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from astcti_server import transfer_target
from astcti_server.ami.requests import AmiRequests
from astcti_server.transfer_target import MOST_CONTEXTS, TransferTarget, TransferTargetCheck
from tests.fake.asterisk import FakeAsterisk, Headers, block, response
from tests.fake.link_listener import FakeListener
from tests.fake.patience import PATIENCE
from tests.fake.running_link import running

Entries = tuple[tuple[tuple[str, str], ...], ...]


class Dialplan:
    """Answers ShowDialPlan as Asterisk 16 and 22 do."""

    def __init__(self, **contexts: list[str]) -> None:
        """What is in each context: numbers, `include NAME`, `switch WHAT`."""
        self._contexts = contexts
        self.asked: list[str] = []

    def __call__(self, action: Headers) -> bytes:
        context, exten = action["Context"], action.get("Extension", "")
        self.asked.append(context)
        if context not in self._contexts:
            return response(action, "Error", f"Did not find context {context}")
        entries, found = self._entries(context, exten, included=False)
        listed = [
            block(("Event", "ListDialplan"), ("ActionID", action["ActionID"]), *each) for each in entries
        ]
        start = response(action, "Success", "DialPlan list will follow", ("EventList", "start"))
        answer = b"".join([start, *listed]) if listed else b""
        if exten and not found:
            return answer + response(action, "Error", f"Did not find extension {exten}@{context}")
        end = block(("Event", "ShowDialPlanComplete"), ("ActionID", action["ActionID"]))
        return (answer or start) + end

    def _entries(
        self, context: str, exten: str, *, included: bool, met: tuple[str, ...] = ()
    ) -> tuple[Entries, bool]:
        entries: Entries = ()
        found = False
        for line in self._contexts.get(context, []):
            kind, _, what = line.rpartition(" ")
            if not kind and exten in ("", what):
                found = True
                entries += ((("Context", context), ("Extension", what), ("Priority", "1")),)
            elif kind == "switch" and not included:
                entries += ((("Context", context), ("Switch", what)),)
            elif kind == "include" and exten and what not in met:
                more, there = self._entries(what, exten, included=True, met=(*met, context))
                entries, found = entries + more, found or there
            elif kind == "include" and not exten:
                entries += ((("Context", context), ("IncludeContext", what)),)
        return entries, found


@pytest.fixture
def asterisk() -> Iterator[FakeAsterisk]:
    with FakeAsterisk() as fake:
        yield fake


def check(asterisk: FakeAsterisk, context: str, exten: str) -> TransferTarget:
    """Ask once, on the AMI thread; nothing more may be told afterwards."""
    told: queue.Queue[TransferTarget] = queue.Queue()
    listener = FakeListener()
    with running(asterisk.port, listener) as ami:
        listener.next("up")
        requests: AmiRequests = ami.requests
        requests.post(lambda: _begin(requests, context, exten, told))
        answer = told.get(timeout=PATIENCE)
    assert told.empty()
    return answer


def _begin(requests: AmiRequests, context: str, exten: str, told: queue.Queue[TransferTarget]) -> None:
    TransferTargetCheck(requests, context, exten, told.put)


@pytest.mark.parametrize(
    ("context", "exten", "target"),
    [
        ("phones", "201", TransferTarget.THERE),
        ("phones", "777", TransferTarget.MISSING),
        ("nowhere", "201", TransferTarget.MISSING),
        ("all", "201", TransferTarget.THERE),
        ("all", "777", TransferTarget.MISSING),
        ("realtime", "777", TransferTarget.UNKNOWN),
        ("realtime", "202", TransferTarget.THERE),
        ("behind", "777", TransferTarget.UNKNOWN),
        ("circle", "777", TransferTarget.MISSING),
    ],
)
def test_what_the_dialplan_says_of_a_target(
    asterisk: FakeAsterisk, context: str, exten: str, target: TransferTarget
) -> None:
    asterisk.answers["ShowDialPlan"] = Dialplan(
        phones=["201"],
        all=["include phones", "include undefined"],
        realtime=["202", "switch Realtime/numbers"],
        behind=["include all", "include realtime"],
        circle=["include round"],
        round=["include circle"],
    )
    assert check(asterisk, context, exten) is target


def test_not_every_context_of_a_large_dialplan_is_looked_into(asterisk: FakeAsterisk) -> None:
    chain = {f"c{number}": [f"include c{number + 1}"] for number in range(100)}
    dialplan = asterisk.answers["ShowDialPlan"] = Dialplan(**chain)
    assert check(asterisk, "c0", "777") is TransferTarget.UNKNOWN
    assert len(dialplan.asked) <= MOST_CONTEXTS + 1


@pytest.mark.parametrize(
    "message", ["Permission denied", "Invalid/unknown command: ShowDialPlan", "Something else"]
)
def test_an_asterisk_that_does_not_tell_leaves_the_target_unknown(
    asterisk: FakeAsterisk, message: str
) -> None:
    asterisk.answers["ShowDialPlan"] = lambda action: response(action, "Error", message)
    assert check(asterisk, "phones", "201") is TransferTarget.UNKNOWN


def test_an_asterisk_that_is_silent_leaves_the_target_unknown(
    asterisk: FakeAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_target, "CHECK_WITHIN", 0.05)
    asterisk.answers["ShowDialPlan"] = lambda action: b""
    assert check(asterisk, "phones", "201") is TransferTarget.UNKNOWN
