"""Both sides of SCRAM, against the RFC's example and against another implementation."""

from __future__ import annotations

import base64
import hashlib

import pytest
import scramp

from schemas import scram
from schemas.scram import BadScram, ClientFirst, ScramClient, ScramExchange, ScramKeys
from tests.fake.line_client import md5

SALT = b"0123456789abcdef"
FEW = scram.DERIVED_ITERATIONS
KEYS = scram.derive_keys(md5("rosso"), SALT, FEW)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(message: str) -> str:
    return base64.b64decode(message, validate=True).decode()


def client(password: str = "rosso", username: str = "mario") -> ScramClient:
    return ScramClient(username, lambda salt, count: scram.derive_secret(md5(password), salt, count))


def exchange_with(speaker: ScramClient, keys: ScramKeys = KEYS) -> ScramExchange:
    return ScramExchange(ClientFirst.read(speaker.first()), keys.salt, keys.iterations)


def test_the_example_of_rfc_7677_is_answered_as_it_says() -> None:
    keys = scram.derive_keys("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    first = ClientFirst.read(encoded("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"))
    assert first.username == "user"
    exchange = ScramExchange(first, keys.salt, keys.iterations, r"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    nonce = r"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    assert decoded(exchange.server_first) == f"r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    proof = exchange.read_final(encoded(f"c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))
    assert decoded(proof.answer(keys)) == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


@pytest.mark.parametrize("username", ["mario", "a,b=c", "mario.rossi@example"])
def test_another_implementations_client_logs_in(username: str) -> None:
    other = scramp.ScramClient(["SCRAM-SHA-256"], username, md5("rosso"))
    first = ClientFirst.read(encoded(other.get_client_first()))
    assert first.username == username
    exchange = ScramExchange(first, KEYS.salt, KEYS.iterations)
    other.set_server_first(decoded(exchange.server_first))
    proof = exchange.read_final(encoded(other.get_client_final()))
    other.set_server_final(decoded(proof.answer(KEYS)))  # raises if the server did not prove itself


@pytest.mark.parametrize("username", ["mario", "a,b=c"])
def test_another_implementations_server_lets_the_client_in(username: str) -> None:
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    stored = mechanism.make_auth_info(md5("rosso"), iteration_count=FEW)
    server = mechanism.make_server({username: stored}.__getitem__)
    speaker = client(username=username)
    server.set_client_first(decoded(speaker.first()))
    server.set_client_final(decoded(speaker.final(encoded(server.get_server_first()))))
    assert speaker.server_proved(encoded(server.get_server_final()))


def test_the_stored_keys_are_those_that_another_implementation_makes() -> None:
    other = scramp.ScramMechanism("SCRAM-SHA-256").make_auth_info(md5("x"), iteration_count=5000, salt=SALT)
    assert scram.derive_keys(md5("x").upper(), SALT, 5000) == ScramKeys(5000, SALT, other[1], other[2])


def test_user_names_go_as_they_are_written() -> None:
    for username in ("ª", "Ⅸ", "mario🙂", "è", "e\u0300"):
        assert ClientFirst.read(client(username=username).first()).username == username


def test_a_wrong_password_gets_no_answer_and_a_wrong_server_is_found_out() -> None:
    speaker = client("verde")
    exchange = exchange_with(speaker)
    proof = exchange.read_final(speaker.final(exchange.server_first))
    assert proof.answer(KEYS) == ""
    other_keys = scram.derive_keys(md5("verde"), SALT, FEW)
    assert speaker.server_proved(proof.answer(other_keys))
    pretending = other_keys._replace(server_key=hashlib.sha256(b"guess").digest())
    assert not speaker.server_proved(proof.answer(pretending))


@pytest.mark.parametrize(
    "message", ["", "v=", "no base64", encoded("e=other-error"), encoded("v=AAAA"), encoded("v=!")]
)
def test_a_server_that_proves_nothing_is_found_out(message: str) -> None:
    speaker = client()
    assert not speaker.server_proved(message)  # not even before anything was said
    speaker.final(exchange_with(speaker).server_first)
    assert not speaker.server_proved(message)


def test_a_message_overheard_is_of_no_use_in_another_exchange() -> None:
    speaker = client()
    overheard = speaker.final(exchange_with(speaker).server_first)
    with pytest.raises(BadScram, match="another exchange"):
        exchange_with(speaker).read_final(overheard)


