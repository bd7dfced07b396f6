"""The parts of the matrix that need no Asterisk."""

from pathlib import Path

import pytest

from tests.asterisk.matrix.combinations import UNANSWERED, Combination, combinations
from tests.asterisk.matrix.known import KnownWrong
from tests.asterisk.matrix.recorder import RecordedStream
from tests.asterisk.matrix.run import sample
from tests.asterisk.matrix.sip import SipMessage, media_port, response, sdp, tag_of
from tests.asterisk.matrix.steps import NEXTS, WAYS
from tests.asterisk.matrix.telephones import marked, number_in

INVITE = (
    "INVITE sip:40011@127.0.0.1:5 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1:6;branch=z9hG4bKx\r\n"
    "f: <sip:333@127.0.0.1>;tag=one\r\nTo: <sip:40011@127.0.0.1>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n\r\n"
)


def block(event: str, **fields: str) -> bytes:
    lines = [f"Event: {event}", *(f"{key}: {value}" for key, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_every_combination_has_its_steps_and_a_number_of_three_digits() -> None:
    everything = combinations()
    assert len(everything) > 500
    assert [combination.number for combination in everything] == list(range(len(everything)))
    assert len(everything) <= 1000
    assert {combination.way for combination in everything} <= set(WAYS)
    assert {played.then for played in everything if played.out not in UNANSWERED} <= set(NEXTS)


def test_the_same_seed_chooses_the_same_combinations() -> None:
    assert sample(20, 1) == sample(20, 1) != sample(20, 2)
    assert len(sample(20, 1)) == 20


def test_each_line_of_the_known_wrong_fits_a_combination() -> None:
    everything = combinations()
    for versions, pattern, kind in KnownWrong.read().lines:
        alone = KnownWrong(((versions, pattern, kind),))
        assert any(alone.kind_of(int(versions.split(",")[0]), combination) for combination in everything), (
            pattern
        )


def test_the_first_line_that_fits_says_the_kind_of_a_known_fault(tmp_path: Path) -> None:
    file = tmp_path / "known_wrong.txt"
    file.write_text(
        "# nothing\n\n22 queue.*.talk.* late word\n22,16 queue.* another kind\n", encoding="utf-8"
    )
    known = KnownWrong.read(file)
    talk, hold = (
        Combination(1, "queue", "device", "talk", "caller"),
        Combination(2, "queue", "device", "hold", "caller"),
    )
    assert [known.kind_of(version, talk) for version in (22, 16)] == ["late word", "another kind"]
    assert (known.kind_of(22, hold), known.kind_of(18, hold)) == ("another kind", "")


@pytest.mark.parametrize("number", [1, 0x7F, 0xFF, 895, 0xFFFF])
def test_the_mark_of_a_leg_survives_transcoding_through_linear_sound(number: int) -> None:
    transcoded = marked(number).replace(b"\x7f", b"\xff")  # ulaw has two zeros
    assert number_in(transcoded + b"\xff" * 100) == number
    assert number_in(b"\xff" * 160) == 0


def test_a_response_copies_what_ties_it_to_its_request() -> None:
    invite = SipMessage.parse(INVITE.encode())
    assert (invite.method, invite.user, invite.transaction) == ("INVITE", "40011", ("z9hG4bKx", "INVITE"))
    answer = SipMessage.parse(response(invite, 200, "two", body=sdp(4000)).encoded())
    assert (answer.status, answer.method, answer.transaction) == (200, "INVITE", invite.transaction)
    assert (tag_of(answer.get("from")), tag_of(answer.get("to"))) == ("one", "two")
    assert media_port(answer.body) == 4000


def test_what_is_about_a_combination_is_cut_out_with_the_channels_it_names() -> None:
    ours = block("Newchannel", Channel="PJSIP/40071-1", Uniqueid="1.5", Linkedid="1.4")
    caller = block("VarSet", Channel="PJSIP/trunk-1", Uniqueid="1.4", Linkedid="1.4")
    other = block("Newchannel", Channel="PJSIP/40081-1", Uniqueid="1.7", Linkedid="1.7")
    stream = RecordedStream(b"Asterisk Call Manager/11.0.0\r\n" + caller + other + ours)
    about = stream.about(Combination(7, "queue", "device", "talk", "caller"))
    assert about == b"Asterisk Call Manager/11.0.0\r\n" + caller + ours
