"""Templates of triggers: `{NAME}` stands for a value of the call, `{{` for a brace.

Pure functions, standard library only, any thread. Names are upper-cased before they are compared, so
`{CallData}` is the variable `calldata`. A closing brace that ends no name is an ordinary character.

Call data never decides what is opened or run: scheme, host and port of a URL are literal, each value in
it is percent-encoded, and parameters are split into arguments before any value is put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from schemas.sentences import said

BUILT_IN = frozenset(
    {
        "CALLERID",
        "CALLERIDNAME",
        "CONTEXT",
        "SERVICE",
        "QUEUE",
        "EXTEN",
        "CHANNEL",
        "UNIQUEID",
        "LINKEDID",
        "OPERATOR",
        "EXTENSION",
        "EVENT",
    }
)
"""Names that every template may use, whatever its service declares."""

BLANKS = " \t\r\n"
_PIECE = re.compile(r"\{\{|\{([A-Za-z_][A-Za-z0-9_.-]*)\}|\{")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#\\]*)", re.ASCII)
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s\[\]:@%<>\"'`|^{}]+)(?::(?P<port>[0-9]{1,5}))?")
_UNSAFE = re.compile(r"[\s\x00-\x20\x7f\\<>\"`|^]")


class Expansion(NamedTuple):
    """A template with its values. `url` or `arguments` is set, as the template is one or the other."""

    url: str = ""
    arguments: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Upper-cased names whose value is absent or empty, each once, in the template's order."""


class Template(NamedTuple):
    """Literal text and names in turn: `literals[0] names[0] literals[1] ... literals[-1]`."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    stray: bool
    """True where a brace begins neither `{NAME}` nor `{{`; it is then taken literally."""


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template:
    """Split a text into its literal parts and its names (upper-cased)."""
    literals, names, stray = [""], [], False
    position = 0
    for match in _PIECE.finditer(text):
        literals[-1] += text[position : match.start()]
        position = match.end()
        if match[1]:
            names.append(match[1].upper())
            literals.append("")
        else:
            literals[-1] += "{"
            stray = stray or match[0] == "{"
    literals[-1] += text[position:]
    return Template(tuple(literals), tuple(names), stray)


def check_url_template(template: str, declared: Iterable[str]) -> list[str]:
    """Say in plain words what is wrong with a URL's template; empty when nothing is.

    `declared` are the variables of the service.
    """
    if not template:
        return [said("the URL is empty")]
    errors = _check_origin(template)
    if _UNSAFE.search(template):
        errors.append(
            said(
                "the URL contains a blank, a backslash or another character that URLs do not have: "
                "percent-encode it"
            )
        )
    return errors + _check_names(parse_template(template), declared)


def check_parameters_template(template: str, declared: Iterable[str]) -> list[str]:
    """Say in plain words what is wrong with an application's parameters; empty when nothing is."""
    errors: list[str] = []
    if template.count('"') % 2:
        errors.append(said("a double quote of the parameters is never closed"))
    found: list[str] = []
    for argument in split(template):
        for error in _check_names(parse_template(argument), declared):
            if error not in found:
                found.append(error)
    return errors + found


def names_in(text: str) -> tuple[str, ...]:
    """The upper-cased names that a text mentions as `{NAME}`."""
    return parse_template(text).names


def expand_url(template: str, values: Mapping[str, str]) -> Expansion:
    """Fill a URL's template. `values` has upper-cased names; each value is percent-encoded as UTF-8."""
    missing: dict[str, None] = {}
    return Expansion(
        url=_fill(parse_template(template), values, missing, encode=True), missing=tuple(missing)
    )


def expand_parameters(template: str, values: Mapping[str, str]) -> Expansion:
    """Fill an application's parameters. How many arguments there are depends on the template alone."""
    missing: dict[str, None] = {}
    arguments = tuple(_fill(parse_template(part), values, missing, encode=False) for part in split(template))
    return Expansion(arguments=arguments, missing=tuple(missing))


@lru_cache(maxsize=4096)
def split(parameters: str) -> tuple[str, ...]:
    """Split parameters into arguments: blanks separate, double quotes group, a backslash is ordinary.

    `""` is an empty argument. A quote that is never closed reaches to the end.
    """
    arguments: list[str] = []
    current: list[str] | None = None
    quoted = False
    for character in parameters:
        if character == '"':
            quoted = not quoted
            current = [] if current is None else current
        elif character in BLANKS and not quoted:
            if current is not None:
                arguments.append("".join(current))
            current = None
        elif current is None:
            current = [character]
        else:
            current.append(character)
    if current is not None:
        arguments.append("".join(current))
    return tuple(arguments)


def _fill(template: Template, values: Mapping[str, str], missing: dict[str, None], *, encode: bool) -> str:
    text = template.literals[0]
    for name, literal in zip(template.names, template.literals[1:], strict=True):
        value = values.get(name, "")
        if not value:
            missing[name] = None
        if encode and not (value.isascii() and value.isalnum()):  # most are: numbers, names of queues
            value = quote(value, safe="", errors="replace")
        text += value + literal
    return text


def _check_origin(template: str) -> list[str]:
    match = _URL.match(template)
    if match is None or match["scheme"].lower() not in ("http", "https"):
        return [said("the URL has to begin with http:// or https:// and a host, written out")]
    host = _HOST.fullmatch(match["authority"])
    if "{" in match["authority"]:
        return [
            said("the host of the URL has to be written out: placeholders may stand after the first slash")
        ]
    if host is None:
        return [
            said("the URL has no valid host: write https://host/ or https://host:port/ (no user name in it)")
        ]
    if host["port"] and not 0 < int(host["port"]) < 65536:
        return [said("the port of the URL has to be from 1 to 65535")]
    return []


def _check_names(template: Template, declared: Iterable[str]) -> list[str]:
    known = BUILT_IN.union(name.upper() for name in declared)
    unknown = dict.fromkeys(name for name in template.names if name not in known)
    errors: list[str] = [
        said(
            '{{{name}}} stands for nothing: declare <variable name="{variable}"/> in this service, '
            "or write {{{{ for a brace",
            name=name,
            variable=name.lower(),
        )
        for name in unknown
    ]
    if template.stray:
        errors.append(said("a brace that begins no {{NAME}} has to be written {{{{"))
    return errors
