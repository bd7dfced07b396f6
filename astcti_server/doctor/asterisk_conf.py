"""Asterisk's configuration files, as GetConfig tells them or as they stand on the disk.

From a file the same comes out as from `ast_config_load` (main/config.c), with templates, `(+)`, includes and
comments; but `#exec` is not carried out.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas.server.file_checks import read_regular

_SECTION: Final = re.compile(r"\[([^\]]*)\]\s*(?:\(([^)]*)\))?")
_INCLUDE: Final = re.compile(r"#(?:try)?include\s+[\"<]?([^\">]+?)[\">]?\s*")
_CATEGORY: Final = re.compile(r"Category-(\d+)", re.IGNORECASE)
_LINE: Final = re.compile(r"Line-(\d+)-\d+", re.IGNORECASE)
_DEEPEST: Final = 10  # includes within includes
_MOST_FILES: Final = 1000  # read, each time that it is included: two that include all files never end
_MOST_SETTINGS: Final = 50_000  # kept; a template made of two others, and so on, doubles them each time
_LARGEST: Final = 16 * 1024 * 1024  # bytes of a file
_SECRETS: Final = frozenset({"secret", "password", "md5secret"})

Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AsteriskConf:
    """One file: its sections, each with its lines in order and what templates give. Secrets are left out."""

    origin: str
    """Where it was read, in words: `manager.conf (GetConfig)`, `/etc/asterisk/manager.conf`."""
    sections: dict[str, Lines] = field(default_factory=dict)
    complete: bool = True
    """False if a part could not be read: an include, or what `#exec` brings."""

    def has(self, section: str) -> bool:
        """Whether there is a section of this name."""
        return section in self.sections

    def value(self, section: str, key: str) -> str | None:
        """The last value of a key, which is the one that counts; None if it is not there."""
        found = self.values(section, key)
        return found[-1] if found else None

    def values(self, section: str, key: str) -> list[str]:
        """Every value of a key."""
        return [value for name, value in self.sections.get(section, ()) if name.lower() == key]


def from_get_config(name: str, headers: Iterable[tuple[str, str]]) -> AsteriskConf:
    """Read the headers of a GetConfig response: templates are filled in there already."""
    names: dict[str, str] = {}
    lines: dict[str, list[tuple[str, str]]] = {}
    for key, value in headers:
        if found := _CATEGORY.fullmatch(key):
            names[found[1]] = value
            lines.setdefault(value, [])
        elif (found := _LINE.fullmatch(key)) and found[1] in names:
            setting, _, text = value.partition("=")
            lines[names[found[1]]].append((setting.strip(), text.removeprefix(">").strip()))
    return AsteriskConf(
        f"{name} (GetConfig)", {name: _without_secrets(found) for name, found in lines.items()}
    )


def read_conf(path: Path) -> AsteriskConf | None:
    """Read a file with what it includes; None if it cannot be read."""
    reading = _Reading(path.parent)
    try:
        reading.read(path, 0)
    except (OSError, UnicodeDecodeError):
        return None
    found = {name: tuple(lines) for name, lines in reading.lines.items() if name not in reading.templates}
    return AsteriskConf(str(path), found, reading.complete)


def _without_secrets(lines: Iterable[tuple[str, str]]) -> Lines:
    return tuple((key, value) for key, value in lines if key.lower() not in _SECRETS)


class _Reading:
    """The sections of one file while it is read."""

    def __init__(self, directory: Path) -> None:
        """`directory` is Asterisk's: where included names begin."""
        self.lines: dict[str, list[tuple[str, str]]] = {}
        self.templates: set[str] = set()
        self.complete = True
        self._directory = directory
        self._section = ""
        self._open: list[Path] = []
        self._read: dict[Path, tuple[str, ...]] = {}
        self._files = self._settings = 0

    def read(self, path: Path, depth: int) -> None:
        self._files += 1
        if self._files > _MOST_FILES:
            self.complete = False
            return
        lines = self._lines_of(path)
        self._open.append(path)
        for line in lines:
            if line.startswith("#"):
                self._obey(line, depth)
            elif found := _SECTION.match(line):
                self._begin(found[1].strip(), [word.strip() for word in (found[2] or "").split(",")])
            elif self._section and "=" in line and self._has_room_for(1):
                key, _, value = line.partition("=")
                # Left out here, once, and not in each section that inherits it.
                self.lines[self._section] += _without_secrets(
                    [(key.strip(), value.removeprefix(">").strip())]
                )
        self._open.pop()

    def _lines_of(self, path: Path) -> tuple[str, ...]:
        """A file that is included again is not read again."""
        found = self._read.get(path)
        if found is None:
            data = read_regular(path, _LARGEST)  # an include may name anything
            found = self._read[path] = tuple(_without_comments(data.decode(errors="replace")))
        return found

    def _begin(self, name: str, words: list[str]) -> None:
        self._section = name
        if "+" in words:
            self.lines.setdefault(name, [])
            return
        templates = [self.lines.get(word, ()) for word in words]
        if self._has_room_for(sum(map(len, templates))):
            inherited = [line for template in templates for line in template]
            self.lines.setdefault(name, []).extend(inherited)
        self.lines.setdefault(name, [])
        if "!" in words:
            self.templates.add(name)

    def _has_room_for(self, settings: int) -> bool:
        self._settings += settings
        if self._settings > _MOST_SETTINGS:
            self.complete = False
            return False
        return True

    def _obey(self, line: str, depth: int) -> None:
        found = _INCLUDE.fullmatch(line)
        if found is None or depth == _DEEPEST or "\0" in found[1]:  # which no file's name has
            self.complete = False
            return
        names = sorted(glob.glob(str(self._directory / found[1])))  # noqa: PTH207 (it may be an absolute one)
        if not names and not line.startswith("#try"):
            self.complete = False
        for name in names:
            path = Path(name)
            if path in self._open:  # within itself, where Asterisk gives up ten deep
                self.complete = False
                continue
            try:
                self.read(path, depth + 1)
            except OSError:
                self.complete = False


def _without_comments(text: str) -> Iterator[str]:
    """Lines that say something. `;` begins a comment unless a backslash is before it, `;--` a long one."""
    text = re.sub(r"(?<!\\);--(?!-).*?--;", "", text, flags=re.DOTALL)
    for line in text.split("\n"):
        if ";" in line:
            line = re.split(r"(?<!\\);", line, maxsplit=1)[0].replace("\\;", ";")
        if said := line.strip():
            yield said
