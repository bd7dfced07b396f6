"""Logging in by SCRAM: the same rules as by USER and PASS, and nothing on the wire that logs somebody in."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import logging
from collections.abc import Callable, Iterator

import pytest

from astcti_server.clients.password_checks import scram_keys
from astcti_server.clients.password_checks.scram_keys import ScramDirectory
from schemas import passwords, scram
from schemas.configuration.model import Configuration, Operator
from schemas.passwords import StoredForms
from schemas.scram import ScramKeys
from tests.fake.clock import FakeClock
from tests.fake.line_client import LineClient, md5, scram_speaker
from tests.fake.listening_server import ANNA, CONFIGURATION, LUCA, MARIO, SEAT_1, SEAT_2, ListeningServer
from tests.fake.patience import PATIENCE

WRONG = "101 KO unknown user or wrong password"
FORMS: StoredForms = passwords.make_stored_forms("rosso")
STORED = dataclasses.replace(MARIO, password=FORMS.password, scram=FORMS.scram)
SCRYPT_ALONE = dataclasses.replace(MARIO, password=FORMS.password)


def with_operators(*operators: Operator) -> Configuration:
    return dataclasses.replace(CONFIGURATION, operators=operators)


@pytest.fixture
def server() -> Iterator[ListeningServer]:
    with ListeningServer() as listening:
        yield listening


def welcomed(server: ListeningServer) -> LineClient:
    client = server.client()
    assert client.hear() == "100 WELCOME"
    return client


def asked(server: ListeningServer, username: str) -> tuple[str, str]:
    """Salt and iterations that the server answers with."""
    with welcomed(server) as client:
        message = base64.b64decode(client.begin_scram(scram_speaker(username, "x"))).decode()
    _, salt, iterations = message.split(",")
    return salt, iterations


@pytest.mark.parametrize("mario", [MARIO, STORED], ids=["md5", "scrypt and scram"])
def test_the_right_password_logs_in_and_seats_the_operator(server: ListeningServer, mario: Operator) -> None:
    server.requests.in_force = with_operators(mario, ANNA)
    with welcomed(server) as client:
        assert client.log_in_by_scram("mario", "rosso") == "102 OK"
        presence = server.requests.next_arrival()
        assert (presence.username, presence.extension) == ("mario", "PJSIP/201")
        assert client.ask("SCRAM x") == "101 KO already logged in"


def test_stored_keys_cost_the_server_no_slow_computing(
    server: ListeningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.requests.in_force = with_operators(STORED)
    slow: list[str] = []
    for name in ("scrypt", "pbkdf2_hmac"):
        monkeypatch.setattr(hashlib, name, _counting(slow, name))
    with welcomed(server) as client:
        assert client.log_in_by_scram("mario", "rosso") == "102 OK"
    assert slow == ["pbkdf2_hmac"]  # the client's own


def _counting(slow: list[str], name: str) -> Callable[..., bytes]:
    real = getattr(hashlib, name)

    def compute(*args: object, **kwargs: object) -> bytes:
        slow.append(name)
        found: bytes = real(*args, **kwargs)
        return found

    return compute


def test_the_keys_of_an_md5_password_are_made_once(
    server: ListeningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    derive = scram.derive_keys

    def counted(md5_hex: str, salt: bytes, iterations: int) -> ScramKeys:
        made.append(iterations)
        return derive(md5_hex, salt, iterations)

    monkeypatch.setattr(scram_keys, "derive_keys", counted)
    for _ in range(3):
        with welcomed(server) as client:
            assert client.log_in_by_scram("mario", "rosso") == "102 OK"
    assert made == [scram.DERIVED_ITERATIONS]
    for _ in range(3):  # nobody's keys are kept, too: the time of the answer tells nothing
        server.context.login_throttle.succeeded("127.0.0.1", "nobody")
        with welcomed(server) as client:
            assert client.log_in_by_scram("nobody", "rosso") == WRONG
    assert made == [scram.DERIVED_ITERATIONS] * 2


@pytest.mark.parametrize("mario", [MARIO, STORED], ids=["md5", "scrypt and scram"])
@pytest.mark.parametrize("username", ["mario", "nobody", "luca", "MARIO"])
def test_wrong_passwords_unknown_and_disabled_operators_get_the_same_words(
    server: ListeningServer, mario: Operator, username: str
) -> None:
    luca = dataclasses.replace(LUCA, password=mario.password, scram=mario.scram)
    server.requests.in_force = with_operators(mario, luca)
    with welcomed(server) as client:
        password = "rosso" if username == "luca" else "verde"
        assert client.log_in_by_scram(username, password) == WRONG
        assert client.ask("NOOP") == "100 OK"


@pytest.mark.parametrize("mario", [MARIO, STORED], ids=["md5", "scrypt and scram"])
def test_an_unknown_user_gets_a_salt_that_stays_and_the_iterations_of_the_others(
    server: ListeningServer, mario: Operator
) -> None:
    server.requests.in_force = with_operators(mario)
    salt, iterations = asked(server, "nobody")
    assert (salt, iterations) == asked(server, "nobody")
    known_salt, known_iterations = asked(server, "mario")
    assert iterations == known_iterations
    assert len(salt) == len(known_salt)
    assert len({salt, known_salt, asked(server, "somebody")[0]}) == 3


def test_unknown_users_are_of_each_kind_as_often_as_known_ones_and_stay_of_it() -> None:
    operators = [dataclasses.replace(MARIO, username=f"md5-{number}") for number in range(20)]
    operators += [dataclasses.replace(STORED, username=f"scram-{number}") for number in range(20)]
    operators += [dataclasses.replace(SCRYPT_ALONE, username=f"scrypt-{number}") for number in range(60)]
    directory = ScramDirectory(b"k" * 32)

    def kinds(configuration: Configuration) -> list[int]:
        entries = [directory.entry(configuration, f"nobody{number}") for number in range(1000)]
        return [entry.iterations if entry else 0 for entry in entries]

    before = kinds(with_operators(*operators))
    for wanted, iterations in ((200, 10_000), (200, 200_000), (600, 0)):
        assert abs(before.count(iterations) - wanted) < 60
    after = kinds(with_operators(*operators, dataclasses.replace(MARIO, username="one more")))
    assert sum(one != other for one, other in zip(before, after, strict=True)) < 30


def test_salts_outlast_a_restart_and_are_another_servers_own() -> None:
    configuration = with_operators(MARIO)
    entries = [ScramDirectory(key).entry(configuration, "mario") for key in (b"a" * 32, b"a" * 32, b"b" * 32)]
    assert entries[0] == entries[1] != entries[2]


def test_the_salt_of_an_md5_password_tells_nothing_of_it() -> None:
    directory = ScramDirectory(b"k" * 32)
    entries = [
        directory.entry(with_operators(dataclasses.replace(MARIO, password=f"md5:{md5(word)}")), "mario")
        for word in ("rosso", "verde")
    ]
    salts = {entry.salt for entry in entries if entry is not None}
    assert len(salts) == 1


def test_without_stored_keys_a_scrypt_password_takes_user_and_pass(server: ListeningServer) -> None:
    server.requests.in_force = with_operators(SCRYPT_ALONE)
    with welcomed(server) as client:
        for username in ("mario", "nobody"):
            answer = client.ask(f"SCRAM {scram_speaker(username, 'rosso').first()}")
            assert answer == "101 KO no SCRAM for this operator: USER and PASS"
        assert client.ask("USER mario") == "100 OK"
        assert client.ask(f"PASS {md5('rosso')}") == "102 OK"


@pytest.mark.parametrize("message", ["", "x", "a b", "bm9uc2Vuc2U=", "é"])
def test_malformed_messages_are_refused_and_the_right_ones_may_follow(
    server: ListeningServer, message: str
) -> None:
    with welcomed(server) as client:
        assert client.ask(f"SCRAM {message}").startswith("101 KO ")
        by = scram_speaker("mario", "rosso")
        first = client.begin_scram(by)
        assert client.ask(f"SCRAM {message}").startswith("101 KO ")
        assert client.ask(f"SCRAM {by.final(first)}").startswith("102 OK ")


def test_channel_binding_is_refused_in_words(server: ListeningServer) -> None:
    with welcomed(server) as client:
        message = base64.b64encode(b"p=tls-unique,,n=mario,r=abc").decode()
        assert client.ask(f"SCRAM {message}") == "101 KO SCRAM without channel binding only"


def test_a_proof_counts_once_and_for_its_own_exchange(server: ListeningServer) -> None:
    with welcomed(server) as client:
        by = scram_speaker("mario", "verde")
        proof = by.final(client.begin_scram(by))
        assert client.ask(f"SCRAM {proof}") == WRONG
        refused = "101 KO SCRAM takes a message of RFC 5802 in base64"
        assert client.ask(f"SCRAM {proof}") == refused
        client.begin_scram(scram_speaker("mario", "rosso"))
        assert client.ask(f"SCRAM {proof}") == refused


def test_a_second_first_message_begins_anew(server: ListeningServer) -> None:
    with welcomed(server) as client:
        client.begin_scram(scram_speaker("anna", "verde"))
        assert client.log_in_by_scram("mario", "rosso") == "102 OK"


def test_failures_count_for_both_ways_to_log_in() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock, login_failures=2) as server, welcomed(server) as client:
        assert client.log_in_by_scram("nobody", "wrong") == WRONG
        assert client.ask("USER somebody") == "100 OK"
        client.say(f"PASS {md5('wrong')}")
        assert client.hear_all() == [WRONG]
        with welcomed(server) as other:
            by = scram_speaker("somebody", "wrong")
            other.say(f"SCRAM {by.final(other.begin_scram(by))}", "NOOP")
            other.socket.settimeout(0.05)
            with pytest.raises(TimeoutError):  # slowed by the failure of USER and PASS
                other.hear()
            other.socket.settimeout(PATIENCE)
            clock.go_on(10)
            server.listener.limits_changed()
            assert other.hear() == WRONG


def test_a_login_by_scram_takes_the_seat_over_and_a_mac_may_follow(server: ListeningServer) -> None:
    with welcomed(server) as first, welcomed(server) as second:
        assert first.log_in_by_scram("anna", "verde") == "102 OK"
        assert first.ask(f"MAC {SEAT_2}") == "100 OK SIP/202"
        assert second.log_in_by_scram("anna", "verde") == "102 OK"
        assert first.hear_all() == ["910 BYE TAKEOVER anna logged in at 127.0.0.1"]
        assert second.ask(f"MAC {SEAT_1}") == "100 OK PJSIP/201"


def test_while_the_pbx_is_down_it_is_said_after_102(server: ListeningServer) -> None:
    server.requests.up = False
    with welcomed(server) as client:
        assert client.log_in_by_scram("mario", "rosso") == "102 OK"
        assert client.hear() == "901 PBX DOWN"


@pytest.mark.parametrize("mario", [MARIO, STORED], ids=["md5", "scrypt and scram"])
def test_a_password_changed_between_the_two_messages_counts(server: ListeningServer, mario: Operator) -> None:
    server.requests.in_force = with_operators(mario)
    with welcomed(server) as client:
        by = scram_speaker("mario", "rosso")
        final = by.final(client.begin_scram(by))
        fresh = passwords.make_stored_forms("nero", "scrypt" if mario.scram else "md5")
        changed = dataclasses.replace(mario, password=fresh.password, scram=fresh.scram)
        server.requests.in_force = with_operators(changed)
        assert client.ask(f"SCRAM {final}") == WRONG


def test_nothing_that_logs_somebody_in_reaches_the_log(
    server: ListeningServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with welcomed(server) as client:
        by = scram_speaker("mario", "rosso")
        final = by.final(client.begin_scram(by))
        assert client.ask(f"SCRAM {final}").startswith("102 OK ")
    assert final not in caplog.text
    assert by.first() not in caplog.text
