"""Reads an XML file against its schema, safely, and says in plain words what is wrong with it.

Together with the modules named `*_xml` that use it, the only place that imports lxml: the seats' PCs never
load it. Any thread; lxml lets other threads run while it parses and validates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from typing import Any, NamedTuple, cast

from lxml import etree

from schemas.problems import ConfigurationError, Problem
from schemas.schema_words import SchemaMistake, SchemaWords, syntax_words

LARGEST_FILE = 64 * 1024 * 1024  # ten thousand operators take 2 MiB; more than this is no configuration
ROUNDS = 20  # an element out of place hides what is wrong after it: take it out and look again so often

_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
NO_DOCTYPE = "a DOCTYPE is not accepted: remove it (entities and external files are never read)"


class Reading(NamedTuple):
    """A well-formed file: its root, still complete, and the schema that `mistakes` compares it with."""

    root: etree._Element
    schema: Schema


class Schema:
    """A schema of this package. Built for each reading, so that its error log belongs to one thread."""

    def __init__(self, name: str) -> None:
        """`name` is a file of this package, such as `server.xsd`."""
        source = etree.fromstring(resources.files("schemas").joinpath(name).read_bytes())
        self._schema = etree.XMLSchema(source)
        self._words = SchemaWords(source)
        self.root_name = self._words.root_name

    def mistakes(self, root: etree._Element) -> list[SchemaMistake]:
        """Return everything that the schema refuses. Elements out of place are removed from the tree."""
        tree = root.getroottree()
        found: dict[SchemaMistake, None] = {}
        for _ in range(ROUNDS):
            if self._schema.validate(tree):
                break
            misplaced: list[etree._Element] = []
            for entry in cast("Iterable[Any]", self._schema.error_log):
                mistake = self._words.mistake(entry.line, entry.message)
                found[mistake] = None
                if mistake.misplaced and entry.path:
                    misplaced += cast("list[etree._Element]", tree.xpath(entry.path))
            if not misplaced:
                break
            for element in misplaced:
                _remove(element)
        return list(found)


def read(data: bytes, file: str, schema_name: str) -> Reading:
    """Parse a file's bytes. `file` is the name that problems carry. ConfigurationError if it is not XML."""
    if len(data) > LARGEST_FILE:
        raise ConfigurationError([Problem(file, 0, f"the file is larger than {LARGEST_FILE >> 20} MiB")])
    if not data.strip():
        raise ConfigurationError([Problem(file, 1, "the file is empty (is it still being copied?)")])
    if _DOCTYPE.match(data):
        raise ConfigurationError([Problem(file, 1, NO_DOCTYPE)])
    schema = Schema(schema_name)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ConfigurationError([_syntax_problem(file, error)]) from None
    if cast(Any, root.getroottree().docinfo).doctype:
        raise ConfigurationError([Problem(file, 1, NO_DOCTYPE)])
    if root.tag != schema.root_name:
        message = f"the file begins with <{_local(root)}> where <{schema.root_name}> is expected"
        raise ConfigurationError([Problem(file, line_of(root), message)])
    return Reading(root, schema)


def line_of(element: etree._Element) -> int:
    """Return the line that an element begins in, also past line 65535."""
    return cast("int | None", element.sourceline) or 0


def release(root: etree._Element) -> None:
    """Free a tree piece by piece: in one piece ten thousand operators stop all threads for 30 ms."""
    for section in root:
        for child in section.iterchildren():
            section.remove(child)


def _syntax_problem(file: str, error: etree.XMLSyntaxError) -> Problem:
    """The first message is the cause, what follows it only shows that the parser lost its way."""
    entries: list[Any] = list(cast("Iterable[Any]", error.error_log))
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