@pytest.mark.parametrize(
    "text",
    [
        "", "n", "n,,", "n,,n=mario", "n,,r=abc,n=mario", "n,,n=,r=abc", "n,,n=mario,r=",
        "n,a=anna,n=mario,r=abc", "x,,n=mario,r=abc", "n,,m=x,n=mario,r=abc", "n,,n=a=b,r=abc",
        "n,,n=mario,r=a b", "n,,n=mario,r=abc,",
    ],
)  # fmt: skip
def test_what_is_no_first_message_of_a_client_is_refused(text: str) -> None:
    with pytest.raises(BadScram):
        ClientFirst.read(encoded(text))


@pytest.mark.parametrize("message", ["n,,n=mario,r=abc", "é", "AAA", "////"])
def test_what_is_no_base64_of_utf_8_is_refused(message: str) -> None:
    with pytest.raises(BadScram):
        ClientFirst.read(message)
    with pytest.raises(BadScram):
        exchange_with(client()).read_final(message)
    with pytest.raises(BadScram):
        client().final(message)


def test_a_client_that_insists_on_channel_binding_hears_so() -> None:
    with pytest.raises(scram.ChannelBindingWanted):
        ClientFirst.read(encoded("p=tls-exporter,,n=mario,r=abc"))
    assert ClientFirst.read(encoded("y,,n=mario,r=abc")).header == "y,,"


def test_the_final_message_repeats_the_header_of_the_first() -> None:
    exchange = ScramExchange(ClientFirst.read(encoded("y,,n=mario,r=abc")), SALT, FEW, "def")
    with pytest.raises(BadScram):  # somebody in between changed "y" into "n", or the client is wrong
        exchange.read_final(encoded("c=biws,r=abcdef,p=" + encoded("x" * 32)))
    exchange.read_final(encoded(f"c={encoded('y,,')},r=abcdef,p=" + encoded("x" * 32)))


def test_a_proof_of_another_length_is_wrong() -> None:
    exchange = ScramExchange(ClientFirst.read(encoded("n,,n=mario,r=abc")), SALT, FEW, "def")
    assert exchange.read_final(encoded("c=biws,r=abcdef,p=" + encoded("x"))).answer(KEYS) == ""


@pytest.mark.parametrize("iterations", ["1", "4096", "9999", "10000001", "0", "-5", "x", "1e9", "9" * 5000])
def test_a_client_computes_neither_too_little_nor_for_ever(iterations: str) -> None:
    speaker = client()
    nonce = ClientFirst.read(speaker.first()).nonce
    with pytest.raises(BadScram):
        speaker.final(encoded(f"r={nonce}more,s={encoded('salt' * 4)},i={iterations}"))


@pytest.mark.parametrize("nonce", ["{}", "x{}more", "other"])
def test_a_client_takes_only_a_nonce_that_continues_its_own(nonce: str) -> None:
    speaker = client()
    own = ClientFirst.read(speaker.first()).nonce
    with pytest.raises(BadScram):
        speaker.final(encoded(f"r={nonce.format(own)},s={encoded('salt' * 4)},i=10000"))


def test_stored_keys_are_read_as_they_were_written() -> None:
    keys = ScramKeys(200_000, SALT, b"s" * 32, b"k" * 32)
    assert scram.parse_stored_keys(str(keys)) == keys
    assert scram.check_stored_keys(str(keys)) == ""


def with_part(number: int, part: str) -> str:
    parts = str(ScramKeys(200_000, SALT, b"s" * 32, b"k" * 32)).split(":")
    parts[number] = part
    return ":".join(parts)


@pytest.mark.parametrize(
    "stored",
    [
        "", "x", "200000", "200000:a:b", with_part(0, "199999"), with_part(0, "10000001"), with_part(0, "-1"),
        with_part(0, "0200000"), with_part(0, "9" * 5000), with_part(1, "c2FsdA=="), with_part(1, "!"),
        with_part(2, "QUJD"), with_part(3, "QUJD"), with_part(3, "x"), with_part(1, encoded("s" * 65)),
    ],
)  # fmt: skip
def test_unusable_stored_keys_are_refused_without_showing_them(stored: str) -> None:
    message = scram.check_stored_keys(stored)
    assert message
    assert encoded("s" * 32) not in message and encoded("k" * 32) not in message
