"""`explain`, WHY, `replay --explain` and the client's history say the same of every recorded call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from astcti_client.ui.state import seat_call
from astcti_client.ui.state.verdicts import own_verdict
from astcti_server.call_explanations import CallExplanations
from astcti_server.calls.notification import Notification
from astcti_server.explain.explanations import Explanation
from astcti_server.explain.server_marks import ServerMarks
from astcti_server.replay import Replay
from schemas import event_xml
from schemas.events import CallEvent
from schemas.explanation.codes import Verdict
from schemas.explanation.lines import ExplanationLine, decode, encode, unlisted
from tests.server.explain import answers
from tests.server.explain.conftest import names_heard_in, transcript


class AskedEverywhere:
    """A recorded call, and each of those who may be asked about it."""

    def __init__(self, name: str) -> None:
        recorded = transcript(name)
        self._configuration = answers.configuration_for(name)
        self._told: list[Notification] = []
        replay = Replay(self._configuration, self._told.append)
        replay.feed(recorded)
        marks = ServerMarks()
        marks.configured(self._configuration)
        self._server = CallExplanations(
            lambda work: work(),
            replay.tracker,
            marks,
            lambda: b"Event: VarSet" in recorded or b"Event: Newexten" in recorded,
            lambda: recorded.split(b"\r\n\r\n"),
        )
        self._replayed = replay.calls_so_far(names_heard_in(recorded))

    def of_replay(self) -> Iterator[Explanation]:
        """What `replay --explain` says of each phone that is a seat's."""
        phones = self._configuration.seat_by_extension
        return (answer for answer in self._replayed.explain_all() if answer.phone in phones)

    def of_server(self, phone: str, uniqueid: str) -> Explanation:
        """What `astcti-server explain` says of a leg, perhaps beside the others of its call."""
        return next(
            answer
            for answer in self._server.explain(uniqueid)
            if (answer.phone, answer.uniqueid) == (phone, uniqueid)
        )

    def of_why(self, phone: str, uniqueid: str) -> list[ExplanationLine]:
        """What a client hears that says WHY."""
        found = self._server.explain_leg(phone, uniqueid)
        assert found is not None
        return [decode(encode(line)) for line in found.lines()]

    def of_history(self, phone: str, uniqueid: str) -> ExplanationLine | None:
        """What the client puts into its history by itself; None if it asks the server."""
        heard = list(self._heard(phone, uniqueid))
        if not heard:
            return None
        call = seat_call.begin(heard[0], 0.0)
        for event in heard:
            call = seat_call.follow(call, event, 0.0)
        operator = next(
            one.username
            for one in self._configuration.operators
            if one.seat == self._configuration.seat_by_extension[phone].mac
        )
        said = own_verdict(call, phone, operator, triggers=True, now=0.0, wall=1.0)
        return decode(said) if said else None

    def _heard(self, phone: str, uniqueid: str) -> Iterator[CallEvent]:
        for extension, event in self._told:
            if extension == phone and event.call.uniqueid == uniqueid and seat_call.is_of_a_call(event):
                yield event_xml.decode(event_xml.encode(event).rstrip(b"\n"))


def codes(lines: list[ExplanationLine]) -> list[tuple[str, tuple[str, ...], bool]]:
    """Without times: those of a server are its own."""
    return [(line.code, line.arguments, line.step) for line in lines]


def is_as(why: ExplanationLine, verdict: ExplanationLine) -> bool:
    """Whether a verdict is the same, though WHY does not look through the kept bytes for more contexts."""
    if why.code != verdict.code or why.code != Verdict.NO_SERVICE:
        return codes([why]) == codes([verdict])
    return all(
        set(unlisted(fewer)) <= set(unlisted(more))
        for fewer, more in zip(why.arguments, verdict.arguments, strict=True)
    )


def agreeing(name: str) -> Counter[str]:
    """Ask about every phone of a recording; how often whose answers were compared."""
    asked = AskedEverywhere(name)
    compared: Counter[str] = Counter()
    for replayed in asked.of_replay():
        where = (name, replayed.phone, replayed.uniqueid)
        server = asked.of_server(replayed.phone, replayed.uniqueid)
        # Of a recording that begins within a call the server says that it has not all of it.
        known = [line for line in server.lines() if line.code != Verdict.BYTES_NOT_KEPT]
        assert codes(known) == codes(replayed.lines()), where
        why = asked.of_why(replayed.phone, replayed.uniqueid)
        story = [line for line in why if line.step]
        assert is_as(why[0], replayed.verdict), where
        assert codes(story) == codes(list(replayed.story)), where
        # Of names that nobody declared it may know less.
        assert {line.code for line in why if not line.step} <= {
            replayed.verdict.code,
            *(line.code for line in replayed.odd),
            Verdict.BYTES_NOT_KEPT,
            Verdict.VARIABLE_NEVER_SET,
        }, where
        compared["phones"] += 1
        history = asked.of_history(replayed.phone, replayed.uniqueid)
        if history is None:
            assert replayed.verdict.code != Verdict.POPPED_UP, where
            compared["asks the server"] += 1
        else:
            assert codes([history]) == codes([replayed.verdict]), where
            compared["said by the client"] += 1
        compared[replayed.verdict.code] += 1
    return compared


def test_everybody_says_the_same_of_every_phone_in_every_recorded_call() -> None:
    compared: Counter[str] = Counter()
    for name in answers.recordings():
        compared += agreeing(name)
    assert compared["phones"] >= 180, compared
    assert compared["said by the client"] >= 90, compared
    assert compared["asks the server"] >= 60, compared
    assert len({code for code in compared if code in set(Verdict)}) >= 8, compared
