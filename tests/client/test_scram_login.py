"""Logging in by SCRAM, and not being talked out of it."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path

import pytest

from astcti_client.net import connection, login_memory
from astcti_client.net.conversation import ServerConversation
from astcti_client.net.login import LoginRefused, PasswordWithheld
from astcti_client.net.login_memory import LoginMemory
from astcti_client.net.messages import ConnectionMessage, Sent, ServerReply
from astcti_client.net.transport import ServerAddress
from astcti_client.password import Password
from astcti_client.settings import Settings
from schemas import scram
from schemas.scram import ClientFirst, ScramExchange, ScramSecret
from tests.client.conftest import Clock
from tests.fake.line_client import md5

CAPABLE = "110 CAPA MAC SCRAM KEEPALIVE=60\n"
SALT = b"0123456789abcdef"
KEYS = scram.derive_keys(md5("test"), SALT, scram.DERIVED_ITERATIONS)
PLACE = "cti.example:5000 mario"


class ScramTalk:
    """A client's conversation, and a server that the test plays."""

    def __init__(self, clock: Clock, memory: LoginMemory | None = None) -> None:
        self.messages: list[ConnectionMessage] = []
        self.conversation = ServerConversation(
            "mario",
            Password.from_text("test"),
            ["00:11:22:33:44:55"],
            deliver=self.messages.append,
            clock=clock,
            protection="plain",
            numbers=itertools.count(1),
            memory=memory,
        )

    def hear(self, text: str) -> list[str]:
        self.conversation.feed(text.encode())
        lines = self.conversation.outgoing.decode().splitlines()
        self.conversation.outgoing.clear()
        return lines

    def lines_shown(self) -> list[str]:
        return [message.line for message in self.messages if isinstance(message, ServerReply)]

    def begin(self) -> ScramExchange:
        """Up to the client's first message."""
        assert self.hear("100 WELCOME\n") == ["CAPA"]
        (line,) = self.hear(CAPABLE)
        assert line.startswith("SCRAM ")
        return ScramExchange(ClientFirst.read(line.removeprefix("SCRAM ")), KEYS.salt, KEYS.iterations)

    def proof(self, exchange: ScramExchange) -> str:
        (line,) = self.hear(f"106 SCRAM {exchange.server_first}\n")
        return line.removeprefix("SCRAM ")

    def log_in(self) -> list[str]:
        """All of it; what the client says next."""
        exchange = self.begin()
        final = exchange.read_final(self.proof(exchange)).answer(KEYS)
        return self.hear(f"102 OK {final}\n")


def kept(tmp_path: Path, *, md5_allowed: bool = False) -> LoginMemory:
    """The memory of a fresh run of the client."""
    file = tmp_path / "data" / "scram-places"
    return LoginMemory(Password.from_text("test"), place=PLACE, file=file, md5_allowed=md5_allowed)


def test_a_server_that_can_is_logged_in_at_by_scram(clock: Clock) -> None:
    talk = ScramTalk(clock)
    assert talk.log_in() == ["MAC 00:11:22:33:44:55"]
    shown = [message.command.line for message in talk.messages if isinstance(message, Sent)]
    assert shown == ["CAPA", "SCRAM ***", "SCRAM ***", "MAC 00:11:22:33:44:55"]


def test_nothing_that_helps_to_guess_the_password_is_shown(clock: Clock) -> None:
    talk = ScramTalk(clock)
    talk.log_in()
    assert talk.lines_shown() == ["100 WELCOME", CAPABLE.strip(), "106 SCRAM ***", "102 OK ***"]


def test_why_a_login_by_scram_was_refused_is_shown(clock: Clock) -> None:
    talk = ScramTalk(clock)
    talk.begin()
    talk.hear("101 KO no SCRAM for this operator: USER and PASS\n")
    assert talk.lines_shown()[-1] == "101 KO no SCRAM for this operator: USER and PASS"


def test_an_operator_for_whom_there_is_no_scram_logs_in_with_the_md5(clock: Clock) -> None:
    talk = ScramTalk(clock)
    talk.begin()
    assert talk.hear("101 KO no SCRAM for this operator: USER and PASS\n") == ["USER mario"]
    assert talk.hear("100 OK\n") == [f"PASS {md5('test')}"]


def test_a_wrong_password_is_refused(clock: Clock) -> None:
    talk = ScramTalk(clock)
    talk.proof(talk.begin())
    with pytest.raises(LoginRefused, match="unknown user or wrong password"):
        talk.hear("101 KO unknown user or wrong password\n")


@pytest.mark.parametrize("final", ["", "dj1BQUFB", "x"])
def test_a_server_that_does_not_know_the_password_is_not_talked_to(clock: Clock, final: str) -> None:
    talk = ScramTalk(clock)
    talk.proof(talk.begin())
    with pytest.raises(PasswordWithheld, match="did not prove"):
        talk.hear(f"102 OK {final}\n")


