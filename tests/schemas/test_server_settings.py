"""server.xml: defaults, mistakes and what is hardly meant."""

import dataclasses
import os
from pathlib import Path

import pytest
from lxml import etree

import schemas
from schemas.problems import ConfigurationError, Problem
from schemas.server.settings import AmiSettings, ServerSettings
from schemas.server.settings_xml import load_settings, parse_settings
from tests.fake.certificates import make_certificate

AMI = '<ami username="astcti" secret="s"/>'
SECTIONS = ("ami", "listen", "clients", "calls", "queues", "originate", "logging")


def problems_of(inside: str, directory: Path = Path("/nonexistent"), attributes: str = "") -> list[Problem]:
    """What is wrong with a server.xml of these sections, the first of them in line 2."""
    with pytest.raises(ConfigurationError) as refused:
        parse_settings(f"<server {attributes}>\n{inside}</server>".encode(), directory / "server.xml")
    return list(refused.value.problems)


def test_everything_but_the_user_of_asterisk_has_a_default(tmp_path: Path) -> None:
    path = tmp_path / "server.xml"
    path.write_text(f"<server>{AMI}</server>")
    assert load_settings(path) == ServerSettings(AmiSettings("astcti", "s"))


def test_the_schema_and_the_model_have_the_same_defaults() -> None:
    schema = etree.parse(str(Path(schemas.__file__).with_name("server.xsd")))
    written: list[tuple[str, str, str]] = []
    for section in SECTIONS:
        path = f"*[@name='{section}']/{{*}}attribute"
        for node in schema.getroot().iterfind(path):
            if node.get("default") and node.get("name") not in ("username", "secret", "secret-file"):
                written.append((section, str(node.get("name")), str(node.get("default"))))
    settings = ServerSettings(AmiSettings("astcti", "s"))
    names = {field.name for section in SECTIONS for field in dataclasses.fields(getattr(settings, section))}
    assert {name.replace("-", "_") for _, name, _ in written} >= names - {
        "username",
        "secret",
        "ca_file",
        "certificate",
        "key",
        "file",
    }
    text: dict[str, list[str]] = {}
    for section, name, value in written:
        text.setdefault(section, []).append(f'{name}="{value}"')
    text["ami"] += ['username="astcti"', 'secret="s"']
    inside = "".join(f"<{section} {' '.join(values)}/>" for section, values in text.items())
    assert parse_settings(f"<server>{inside}</server>".encode(), Path("/server.xml")).settings == settings


def test_every_setting_is_read(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, days=90)
    (tmp_path / "ca.pem").write_bytes(certificate.read_bytes())
    certificate.rename(tmp_path / "cert.pem")
    key.rename(tmp_path / "key.pem")
    (tmp_path / "ami.secret").write_text("from file\n")
    text = """<server events="all">
      <ami host="pbx" port="5039" username="u" secret-file="ami.secret" tls="yes" ca-file="ca.pem" retries="0"
           auth="plain" pause="7.5" ping="9" encoding="utf-8"/>
      <listen address="0.0.0.0" port="5001" certificate="cert.pem" key="key.pem" plain="no"
              before-pbx="yes"/>
      <clients keep-alive="1" grace="0" max="3" max-per-address="4" login-time="5" login-failures="6"
               outbox="70000" late-pop-up="0" command-burst="7" command-rate="0.5"/>
      <calls compare="12"/>
      <queues reconcile="8" leftover-grace="0" on-stop="keep"/>
      <originate any-priority="yes"/>
      <transfer><context>internal</context><context>outside</context></transfer>
      <logging level="debug" file="astcti.log"/>
    </server>"""
    settings, warnings = parse_settings(text.encode(), tmp_path / "server.xml")
    ami = settings.ami
    assert (ami.host, ami.port, ami.username, ami.secret, ami.tls) == ("pbx", 5039, "u", "from file", True)
    assert (ami.ca_file, ami.auth, ami.retries, ami.pause, ami.ping, ami.encoding) == (
        str(tmp_path / "ca.pem"),
        "plain",
        0,
        7.5,
        9.0,
        "utf-8",
    )
    assert dataclasses.astuple(settings.listen) == (
        "0.0.0.0",
        5001,
        str(tmp_path / "cert.pem"),
        str(tmp_path / "key.pem"),
        False,
        True,
    )
    assert dataclasses.astuple(settings.clients) == (1.0, 0.0, 3, 4, 5.0, 6, 70000, 0.0, 7, 0.5)
    assert settings.calls.compare == 12.0
    assert dataclasses.astuple(settings.queues) == (8.0, 0.0, "keep")
    assert settings.originate.any_priority
    assert settings.transfer == ("internal", "outside")
    assert dataclasses.astuple(settings.logging) == ("debug", str(tmp_path / "astcti.log"))
    assert settings.events == "all"
    assert warnings == ()


