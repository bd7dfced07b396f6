"""Whatever XML somebody puts there: a value, or mistakes with their lines, and never another exception."""

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.configuration import xml_form
from schemas.problems import LONGEST_MESSAGE, MOST_PROBLEMS, ConfigurationError, Problem
from schemas.server import settings_xml

XSI = "http://www.w3.org/2001/XMLSchema-instance"
KNOWN = [
    "configuration",
    "services",
    "service",
    "variable",
    "trigger",
    "application",
    "parameters",
    "url",
    "operator",
    "operators",
    "seats",
    "seat",
    "pause-reasons",
    "reason",
    "server",
    "ami",
    "listen",
    "clients",
    "queues",
    "transfer",
    "context",
    "logging",
    "originate",
]
ATTRIBUTES = [
    "name",
    "context",
    "type",
    "is-queue",
    "queue-name",
    "may-leave",
    "answer",
    "enabled",
    "mac",
    "extension",
    "queue-interface",
    "state-interface",
    "address",
    "username",
    "full-name",
    "password",
    "seat",
    "begin-in-pause",
    "penalty",
    "on",
    "os",
    "replaces",
    "host",
    "port",
    "secret",
    "secret-file",
    "tls",
    "ca-file",
    "retries",
    "pause",
    "ping",
    "encoding",
    "certificate",
    "key",
    "plain",
    "max",
    "level",
    "file",
    "xml:lang",
    "xml:space",
    "xsi:type",
    "xsi:nil",
    "xsi:schemaLocation",
    "xsi:noNamespaceSchemaLocation",
]
foreign_names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs"]), min_size=1, max_size=4)
names = st.one_of(
    st.sampled_from(KNOWN), st.sampled_from(["x:a", "à:b", "日本", "x:seat", "ø"]), foreign_names
)
values = st.one_of(
    st.sampled_from(["true", "inbound", "server.xml", "9" * 5000, "..", "\x80", "/" * 300, "idna", "xs:int"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)


def escaped(text: str) -> str:
    """A text that stands in a file as it is, line breaks too."""
    return "".join(letter if letter.isalnum() else f"&#{ord(letter)};" for letter in text)


def element(name: str, attributes: dict[str, str], inside: list[str]) -> str:
    """One element as text, with prefixes that the root declares."""
    written = "".join(f' {attribute}="{escaped(value)}"' for attribute, value in attributes.items())
    return f"<{name}{written}>{''.join(inside)}</{name}>"


attributes = st.dictionaries(
    st.one_of(st.sampled_from(ATTRIBUTES), foreign_names, st.sampled_from(["x:y", "xmlns", "xmlns:z"])),
    values,
    max_size=4,
)
leaves = st.one_of(
    values.map(escaped),
    st.sampled_from(["\n", "<!--c-->", "<?p i?>", "<![CDATA[<]]>", "&amp;", "&nbsp;", "&#0;", "&#1114111;"]),
)
trees = st.recursive(
    leaves, lambda inner: st.builds(element, names, attributes, st.lists(inner, max_size=4)), max_leaves=12
)


@st.composite
def files(draw: st.DrawFn, root: str) -> str:
    """A file whose root is the right one, and what is in it anything."""
    prefixes = f'xmlns:x="urn:x" xmlns:à="urn:&apos;y" xmlns:xsi="{XSI}"'
    begin = draw(st.sampled_from(["", "\n\n", "<!-- c -->\n", '<?xml version="1.0"?>']))
    more = draw(attributes)
    written = "".join(f' {name}="{escaped(value)}"' for name, value in more.items())
    return f"{begin}<{root} {prefixes}{written}>{''.join(draw(st.lists(trees, max_size=5)))}</{root}>"


def problems_of(error: ConfigurationError, last_line: int) -> list[Problem]:
    """What is wrong, each said on one line and at a line of the file."""
    assert error.problems
    for problem in error.problems:
        assert 1 <= problem.line <= last_line
        assert len(str(problem).splitlines()) == 1
    return list(error.problems)


@given(files("configuration"))
@example('<configuration xmlns:x="urn:x">\n<x:foo/></configuration>')
@example('<configuration xmlns:à="urn:x">\n<à:è/><à:è/></configuration>')
@example("<configuration>\n<日本/><seats><ø/></seats></configuration>")
def test_any_configuration_is_read_or_refused_with_lines(text: str) -> None:
    try:
        found = xml_form.parse_xml(text.encode(), "one.xml")
    except ConfigurationError as error:
        problems_of(error, text.count("\n") + 1)
    else:
        assert xml_form.parse_xml(xml_form.dump_xml(found.configuration), "again.xml")


@given(text=files("server"))
@example(text='<server xmlns:x="urn:x">\n<x:ami/></server>')
@example(text="<server>\n<ami username='a' secret='b'/><amì/></server>")
@example(text=f"<server>\n<ami username='a' secret='b' retries='{'9' * 5000}'/></server>")
@example(text="<server>\n<ami username='a' secret='b' encoding='idna'/></server>")
def test_any_settings_are_read_or_refused_with_lines(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = Path(tmp_path_factory.getbasetemp()) / "server.xml"
    try:
        settings_xml.parse_settings(text.encode(), path)
    except ConfigurationError as error:
        problems_of(error, text.count("\n") + 1)


@given(
    st.binary(max_size=200),
    st.sampled_from(["", "<configuration>", "<server>", "<?xml version='1.0' encoding='"]),
)
def test_any_bytes_are_refused_in_words(data: bytes, begin: str) -> None:
    for read in (
        lambda whole: xml_form.parse_xml(whole, "one.xml"),
        lambda whole: settings_xml.parse_settings(whole, Path("s.xml")),
    ):
        with pytest.raises(ConfigurationError) as refused:
            read(begin.encode() + data)
        assert all(len(str(problem).splitlines()) == 1 for problem in refused.value.problems)


@pytest.mark.parametrize("prefix", ["x", "à"])
def test_an_element_with_a_prefix_is_named_with_its_line_and_hides_nothing_after_it(prefix: str) -> None:
    text = (
        f'<configuration xmlns:{prefix}="urn:x">\n<seats>\n'
        f"<{prefix}:seat/>\n<{prefix}:seat/>\n<seat/></seats>"
        "\n<sèats/></configuration>"
    )
    with pytest.raises(ConfigurationError) as refused:
        xml_form.parse_xml(text.encode(), "one.xml")
    lines = [problem.line for problem in problems_of(refused.value, 6)]
    assert lines[:2] == [3, 4] and 5 in lines and lines[-1] == 6
    assert "{urn:x}seat" in refused.value.problems[0].message


def test_an_element_of_another_namespace_by_default_is_named_with_its_line() -> None:
    text = '<configuration>\n<seats/>\n<a xmlns="urn:q"/>\n<seats xmlns="urn:q"/></configuration>'
    with pytest.raises(ConfigurationError) as refused:
        xml_form.parse_xml(text.encode(), "one.xml")
    assert [problem.line for problem in problems_of(refused.value, 4)] == [3, 4]


@pytest.mark.parametrize(
    "text",
    [
        "<{name}/>",
        "<configuration {name}='1'/>",
        "<configuration><{name}/></configuration>",
        "<configuration {name}",
        "<?xml version='1.{name}'?><configuration/>",
        "<configuration><services><service name='{name}' type='{name}'/></services></configuration>",
        "<server><{name}/></server>",
        "<server><ami username='{name}' secret='s' encoding='{name}' host=' {name} '/></server>",
    ],
)
def test_a_message_is_no_longer_than_a_few_lines_however_long_the_names_are(text: str) -> None:
    data = text.format(name="n9" * 20_000).encode()
    with pytest.raises(ConfigurationError) as refused:
        if "<server" in text:
            settings_xml.parse_settings(data, Path("one.xml"))
        else:
            xml_form.parse_xml(data, "one.xml")
    for problem in problems_of(refused.value, 1):
        assert len(problem.message) <= LONGEST_MESSAGE
        assert problem.message.isprintable()


def test_of_ten_thousand_mistakes_the_first_are_told_and_that_there_are_more() -> None:
    seats = "<seat/>\n" * 10_000
    with pytest.raises(ConfigurationError) as refused:
        xml_form.parse_xml(f"<configuration><seats>\n{seats}</seats></configuration>".encode(), "one.xml")
    problems = problems_of(refused.value, 10_002)
    assert len(problems) == MOST_PROBLEMS
    assert problems[0].line == 2
    assert problems[-1].message == "from here on are more mistakes, which are told once those before are gone"


def test_ten_thousand_attributes_that_nobody_knows_are_refused_in_a_moment() -> None:
    attributes = " ".join(f"attribute-{number}=''" for number in range(10_000))
    began = time.process_time()
    with pytest.raises(ConfigurationError):
        xml_form.parse_xml(f"<configuration {attributes}/>".encode(), "one.xml")
    assert time.process_time() - began < 5  # 0.2 s; putting all of them into words takes 2 s and more