def test_a_server_that_wants_a_proof_which_is_easy_to_guess_by_gets_none(clock: Clock) -> None:
    talk = ScramTalk(clock)
    first = talk.begin().server_first
    easy = base64.b64decode(first).replace(b"i=10000", b"i=1")
    with pytest.raises(PasswordWithheld, match="not to be trusted"):
        talk.hear(f"106 SCRAM {base64.b64encode(easy).decode()}\n")


@pytest.mark.parametrize(
    "answers",
    [["110 CAPA MAC KEEPALIVE=60\n"], [CAPABLE, "101 KO no SCRAM for this operator: USER and PASS\n"]],
    ids=["no SCRAM in CAPA", "no SCRAM for the operator"],
)
def test_where_scram_was_taken_once_the_md5_is_withheld(
    clock: Clock, tmp_path: Path, answers: list[str]
) -> None:
    ScramTalk(clock, kept(tmp_path)).log_in()
    for memory, withheld in (
        (kept(tmp_path), True),
        (kept(tmp_path, md5_allowed=True), False),
        (LoginMemory(Password.from_text("test"), place="elsewhere:5000 mario"), False),
    ):
        talk = ScramTalk(clock, memory)
        talk.hear("100 WELCOME\n")
        for answer in answers[:-1]:
            talk.hear(answer)
        if withheld:
            with pytest.raises(PasswordWithheld, match="allow-md5 = true"):
                talk.hear(answers[-1])
            assert md5("test") not in talk.conversation.outgoing.decode()
        else:
            assert talk.hear(answers[-1]) == ["USER mario"]


@pytest.mark.parametrize("end", ["\u2028", "\x85", "\x0b"])
def test_a_name_with_another_end_of_line_in_it_is_remembered(tmp_path: Path, end: str) -> None:
    place, file = f"cti.example:5000 ma{end}rio", tmp_path / "scram-places"
    LoginMemory(Password.from_text("test"), place=place, file=file).scram_taken()
    assert not LoginMemory(Password.from_text("test"), place=place, file=file).may_send_md5()


def test_the_same_run_remembers_without_a_file(clock: Clock) -> None:
    memory = LoginMemory(Password.from_text("test"))
    ScramTalk(clock, memory).log_in()
    talk = ScramTalk(clock, memory)
    talk.hear("100 WELCOME\n")
    with pytest.raises(PasswordWithheld):
        talk.hear("110 CAPA\n")


def test_a_server_that_failed_to_prove_itself_is_not_remembered(clock: Clock, tmp_path: Path) -> None:
    talk = ScramTalk(clock, kept(tmp_path))
    talk.proof(talk.begin())
    with pytest.raises(PasswordWithheld):
        talk.hear("102 OK x\n")
    assert kept(tmp_path).may_send_md5()


def test_each_place_is_written_once_and_no_secret_is_in_the_file(clock: Clock, tmp_path: Path) -> None:
    for _ in range(2):
        ScramTalk(clock, kept(tmp_path)).log_in()
    assert (tmp_path / "data" / "scram-places").read_text(encoding="utf-8") == f"{PLACE}\n"


def test_a_file_that_cannot_be_written_hinders_no_log_in(
    clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").write_bytes(b"")  # no directory
    assert ScramTalk(clock, kept(tmp_path)).log_in()
    assert "cannot be written" in caplog.text


def test_the_keys_are_computed_once_for_a_salt_and_a_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def derive(md5_hex: str, salt: bytes, iterations: int) -> ScramSecret:
        made.append(salt)
        return ScramSecret(salt, salt)

    monkeypatch.setattr(login_memory, "derive_secret", derive)
    memory = LoginMemory(Password.from_text("test"))
    for number in [*range(20), 19, 18]:
        memory.secret(bytes([number]), 10_000)
    assert len(made) == 20
    memory.secret(b"\0", 10_000)
    assert len(made) == 21


@pytest.mark.parametrize(
    ("tls", "verify", "allow_md5", "sent"),
    [
        (False, True, False, False),
        (True, False, False, False),
        (True, True, False, True),
        (False, True, True, True),
    ],
)
def test_the_md5_goes_to_a_checked_server_or_where_it_is_allowed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tls: bool, verify: bool, allow_md5: bool, sent: bool
) -> None:
    monkeypatch.setattr(connection, "scram_places_file", lambda: tmp_path / "scram-places")
    settings = Settings(user="mario", tls=tls, verify=verify, allow_md5=allow_md5)
    memory = connection.memory_for(ServerAddress("h", 5000), settings, Password.from_text("test"))
    memory.scram_taken()
    assert memory.may_send_md5() is sent
    assert (tmp_path / "scram-places").read_text(encoding="utf-8") == "h:5000 mario\n"


@pytest.mark.parametrize("kept", [b"", b"other:1 anna\n", b"other:1 an", b"\xff"])
def test_where_scram_was_taken_is_known_though_the_line_before_was_cut(tmp_path: Path, kept: bytes) -> None:
    file = tmp_path / "scram-places"
    file.write_bytes(kept)
    known = LoginMemory(Password.from_text("test"), place=PLACE, file=file)
    assert known.may_send_md5()
    known.scram_taken()
    assert not LoginMemory(Password.from_text("test"), place=PLACE, file=file).may_send_md5()
    assert file.read_bytes().startswith(kept)
