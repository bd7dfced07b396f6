"""What the window says."""

from __future__ import annotations

import ast
import gettext
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_client import dialler, key_combination, settings_values
from astcti_client.net import connection, conversation
from astcti_client.net.messages import ConnectionState
from astcti_client.triggers import programs, runner
from astcti_client.ui import i18n
from astcti_client.ui.state.seat_state import Pause, SeatQueue
from astcti_client.ui.text import problems, words
from astcti_client.ui.text.refusals import refusal_template
from astcti_client.ui.text.right_to_left import in_drawing_order
from astcti_client.ui.windows.login import parse_server
from schemas import mac_address
from schemas.explanation.codes import Verdict
from schemas.explanation.lines import ExplanationLine
from schemas.explanation.words import NONE, NONE_OF, in_words
from schemas.explanation.words import VALUES as VALUES_IN_WORDS
from schemas.protocol import CommandName, Refusal
from tests.client.ui.tools import catalogue
from tests.fake.patience import PATIENCE

UI = Path(i18n.__file__).parent


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Anna Bianchi", "Anna Bianchi"),
        ("a\x00b\tc\nd\u2028e", "a b c d e"),
        ("\u202egnp.exe\u2066x", "gnp.exex"),
        ("محمد علي", "محمد علي"),
        ("   ", ""),
    ],
)
def test_strangers_texts_become_one_harmless_line(text: str, wanted: str) -> None:
    assert words.displayable(text) == wanted


def test_a_very_long_text_is_cut() -> None:
    assert len(words.displayable("x" * 10_000)) == words.LONGEST_SHOWN
    assert words.displayable("x" * 10_000).endswith("…")


@pytest.mark.parametrize(
    ("seconds", "wanted"), [(-1, "0:00"), (7.9, "0:07"), (754, "12:34"), (3723, "1:02:03")]
)
def test_durations(seconds: float, wanted: str) -> None:
    assert words.clock_text(seconds) == wanted


@pytest.mark.parametrize(
    ("detail", "part"),
    [
        ("the server refused the log-in of mario: unknown user or wrong password", "User name or password"),
        ("the server refused the log-in of mario: this is not your seat", "somebody else"),
        (
            "cti.example:5000 refuses connections: no AsteriskCTI server runs there; next attempt in 1.0 s",
            "No AsteriskCTI",
        ),
        ("the name nowhere is not known (Name or service not known); check host", "no server named nowhere"),
        ("the certificate of cti.example:5000 is not trusted: self-signed certificate; if", "not trusted"),
        ("cti.example:5000 does not answer within 10 s; check host, port, firewalls", "cannot be reached"),
        (
            "cti.example:5000 does not answer in TLS: it may be waiting for Asterisk (if that goes on, ...)",
            "The server is there but does not answer. It may be waiting for the telephone system.",
        ),
        ("cti.example:5000 does not speak TLS on this port; switch tls off", "does not speak TLS"),
        ("the server refused the log-in of mario: too many failed logins: try again in 8 s", "in 8 s"),
        ("the connection to cti.example:5000 would not be encrypted: whoever", "Use encryption (TLS)"),
    ],
)
def test_what_is_wrong_with_the_connection_is_said_in_plain_words(detail: str, part: str) -> None:
    i18n.use_language("en")
    assert part in problems.problem_text(ConnectionState("waiting", detail))


def test_an_unknown_problem_is_shown_as_it_is() -> None:
    state = ConnectionState("waiting", "something new; next attempt in 2.5 s")
    assert problems.problem_text(state) == "something new"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("cti.example", ("cti.example", 5000)),
        ("cti.example:6000", ("cti.example", 6000)),
        ("[::1]:6000", ("::1", 6000)),
        ("::1", ("::1", 5000)),
        (" 10.0.0.1 ", ("10.0.0.1", 5000)),
    ],
)
def test_a_server_is_written_as_name_or_name_and_port(text: str, wanted: tuple[str, int]) -> None:
    assert parse_server(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "a b", "http://cti", "cti:", "cti:x", "cti:0", "cti:70000", "[::1", "me@cti"]
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_server(text)


# --- translations ---


