"""Turns the messages of an XML library into words for those who write the files. Standard library only.

What an attribute is for comes from the schema's own documentation, so there is one place to keep it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, reduce
from typing import NamedTuple, Protocol

from schemas.sentences import said, shortened, verbatim

_XS = "{http://www.w3.org/2001/XMLSchema}"
_BOOLEAN = said("true or false")
LONGEST_WORD = 100
"""Characters of a name that may be a misspelt one."""

_MISSING = re.compile(r"Element '([^']*)': The attribute '([^']*)' is required but missing\.")
_UNKNOWN = re.compile(r"Element '([^']*)', attribute '([^']*)': The attribute '[^']*' is not allowed\.")
_VALUE = re.compile(
    r"Element '([^']*)', attribute '([^']*)': (?:\[facet '\w+'\] The value )?'(.*?)' (?:is|must) ", re.DOTALL
)
_MISPLACED = re.compile(
    r"Element '([^']*)': This element is not expected\.(?: Expected is (?:one of )?\( (.*?) \)\.)?"
)
_CHILD = re.compile(r"Element '([^']*)': Missing child element\(s\)\. Expected is (?:one of )?\( (.*?) \)\.")
_TEXT = re.compile(r"Element '([^']*)': Character content .*is not allowed")


class Node(Protocol):
    """The part of an element of the schema that is looked at."""

    tag: str

    def get(self, key: str, /) -> str | None: ...
    def findtext(self, path: str, /) -> str | None: ...
    def iter(self, tag: str, /) -> Iterable[Node]: ...
    def __iter__(self) -> Iterator[Node]: ...


class SchemaMistake(NamedTuple):
    """One mistake against the schema: where, in which attribute (if one), and in which words."""

    line: int
    field: str
    message: str
    misplaced: bool
    """True for an element that has no place there: what follows it was not looked at."""


class Element(NamedTuple):
    """What the schema says of one element name, wherever it stands."""

    attributes: Mapping[str, tuple[str, str]]
    """For each attribute what it is for, and what its value has to be."""
    children: tuple[str, ...]


class SchemaWords:
    """Knows a schema's documentation and words its mistakes."""

    def __init__(self, schema: Node) -> None:
        """`schema` is the root element of the XSD."""
        self._types = {str(node.get("name")): node for node in schema if node.get("name")}
        self._elements: dict[str, Element] = {}
        self.root_name = next(str(node.get("name")) for node in schema if node.tag == f"{_XS}element")
        for node in schema.iter(f"{_XS}element"):
            self._learn(node)

    def mistake(self, line: int, message: str) -> SchemaMistake:
        """Word one message of the validator; what is not recognised is passed on as it is."""
        found = _MISPLACED.match(message)
        if found:
            return SchemaMistake(line, "", self._misplaced(found[1], _names(found[2])), True)
        for pattern, words in (
            (_MISSING, self._missing),
            (_UNKNOWN, self._unknown),
            (_VALUE, self._value),
            (_CHILD, self._child),
            (_TEXT, self._text),
        ):
            found = pattern.match(message)
            if found:
                field = found[2] if pattern in (_MISSING, _UNKNOWN, _VALUE) else ""
                return SchemaMistake(line, field, words(*found.groups()), False)
        return SchemaMistake(line, "", str(shortened(message.rstrip("."))), False)

    def _learn(self, node: Node) -> None:
        body = self._types.get(node.get("type") or "", node)
        attributes = {
            str(attribute.get("name")): (
                _documentation(attribute),
                self._expected(attribute.get("type") or ""),
            )
            for attribute in body.iter(f"{_XS}attribute")
        }
        children = tuple(str(child.get("name")) for child in body.iter(f"{_XS}element") if child is not node)
        name = str(node.get("name"))
        known = self._elements.get(name)
        if known is not None:
            attributes = {**known.attributes, **attributes}
            children = tuple(dict.fromkeys(known.children + children))
        self._elements[name] = Element(attributes, children)

    def _expected(self, type_name: str) -> str:
        if type_name == "xs:boolean":
            return _BOOLEAN
        node = self._types.get(type_name)
        return _documentation(node) if node is not None else ""

    def _missing(self, element: str, attribute: str) -> str:
        purpose = self._purpose(element, attribute)
        lacks = said('<{element}> lacks {attribute}="..."', element=element, attribute=attribute)
        return said("{wrong}: {purpose}", wrong=lacks, purpose=purpose) if purpose else lacks

    def _unknown(self, element: str, attribute: str) -> str:
        known = self._elements[element].attributes if element in self._elements else {}
        near = _near(attribute, tuple(known))
        if near:
            return said(
                "<{element}> has no attribute {attribute}: did you mean {near}?",
                element=element,
                attribute=attribute,
                near=near,
            )
        takes = said("it takes {names}", names=", ".join(known)) if known else said("it takes none")
        return said(
            "<{element}> has no attribute {attribute}: {takes}",
            element=element,
            attribute=attribute,
            takes=takes,
        )

    def _value(self, element: str, attribute: str, value: str) -> str:
        known = self._elements.get(element)
        expected = known.attributes.get(attribute, ("", ""))[1] if known else ""
        shown = said(
            '{attribute}="{value}" of <{element}> is not possible',
            attribute=attribute,
            value=value[:80],
            element=element,
        )
        return said("{wrong}: it has to be {expected}", wrong=shown, expected=expected) if expected else shown

    def _misplaced(self, element: str, expected: list[str]) -> str:
        known = expected or [name for name in self._elements if name != self.root_name]
        near = _near(element, tuple(known))
        if near not in ("", element):
            return said("<{element}> is not known here: did you mean <{near}>?", element=element, near=near)
        if expected:
            return said(
                "<{element}> does not belong here: expected is {wanted}",
                element=element,
                wanted=_one_of(expected),
            )
        if element in self._elements:
            return said("<{element}> does not belong here, or stands here twice", element=element)
        return said("<{element}> is not known", element=element)

    def _child(self, element: str, expected: str) -> str:
        return said("<{element}> lacks {wanted}", element=element, wanted=_one_of(_names(expected)))

    def _text(self, element: str) -> str:
        return said(
            "text stands directly in <{element}>, which takes none: remove it or put it into an attribute",
            element=element,
        )

    def _purpose(self, element: str, attribute: str) -> str:
        known = self._elements.get(element)
        return known.attributes.get(attribute, ("", ""))[0] if known else ""


