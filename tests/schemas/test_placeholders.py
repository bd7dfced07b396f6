"""Templates of triggers: what they accept, and that call data cannot change what is opened or run."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.placeholders import (
    BUILT_IN,
    check_parameters_template,
    check_url_template,
    expand_parameters,
    expand_url,
    names_in,
    split,
)

VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
BLANKLESS = st.text(st.characters(codec="ascii", exclude_characters='{"', min_codepoint=33), min_size=1)


@pytest.mark.parametrize(
    "template",
    [
        "https://crm.example/ticket?id={CALLDATA}&from={CallerID}",
        "http://127.0.0.1:8080/{calldata}",
        "HTTPS://[2001:db8::1]:443/?x={{literal}",
        "https://crm.example?x={EVENT}",
        "https://crm.example",
    ],
)
def test_a_url_with_literal_scheme_and_host_is_accepted(template: str) -> None:
    assert check_url_template(template, ["calldata"]) == []


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("", "empty"),
        ("ftp://crm.example/", "http:// or https://"),
        ("javascript:alert({CALLDATA})", "http:// or https://"),
        ("{CALLDATA}", "http:// or https://"),
        ("{CALLDATA}://crm.example/", "http:// or https://"),
        ("https:{CALLDATA}", "http:// or https://"),
        ("https://{CALLDATA}/", "host of the URL"),
        ("https://crm.example{CALLDATA}/", "host of the URL"),
        ("https://crm.example:{CALLDATA}/", "host of the URL"),
        ("https://user@{CALLDATA}", "host of the URL"),
        ("https:///path", "no valid host"),
        ("https://user:secret@crm.example/", "no valid host"),
        ("https://crm.example:0/", "port"),
        ("https://crm.example:65536/", "port"),
        ("https://crm.example\\{CALLDATA}/", "backslash"),
        ("https://crm.example/a b", "blank"),
        ("https://crm.example/\u00a0", "blank"),
        ("https://crm.example/{OTHER}", "{OTHER} stands for nothing"),
        ("https://crm.example/{CALL DATA}", "brace"),
        ("https://crm.example/{", "brace"),
    ],
)
def test_a_url_is_refused_with_the_reason(template: str, complaint: str) -> None:
    errors = check_url_template(template, ["calldata"])
    assert any(complaint in error for error in errors), errors


def test_an_undeclared_name_is_reported_once_and_a_built_in_one_never() -> None:
    assert len(check_parameters_template("{X} {x} {CALLERID}", [])) == 1
    assert check_parameters_template(" ".join(f"{{{name}}}" for name in BUILT_IN), []) == []


def test_an_unclosed_quote_is_refused() -> None:
    assert "never closed" in check_parameters_template('--name "{CALLERIDNAME}', [])[0]


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ("", ()),
        ("  ", ()),
        ("--ticket 12", ("--ticket", "12")),
        ('--name "Mario Rossi"', ("--name", "Mario Rossi")),
        ('"" a ""', ("", "a", "")),
        ('pre"a b"post', ("prea bpost",)),
        (r'C:\dir\ "C:\Program Files\\"', ("C:\\dir\\", "C:\\Program Files\\\\")),
        ("a\tb\n  c", ("a", "b", "c")),
        ("'a b'", ("'a", "b'")),
    ],
)
def test_parameters_split_at_blanks_and_quotes_group(parameters: str, arguments: tuple[str, ...]) -> None:
    assert split(parameters) == arguments


def test_values_are_put_in_after_splitting_and_names_ignore_case() -> None:
    expansion = expand_parameters('--n "{CallerIdName}" {{x} {calldata}', {"CALLERIDNAME": 'A "B" C'})
    assert expansion.arguments == ("--n", 'A "B" C', "{x}", "")
    assert expansion.missing == ("CALLDATA",)


def test_values_are_percent_encoded_in_a_url() -> None:
    expansion = expand_url("https://h/{A}?x={B}&{{{A}", {"A": "a/b?c&d=é", "B": ""})
    assert expansion.url == "https://h/a%2Fb%3Fc%26d%3D%C3%A9?x=&{a%2Fb%3Fc%26d%3D%C3%A9"
    assert expansion.missing == ("B",)


def test_a_value_that_is_no_unicode_does_not_break_a_url() -> None:
    assert expand_url("https://h/{A}", {"A": "\ud800"}).url == "https://h/%3F"


def test_what_a_value_contains_is_not_expanded_again() -> None:
    values = {"A": "{B}", "B": "secret"}
    assert expand_parameters("{A}", values).arguments == ("{B}",)
    assert unquote(expand_url("https://h/{A}", values).url) == "https://h/{B}"


def test_names_are_found_in_upper_case() -> None:
    assert names_in("{{a} {b} {C}") == ("B", "C")


@given(VALUES, st.sampled_from(["https://h.example/{A}", "http://h:81/?a={A}#{A}", "https://h.example?{A}"]))
def test_no_value_changes_where_a_url_leads(value: str, template: str) -> None:
    before, after = urlsplit(template), urlsplit(expand_url(template, {"A": value}).url)
    assert (after.scheme, after.netloc) == (before.scheme, before.netloc)


@given(VALUES)
def test_a_percent_encoded_value_reads_back_as_it_was(value: str) -> None:
    url = expand_url("https://h/?a={A}&b=2", {"A": value}).url
    assert unquote(url.removeprefix("https://h/?a=").removesuffix("&b=2")) == value


@given(st.text(alphabet='ab {}"\\\tA', max_size=40), VALUES)
def test_the_number_of_arguments_never_depends_on_the_values(template: str, value: str) -> None:
    values = dict.fromkeys(("A", "B", "AB", "BA", "AA"), value)
    without = expand_parameters(template, {}).arguments
    assert len(expand_parameters(template, values).arguments) == len(without)


@given(st.lists(VALUES, max_size=5))
def test_quoted_placeholders_carry_values_unchanged(values: list[str]) -> None:
    template = " ".join(f'"{{V{number}}}"' for number in range(len(values)))
    filled = expand_parameters(template, {f"V{number}": value for number, value in enumerate(values)})
    assert filled.arguments == tuple(values)


@given(st.lists(st.one_of(BLANKLESS, st.just("")), max_size=6))
def test_arguments_written_out_split_back_into_themselves(arguments: list[str]) -> None:
    assert split(" ".join(f'"{argument}"' for argument in arguments)) == tuple(arguments)
