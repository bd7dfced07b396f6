"""Clients over TLS, with a certificate made for the test."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from pathlib import Path

import pytest

from astcti_server.clients.listener import ClientListener, ListenError
from schemas.server.settings import ListenSettings
from tests.fake.certificates import make_certificate
from tests.fake.clock import FakeClock
from tests.fake.listening_server import ListeningServer
from tests.fake.patience import until

LONG = b"x" * 9_999 + b"\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture
def listen(certificate: tuple[Path, Path]) -> ListenSettings:
    return ListenSettings(port=0, certificate=str(certificate[0]), key=str(certificate[1]))


@pytest.fixture
def trust(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate[0]))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_over_tls_is_like_any_other(
    listen: ListenSettings, trust: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    trust.minimum_version = trust.maximum_version = version
    with ListeningServer(listen) as server, server.seated(context=trust) as client:
        client.say("NOOP", "PAUSE IN", "NOOP")
        assert client.hear() == "100 OK"
        server.requests.next_request().answer("done", "")
        assert [client.hear(), client.hear()] == ["300 OK", "100 OK"]
        client.say("QUIT")
        assert client.hear_all() == ["900 OK"]


def test_a_client_over_tls_that_reads_late_gets_every_line_in_order(
    listen: ListenSettings, trust: ssl.SSLContext
) -> None:
    with (
        ListeningServer(listen, outbox=50_000_000) as server,
        server.seated(context=trust, receive_buffer=4096) as late,
    ):
        lines = [b"%d " % number + LONG for number in range(1000)]
        for line in lines:
            assert server.announce("PJSIP/201", line)
        late.say(*["NOOP"] * 5)
        heard = [late.hear_bytes() + b"\n" for _ in range(len(lines) + 5)]
        assert [line for line in heard if line != b"100 OK\n"] == lines
        assert heard.count(b"100 OK\n") == 5


def test_reading_and_writing_at_the_same_time_over_tls_loses_nothing(
    listen: ListenSettings, trust: ssl.SSLContext
) -> None:
    with ListeningServer(listen, outbox=50_000_000) as server, server.seated(context=trust) as client:

        def announce() -> None:
            for number in range(3000):
                server.announce("PJSIP/201", b"%d " % number + b"y" * 500 + b"\n")

        announcer = threading.Thread(target=announce)
        announcer.start()
        announced = answered = 0
        for _ in range(300):
            client.say(*["NOOP"] * 10)
            for _ in range(20):
                line = client.hear()
                if line == "100 OK":
                    answered += 1
                else:
                    assert line.startswith(f"{announced} y")
                    announced += 1
        while announced < 3000 or answered < 3000:
            line = client.hear()
            assert line
            announced, answered = (announced, answered + 1) if line == "100 OK" else (announced + 1, answered)
        announcer.join()


def test_a_client_over_tls_that_never_reads_is_cut(listen: ListenSettings, trust: ssl.SSLContext) -> None:
    with ListeningServer(listen, outbox=100_000) as server, server.seated(context=trust, receive_buffer=4096):
        while server.registry.at_extension("PJSIP/201"):
            server.announce("PJSIP/201", LONG)
        assert server.requests.next_departure()[1] is False


def test_lines_that_fill_a_whole_tls_record_are_all_carried_out(
    listen: ListenSettings, trust: ssl.SSLContext
) -> None:
    with ListeningServer(listen) as server, server.seated(context=trust) as client:
        client.say_bytes(b"NOOP\n" * 10_000)
        assert [client.hear() for _ in range(10_000)] == ["100 OK"] * 10_000


def test_who_speaks_plainly_to_a_tls_server_is_closed(
    listen: ListenSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with ListeningServer(listen) as server:
        with server.client() as client:
            client.say("USER mario")
            assert b"100 WELCOME" not in client.hear_bytes()
        with server.client() as client:
            client.close()
    assert "handshake failed" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_handshake_that_is_not_finished_in_time_is_given_up(
    listen: ListenSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = FakeClock()
    with ListeningServer(listen, clock=clock, login_time=0.5) as server, server.client() as client:
        client.say_bytes(b"\x16\x03\x01")
        until(lambda: server.listener.handlers)

        def over() -> bool:
            clock.go_on(0.5)
            server.listener.read_certificate()
            return not server.listener.handlers

        until(over)
        assert client.hear_bytes() == b""
    assert "handshake not finished in time" in caplog.text


def test_an_unfinished_handshake_does_not_hold_up_the_stop(listen: ListenSettings) -> None:
    with ListeningServer(listen) as server, socket.create_connection(("127.0.0.1", server.listener.port)):
        until(lambda: server.listener.handlers)
        assert server.listener.stop() == []


def test_the_stop_says_goodbye_over_tls(listen: ListenSettings, trust: ssl.SSLContext) -> None:
    with ListeningServer(listen) as server, server.seated(context=trust) as client:
        server.listener.stop()
        assert client.hear_all() == ["910 BYE SHUTDOWN the server stops"]


def test_a_new_certificate_is_taken_up_and_a_bad_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = make_certificate(tmp_path, "server")
    listen = ListenSettings(port=0, certificate=str(certificate), key=str(key))
    with ListeningServer(listen) as server:
        make_certificate(tmp_path, "server")
        renewed = ssl.create_default_context(cafile=str(certificate))
        server.listener.read_certificate()
        with server.client(context=renewed) as client:
            assert client.hear() == "100 WELCOME"
        certificate.write_text("rubbish")
        server.listener.read_certificate()
        with server.client(context=renewed) as client:
            assert client.hear() == "100 WELCOME"
    assert "the certificate in use stays" in caplog.text


@pytest.mark.parametrize("broken", ["certificate", "key"])
@pytest.mark.parametrize("how", ["missing", "rubbish"])
def test_a_certificate_that_cannot_be_used_is_named(
    tmp_path: Path, certificate: tuple[Path, Path], broken: str, how: str
) -> None:
    bad = tmp_path / "bad.pem"
    if how == "rubbish":
        bad.write_text("rubbish")
    paths = {"certificate": str(certificate[0]), "key": str(certificate[1]), broken: str(bad)}
    server = ListeningServer()
    server.listener.stop()
    with pytest.raises(ListenError, match=r"bad\.pem"):
        ClientListener(
            ListenSettings(port=0, certificate=paths["certificate"], key=paths["key"]), server.context
        )


def test_a_certificate_and_a_key_may_share_one_file(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(certificate[0].read_bytes() + certificate[1].read_bytes())
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    listen = ListenSettings(port=0, certificate=str(both))
    with ListeningServer(listen) as server, server.client(context=trust) as client:
        assert client.hear_bytes() == b"100 WELCOME"