def syntax_words(message: str) -> str:
    """Word what a parser says of a file that is no well-formed XML."""
    for sign, words in _SYNTAX.items():
        if sign in message:
            return said(
                "this is not well-formed XML: {reason} ({parser})", reason=words, parser=message.strip()
            )
    return said("this is not well-formed XML: {reason}", reason=message.strip())


_SYNTAX = {
    "EntityRef": said("an & stands alone: write &amp;"),
    "Entity '": said("an & stands alone, or an entity is used that XML does not know: write &amp;"),
    "Premature end": said("the file ends too early (is it still being copied?)"),
    "tag mismatch": said("an element is closed by another one's end"),
    "Couldn't find end of Start Tag": said("an element's > is missing"),
    "Unescaped '<'": said("a < stands in a value: write &lt;, or close the quotes before it"),
    "AttValue": said("a value lacks its quotes"),
    "redefined": said("an attribute stands twice in one element"),
    "Invalid bytes": said("the file is not in the encoding that its first line says (UTF-8 if none)"),
    "Start tag expected": said("the file does not begin with an element"),
    "Extra content": said("something follows the end of the first element"),
}


def _near(word: str, known: tuple[str, ...]) -> str:
    """The known word that somebody meant, as it seems; empty for none."""
    return _nearest(word, known) if len(word) <= LONGEST_WORD else ""


# A word that is wrong in one row is wrong in thousands, and looking costs more than all the rest.
@lru_cache(1024)
def _nearest(word: str, known: tuple[str, ...]) -> str:
    return next(iter(difflib.get_close_matches(word, known, 1)), "")


def _documentation(node: Node) -> str:
    text = " ".join((node.findtext(f"{_XS}annotation/{_XS}documentation") or "").split())
    return verbatim(text) if text else ""


def _one_of(names: list[str]) -> str:
    shown = [f"<{name}>" for name in names]
    return reduce(lambda first, second: said("{first} or {second}", first=first, second=second), shown)


def _names(expected: str | None) -> list[str]:
    return [name.strip() for name in (expected or "").split(",") if name.strip() and "*" not in name]