def test_the_secret_is_not_shown_where_settings_are_printed() -> None:
    settings = parse_settings(
        b'<server><ami username="a" secret="hunter2"/></server>', Path("/server.xml")
    ).settings
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("", "<server> lacks <ami>"),
        ('<ami secret="s"/>', '<ami> lacks username="...": the user\'s name in Asterisk'),
        ('<ami username="a"/>', "either secret"),
        ('<ami username="a" secret="s" secret-file="f"/>', "either secret"),
        ('<ami username="a" secret-file="none"/>', "none cannot be read: No such file"),
        ('<ami username="a" secret="a&#10;b"/>', "the secret of <ami> contains a line break"),
        ('<ami username="a&#10;b" secret="s"/>', "the user name of <ami> contains a line break"),
        ('<ami username="a" secret="s" host="a b"/>', "the host of <ami> contains a blank"),
        ('<ami username="a" secret="s" port="0"/>', "a port number from 1 to 65535"),
        ('<ami username="a" secret="s" pause="4.9"/>', "a number of seconds from 5"),
        ('<ami username="a" secret="s" retries="often"/>', "forever or a whole number"),
        (f'<ami username="a" secret="s" retries="{"9" * 5000}"/>', "forever or a whole number"),
        (f'<ami username="a" secret="s" port="{"9" * 5000}"/>', "a port number from 1 to 65535"),
        ('<ami username="a" secret="s" auth="none"/>', "md5 or plain"),
        (f'{AMI}<calls compare="-1"/>', "a number of seconds from 0"),
        ('<ami username="a" secret="s" ping="0"/>', "a number of seconds above 0"),
        ('<ami username="a" secret="s" tls="true"/>', "yes or no"),
        ('<ami username="a" secret="s" encoding="klingon"/>', "'klingon' of <ami> is not known"),
        ('<ami username="a" secret="s" encoding="zlib"/>', "'zlib' of <ami> is not known"),
        ('<ami username="a" secret="s" tls="yes" ca-file="none.pem"/>', "ca-file /nonexistent/none.pem"),
        (f'{AMI}<listen address="localhost"/>', "single IP address"),
        (f'{AMI}<listen address="0.0.0.0"/>', 'plain="yes"'),
        (f'{AMI}<listen address="::"/>', 'plain="yes"'),
        (f'{AMI}<listen certificate="c.pem"/>', "belong together"),
        (f'{AMI}<listen certificate="c.pem" key="k.pem"/>', "key /nonexistent/k.pem cannot be read"),
        (f'{AMI}<clients max="0"/>', "a whole number from 1"),
        (f'{AMI}<clients outbox="10"/>', "a number of bytes from 65536"),
        (f'{AMI}<clients grace="-1"/>', "a number of seconds from 0"),
        (f'{AMI}<queues on-stop="leave"/>', "remove or keep"),
        (f"{AMI}<transfer><context>a b</context></transfer>", "the context contains a blank"),
        (f"{AMI}<transfer><context/></transfer>", "the context is empty"),
        ('<ami username="a" secret="s" host=" "/>', "the host of <ami> is empty: fill it in"),
        (f'{AMI}<listen address=""/>', "the address of <listen> is empty"),
        (f'{AMI}<logging file="/nonexistent/x.log"/>', "x.log cannot be written: there is no directory"),
        (f'{AMI}<logging file="/dev"/>', "the log file /dev cannot be written: it is a directory"),
        (f'{AMI}<logging file="/{300 * "x"}/x.log"/>', "x.log cannot be written: File name too long"),
        (f'{AMI}<logging level="loud"/>', "debug, info, warning or error"),
        (f"{AMI}<lisen/>", "did you mean <listen>?"),
        (f"{AMI}{AMI}", "<ami> does not belong here, or stands here twice"),
    ],
)
def test_a_mistake_is_named_in_plain_words(inside: str, words: str) -> None:
    problems = problems_of(inside)
    assert any(words in problem.message for problem in problems), problems
    assert {problem.line for problem in problems} <= {1, 2}


@pytest.mark.parametrize("element", ["logging", "audit"])
def test_a_pipe_is_no_file_for_lines(tmp_path: Path, element: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (problem,) = problems_of(f'{AMI}<{element} file="{tmp_path}/pipe"/>')
    assert "cannot be written: it is a pipe or a socket" in problem.message


@pytest.mark.parametrize("name", ["/dev/zero", "pipe", "folder", "long"])
@pytest.mark.parametrize(
    "inside",
    [
        '<ami username="a" secret-file="{file}"/>',
        '<ami username="a" secret="s" tls="yes" ca-file="{file}"/>',
        f'{AMI}<listen address="127.0.0.1" certificate="{{file}}" key="{{file}}"/>',
    ],
)
def test_what_has_no_end_or_says_nothing_is_no_file_to_read(tmp_path: Path, inside: str, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "long").write_bytes(b"x" * 1_100_000)
    problems = problems_of(inside.format(file=tmp_path / name))
    wrong = "it has more than" if name == "long" else "it is a device, a pipe or a directory"
    assert {f"cannot be read: {wrong}" in problem.message for problem in problems} == {True}


def test_all_mistakes_are_found_at_once() -> None:
    inside = '<ami username="a b" port="x"/>\n<listen address="x"/>\n<logging level="x"/>'
    problems = problems_of(inside, attributes='events="some"')
    assert [problem.line for problem in problems] == [1, 2, 2, 2, 3, 4]


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        (f'{AMI}<listen address="192.0.2.1" plain="yes"/>', "clients reach 192.0.2.1 without TLS"),
        ('<ami username="a" secret="s" ca-file="/etc/passwd"/>', "ca-file has no effect"),
        ('<ami username="a" secret="s" host="pbx"/>', "Asterisk at pbx is reached without TLS"),
        ('<ami username="a" secret="s" host="192.0.2.1"/>', "Asterisk at 192.0.2.1 is reached without TLS"),
    ],
)
def test_what_is_hardly_meant_is_warned_about(inside: str, words: str) -> None:
    checked = parse_settings(f"<server>{inside}</server>".encode(), Path("/nonexistent/server.xml"))
    assert [words in str(warning) for warning in checked.warnings] == [True], checked.warnings


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1"])
def test_on_loopback_no_tls_is_needed(address: str) -> None:
    text = f'<server>{AMI}<listen address="{address}"/></server>'
    assert parse_settings(text.encode(), Path("/server.xml")).warnings == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LocalHost"])
def test_an_asterisk_on_this_machine_needs_no_tls(host: str) -> None:
    text = f'<server><ami username="a" secret="s" host="{host}"/></server>'
    assert parse_settings(text.encode(), Path("/server.xml")).warnings == ()