SAYING = [
    Path(str(module.__file__))
    for module in (
        connection,
        conversation,
        dialler,
        key_combination,
        mac_address,
        programs,
        settings_values,
        runner,
    )
]
"""Parts without a window whose sentences are shown in one."""


def texts_of_the_code() -> set[str]:
    """Every text given to `_`, `some` or `said`."""
    found: set[str] = set()
    for file in (*UI.rglob("*.py"), *SAYING):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("_", "some", "said")
            ):
                for argument in node.args[: 2 if node.func.id == "some" else 1]:
                    assert isinstance(argument, ast.Constant), f"{file.name}:{node.lineno}: not a plain text"
                    found.add(str(argument.value))
    explained = {text for code in Verdict for text in (code.text, code.advice) if text}
    return found | explained | set(VALUES_IN_WORDS.values()) | {NONE, *NONE_OF.values()}


def test_every_text_is_translated_into_italian() -> None:
    translated = catalogue.read(i18n.FOLDER / "it/LC_MESSAGES/astcti.po")
    known = {text for key in translated for text in (key if isinstance(key, tuple) else (key,))}
    assert texts_of_the_code() - known == set()
    assert known - texts_of_the_code() == set(), "translations that nothing uses"
    for key, value in translated.items():
        for text in value if isinstance(value, tuple) else (value,):
            assert text.strip(), f"{key!r} is not translated"
            source = key[-1] if isinstance(key, tuple) else key
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", source)), key


def test_italian_speaks_to_one_agent() -> None:
    several = re.compile(r"\b(?:[Vv]ostr[aeio]|[Aa]vete|[Ss]iete|[Ee]ravate|[Pp]otete|[Vv]oi)\b")
    text = (UI / "locale/it/LC_MESSAGES/astcti.po").read_text(encoding="utf-8")
    assert several.findall(text) == []


def test_none_goes_with_its_noun_in_italian() -> None:
    line = ExplanationLine(Verdict.NO_SERVICE.value, 0.0, "PJSIP/201", ("", ""))
    i18n.use_language("it")
    try:
        assert "Contesti attraversati: nessuno. Code attraversate: nessuna" in in_words(line, i18n._)
    finally:
        i18n.use_language("en")
    assert "(contexts: none; queues: none)" in in_words(line, i18n._)


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    folder = i18n.FOLDER / "it/LC_MESSAGES"
    assert (folder / "astcti.mo").read_bytes() == catalogue.compiled(folder / "astcti.po"), (
        "run: python -m tests.client.ui.tools.catalogue"
    )


def test_italian_is_spoken_when_asked_for() -> None:
    assert isinstance(gettext.find("astcti", i18n.FOLDER, ["it"]), str)
    i18n.use_language("it")
    try:
        assert words.pause_text(Pause()) == "Disponibile"
        assert i18n.some("{count} call", "{count} calls", 1) == "{count} chiamata"
    finally:
        i18n.use_language("en")


# --- refusals ---


LANGUAGES = ("en", *sorted(path.name for path in i18n.FOLDER.iterdir()))
VALUES = {
    "limit": "4096",
    "command": "PAUSE",
    "highest": "9999",
    "extension": "PJSIP/201",
    "exten": "777",
    "context": "phones",
    "seconds": "5",
    "username": "mario",
    "address": "192.0.2.7",
}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    i18n.use_language(request.param)
    yield request.param
    i18n.use_language("en")


def values_of(refusal: Refusal) -> dict[str, str]:
    return {name: VALUES[name] for name in re.findall(r"{(\w+)}", refusal.value)}


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_of_the_server_is_shown_in_the_language_of_the_window(
    refusal: Refusal, language: str
) -> None:
    values = values_of(refusal)
    text = words.server_reason(refusal.text(**values))
    assert all(value in text for value in values.values())
    assert "{" not in text
    if language != "en":
        i18n.use_language("en")
        assert text != words.server_reason(refusal.text(**values))


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_has_the_same_values_in_each_language(refusal: Refusal, language: str) -> None:
    template = refusal_template(refusal)
    assert set(re.findall(r"{(\w+)}", template)) == set(values_of(refusal))


