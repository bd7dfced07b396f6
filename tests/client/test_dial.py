"""Numbers as people write them, and their way to the running client and the server."""

from __future__ import annotations

import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astcti_client.hand_over.requests import DialReply, NoHandOver
from astcti_client.hand_over.unix_socket import HandOverSocket, hand_over_by_socket
from astcti_client.phone_number import LONGEST_NUMBER, clean_number
from tests.client.conftest import Program, log_in
from tests.fake.cti_server import CtiServer
from tests.fake.patience import PATIENCE


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0551234", "0551234"),
        ("  +39 (055) 123-45.67 ", "+390551234567"),
        ("+49 (0)551 1234", "+495511234"),
        ("(0)551 1234", "05511234"),
        ("+39 (0)55 1234", "+390551234"),
        ("tel:+39-(0)55-1234", "+390551234"),
        ("+378 (0)549 12345", "+378054912345"),
        ("+390 (0)1", "+3901"),
        ("055/12 34", "0551234"),
        ("\u202a+39\u00a0055\u20111234\u202c", "+390551234"),
        ("tel:+39-055-1234", "+390551234"),
        ("TEL:%2B39%20055;phone-context=example.com", "+39055"),
        ("callto://0551234", "0551234"),
        ("callto:0551234?call", "0551234"),
        ("sip:0551234@pbx.example;transport=tcp", "0551234"),
        ("sips:201@[::1]", "201"),
        ("*72#", "*72#"),
    ],
)
def test_numbers_are_understood_as_people_write_them(text: str, number: str) -> None:
    assert clean_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "+",
        "0800-FLOWERS",
        "055x12",
        "sip:mario@pbx.example",
        "tel:",
        "http://0551234",
        "--help",
        "1+2",
        "++39",
        "12\n34x",
        "1;2",
        "1@2",
        "1,2",
        "٣٤٥",
        "1" * (LONGEST_NUMBER + 1),
        "${EXTEN}",
        "1&2",
        "1\0002",
        "-",
        "file:1",
    ],
)
def test_what_is_not_clearly_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="telephone number"):
        clean_number(text)


@given(st.text())
def test_whatever_is_pasted_only_digits_stars_and_hashes_come_out(text: str) -> None:
    for pasted in (text, "tel:" + text, "+" + text):
        try:
            number = clean_number(pasted)
        except ValueError:
            continue
        assert re.fullmatch(r"\+?[0-9*#]{1,40}", number, re.ASCII)
        assert clean_number(number) == number


@given(st.from_regex(r"\+?[1-9*#]{1,30}", fullmatch=True), st.data())
def test_separators_never_change_a_number(number: str, data: st.DataObject) -> None:
    separators = st.text(" .-()[]/\u00a0\u2013\u200b", max_size=2)
    assert clean_number("".join(digit + data.draw(separators) for digit in number)) == number


# --- the way to the running client ---


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "run" / "client.sock"


@pytest.fixture
def listen(place: Path) -> Iterator[Callable[..., HandOverSocket]]:
    listeners: list[HandOverSocket] = []

    def start(dial: Callable[[str, DialReply], None]) -> HandOverSocket:
        listeners.append(HandOverSocket(place, dial))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.close()


def test_a_number_reaches_the_running_client_and_its_answer_comes_back(
    place: Path, listen: Callable[..., HandOverSocket]
) -> None:
    asked = []

    def dial(number: str, reply: DialReply) -> None:
        asked.append(number)
        reply("" if number == "0551234" else "the line is busy")

    listen(dial)
    hand_over_by_socket(place, "0551234")
    with pytest.raises(NoHandOver, match="the line is busy"):
        hand_over_by_socket(place, "0559999")
    assert asked == ["0551234", "0559999"]


def test_nobody_else_may_enter(place: Path, listen: Callable[..., HandOverSocket]) -> None:
    listen(lambda _number, reply: reply(""))
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    place.parent.chmod(0o755)
    with pytest.raises(NoHandOver, match="closed to everyone else"):
        hand_over_by_socket(place, "1")


def test_only_one_client_listens(listen: Callable[..., HandOverSocket]) -> None:
    listen(lambda _number, reply: reply(""))
    with pytest.raises(NoHandOver, match="another client"):
        listen(lambda _number, reply: reply(""))


def test_a_socket_left_by_a_crash_is_replaced(place: Path, listen: Callable[..., HandOverSocket]) -> None:
    place.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    with pytest.raises(NoHandOver, match="no client is running"):
        hand_over_by_socket(place, "1")
    listen(lambda _number, reply: reply(""))
    hand_over_by_socket(place, "1")


def test_without_a_client_this_is_said(place: Path) -> None:
    with pytest.raises(NoHandOver, match="no client is running"):
        hand_over_by_socket(place, "1")


@pytest.mark.parametrize("sent", [b"\n", b"QUIT\n", b"1 ORIG 2\n", b"1" * 2000, b"", b"\xff\n", b"12"])
def test_what_else_comes_through_the_socket_is_not_dialled(
    place: Path, listen: Callable[..., HandOverSocket], sent: bytes
) -> None:
    asked: list[str] = []

    def dial(number: str, reply: DialReply) -> None:
        asked.append(number)
        reply("")

    listen(dial)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(place))
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1024)
    assert asked == []


def test_the_command_dials_through_the_running_client(
    server: CtiServer, headless: Callable[..., Program], environ: dict[str, str]
) -> None:
    program = headless()
    peer = log_in(server, program)
    with subprocess.Popen(
        [sys.executable, "-m", "astcti_client", "dial", "tel:+39-055-1234"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environ,
    ) as dial:
        peer.expect("ORIG +390551234 outbound 1")
        peer.say("100 OK")
        assert dial.communicate(timeout=PATIENCE)[0] == "calling +390551234\n"
        assert dial.returncode == 0
    program.line("-- asked to call +390551234")


def test_a_refused_call_is_told_to_the_one_who_dials(
    server: CtiServer, headless: Callable[..., Program], environ: dict[str, str]
) -> None:
    peer = log_in(server, headless())
    with subprocess.Popen(
        [sys.executable, "-m", "astcti_client", "dial", "055 1234"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environ,
    ) as dial:
        peer.expect("ORIG 0551234 outbound 1")
        peer.say("101 KO PBX down")
        assert "PBX down" in dial.communicate(timeout=PATIENCE)[0]
        assert dial.returncode == 1


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [("0800-FLOWERS", 2, "not a telephone number"), ("055", 1, "no client is running")],
)
def test_dialling_in_vain_is_explained(
    run: Callable[..., Program], number: str, code: int, words: str
) -> None:
    assert run("dial", number).end()[0] == code
    assert words in run("dial", number).end()[1]
