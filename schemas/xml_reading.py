"""Reads an XML file against its schema, safely, and says in plain words what is wrong with it.

Together with the modules named `*_xml` that use it, the only place that imports lxml: the seats' PCs never
load it. Any thread; lxml lets other threads run while it parses and validates.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from importlib import resources
from typing import Any, NamedTuple, cast
from xml.parsers import expat

from lxml import etree

from schemas.problems import MOST_PROBLEMS, ConfigurationError, Problem
from schemas.schema_words import SchemaMistake, SchemaWords, syntax_words
from schemas.sentences import said

LARGEST_FILE = 64 * 1024 * 1024  # ten thousand operators take 2 MiB; more than this is no configuration
ROUNDS = 20  # an element out of place hides what is wrong after it: take it out and look again so often
MOST_MISTAKES = 2 * MOST_PROBLEMS  # that are put into words, which takes 0.1 ms each

_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
NO_DOCTYPE = said("a DOCTYPE is not accepted: remove it (entities and external files are never read)")


class ReadDocument(NamedTuple):
    """A well-formed file: its root, still complete, and the schema that `mistakes` compares it with."""

    root: etree._Element
    schema: XmlSchema
    lines: ElementLines


class ElementLines:
    """Tells in which line an element begins.

    The library's own numbers cost nothing, but mean the line where a start tag ends, and stop at 65535.
    Exact ones take a second pass over the file, which is worth it once there is something to complain about.
    """

    def __init__(self, root: etree._Element, data: bytes = b"") -> None:
        """With `data`, the bytes that `root` was read from, lines are exact."""
        self._elements: list[etree._Element] = list(root.iter("*")) if data else []
        """Kept alive, so that their ids stay theirs."""
        starts = _starts(data) if data else []
        if len(starts) != len(self._elements):
            starts = []
        self._exact = dict(zip(map(id, self._elements), starts, strict=False))

    def of(self, element: etree._Element) -> int:
        """Return the line of an element of the tree, counted from 1."""
        return self._exact.get(id(element)) or cast("int | None", element.sourceline) or 0


class XmlSchema:
    """A schema of this package. Built for each reading, so that its error log belongs to one thread."""

    def __init__(self, name: str) -> None:
        """`name` is a file of this package, such as `server.xsd`."""
        source = etree.fromstring(resources.files("schemas").joinpath(name).read_bytes())
        self._schema = etree.XMLSchema(source)
        self._words = SchemaWords(source)
        self.root_name = self._words.root_name

    def fits(self, root: etree._Element) -> bool:
        """Whether the schema refuses nothing: `mistakes` would find none."""
        return bool(self._schema.validate(root.getroottree()))

    def mistakes(self, root: etree._Element, lines: ElementLines) -> list[SchemaMistake]:
        """Return everything that the schema refuses. Elements out of place are removed from the tree."""
        tree = root.getroottree()
        found: dict[SchemaMistake, None] = {}
        for _ in range(ROUNDS):
            if self._schema.validate(tree):
                break
            misplaced: list[etree._Element] = []
            for entry in itertools.islice(cast("Iterable[Any]", self._schema.error_log), MOST_MISTAKES):
                element = _element_at(root, entry.path or "")
                line = lines.of(element) if element is not None else entry.line
                mistake = self._words.mistake(line, entry.message)
                found[mistake] = None
                if mistake.misplaced and element is not None:
                    misplaced.append(element)
            if not misplaced or len(found) >= MOST_MISTAKES:
                break
            for element in misplaced:
                _remove(element)
        return list(found)


def read_document(data: bytes, file: str, schema_name: str, *, exact: bool = True) -> ReadDocument:
    """Parse a file's bytes. `file` is the name that problems carry. ConfigurationError if it is not XML.

    Lines are cheap and rough unless `exact`.
    """
    if len(data) > LARGEST_FILE:
        message = said("the file is larger than {most} MiB", most=LARGEST_FILE >> 20)
        raise ConfigurationError([Problem(file, 0, message)])
    if not data.strip():
        raise ConfigurationError([Problem(file, 1, said("the file is empty (is it still being copied?)"))])
    if _DOCTYPE.match(data):
        raise ConfigurationError([Problem(file, 1, NO_DOCTYPE)])
    schema = XmlSchema(schema_name)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ConfigurationError([_syntax_problem(file, error, parser)]) from None
    if cast(Any, root.getroottree().docinfo).doctype:
        raise ConfigurationError([Problem(file, 1, NO_DOCTYPE)])
    if root.tag != schema.root_name:
        message = said(
            "the file begins with <{found}> where <{wanted}> is expected",
            found=_local(root),
            wanted=schema.root_name,
        )
        raise ConfigurationError([Problem(file, ElementLines(root, data).of(root), message)])
    return ReadDocument(root, schema, ElementLines(root, data if exact else b""))


_STEP = re.compile(r"(?:([^:\[\]]+):)?([^:\[\]]+)(?:\[([0-9]{1,9})\])?")


def _element_at(root: etree._Element, path: str) -> etree._Element | None:
    """Find the element that the validator's path leads to; None where it leads to none.

    It looks like XPath and is none: prefixes are those of the file, `*` is any element of a default
    namespace and counts all its siblings, and names may have letters that XPath does not take.
    """
    steps = path.split("/")[2:]  # before them: nothing, and the root itself
    element: etree._Element | None = root
    for text in steps:
        step = _STEP.fullmatch(text)
        if step is None or element is None:
            return None
        prefix, name, number = step.groups()
        same = (
            child
            for child in element.iterchildren("*")
            if name == "*" or (child.prefix == prefix and str(child.tag).rpartition("}")[2] == name)
        )
        element = next(itertools.islice(same, int(number or 1) - 1, None), None)
    return element


def _starts(data: bytes) -> list[int]:
    """Return the line of each start tag, in the order of the file; nothing if that cannot be told."""
    starts: list[int] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda *_: starts.append(parser.CurrentLineNumber)
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError):  # an encoding that it does not know
        return []
    return starts


def free_tree(root: etree._Element) -> None:
    """Free a tree piece by piece: in one piece ten thousand operators stop all threads for 30 ms."""
    for section in root:
        for child in section.iterchildren():
            section.remove(child)


def _syntax_problem(file: str, error: etree.XMLSyntaxError, parser: etree.XMLParser) -> Problem:
    """The first message is the cause, what follows it only shows that the parser lost its way."""
    entries: list[Any] = list(cast("Iterable[Any]", cast(Any, parser).error_log))
    if not entries:
        return Problem(file, error.lineno or 0, syntax_words(str(error)))
    return Problem(file, entries[0].line, syntax_words(entries[0].message))


def _local(element: etree._Element) -> str:
    name = etree.QName(element)
    return f"{name.localname} xmlns={name.namespace!r}" if name.namespace else name.localname


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