def test_what_asterisk_said_is_shown_as_it_is(language: str) -> None:
    for text in ("No such queue", "Extension does not exist.", "already in use"):
        assert words.server_reason(text) == text


@pytest.mark.parametrize(
    "what", [CommandName.PAUSE, CommandName.HANGUP, CommandName.TRANSFER, CommandName.ORIG]
)
def test_a_refused_command_is_told_with_the_reason(what: CommandName) -> None:
    i18n.use_language("it")
    try:
        text = words.refusal_text(what, "no answer from the PBX within 5 seconds")
        assert text.endswith(": il centralino non ha risposto entro 5 secondi")
        assert words.refusal_text(what, "").endswith("non si sa se sia stato fatto")
    finally:
        i18n.use_language("en")


def test_why_a_queue_was_not_joined_is_told_in_the_language_of_the_window(language: str) -> None:
    told = words.queue_text(SeatQueue("sales", "refused", "Asterisk did not answer"))
    wanted = {"en": "the telephone system does not answer", "it": "il centralino non risponde"}
    assert told.endswith(wanted[language])
    assert words.queue_text(SeatQueue("sales", "refused", "No such queue")).endswith("No such queue")


@pytest.mark.parametrize(
    ("detail", "part"),
    [
        (
            "the server turned this client away: too many clients; next attempt in 1.0 s",
            "troppi client connessi",
        ),
        ("the server refused the log-in of mario: already at PJSIP/201", "sei già al telefono PJSIP/201"),
        (
            "the server refused the log-in of mario: no seat: MAC first",
            "non conosce ancora la tua postazione",
        ),
        (
            "the server ended the session: CONFIG the seat was removed; next attempt in 1.0 s",
            "modificati sul server: la postazione è stata rimossa",
        ),
        ("the server ended the session: CONFIG; next attempt in 1.0 s", "modificati sul server."),
        (
            "the server ended the session: SHUTDOWN the server stops; next attempt in 1.0 s",
            "Il server è stato",
        ),
        (
            "somebody logged in as the same operator or on the same seat: mario logged in at 192.0.2.7",
            "disconnesso: mario ha fatto accesso da 192.0.2.7",
        ),
        ("somebody logged in as the same operator or on the same seat", "disconnesso."),
        (
            "this operator was disabled or removed: this operator was removed",
            ": questo operatore è stato rimosso",
        ),
    ],
)
def test_why_the_server_ended_it_is_told_in_the_language_of_the_window(detail: str, part: str) -> None:
    i18n.use_language("it")
    try:
        assert part in problems.problem_text(ConnectionState("waiting", detail))
    finally:
        i18n.use_language("en")


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Mario Rossi", "Mario Rossi"),
        ("Łukasz Müller", "Łukasz Müller"),
        ("דוד לוי", "יול דוד"),
        ("abc דוד 123", "abc 123 דוד"),
        ("محمد", "\ufeaa\ufee4\ufea4\ufee3"),
        ("日本", "日本"),
    ],
)
def test_what_is_read_from_right_to_left_is_drawn_so_where_tk_does_not(
    text: str, drawn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert in_drawing_order(text) == drawn
    monkeypatch.setattr(sys, "platform", "win32")
    assert in_drawing_order(text) == text


def test_a_client_without_the_packages_draws_names_as_they_come() -> None:
    program = (
        "import sys; sys.modules['bidi'] = None\n"
        "from astcti_client.ui.text.right_to_left import in_drawing_order\n"
        "print(in_drawing_order('דוד') == 'דוד')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert done.stdout == "True\n"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="draws names by itself")
@pytest.mark.parametrize(
    ("name", "drawn"),
    [("דוד לוי", "לד"), ("محمد علي الحسيني", "\ufe8d\ufee1"), ("Anna Bianchi", "AB"), ("דוד", "ד")],
)
def test_initials_are_drawn_in_their_order_and_not_joined(name: str, drawn: str) -> None:
    pytest.importorskip("tkinter")
    from astcti_client.ui.widgets.controls import initials_as_drawn

    assert initials_as_drawn(name) == drawn
