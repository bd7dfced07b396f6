"""The answers for every recorded call, to be read: `python -m tests.server.explain.answers` writes them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from astcti_server.config.loading import load_directory
from astcti_server.explain.documents import lines_for_people
from astcti_server.explain.explanations import CallsOfAMoment
from schemas.configuration.model import Configuration
from tests.server.explain.conftest import RECORDINGS, calls_of, of_every_phone, transcript

ANSWERS = Path(__file__).with_name("answers.txt")
WITH_CONFIGURATION = ("less-plain", "other-order")


def recordings() -> list[str]:
    """Every recorded call, by its name in the folder of recordings."""
    return sorted(str(file.relative_to(RECORDINGS).with_suffix("")) for file in RECORDINGS.rglob("*.ami"))


def configuration_for(name: str) -> Configuration:
    """That of the recording's folder; else every phone but those outside is a seat of the example service."""
    folder, _, file = name.rpartition("/")
    if folder in WITH_CONFIGURATION:
        return load_directory(RECORDINGS / folder / f"config-{file[:2]}", settings_needed=False).configuration
    return of_every_phone(transcript(name))


def calls_in(name: str) -> CallsOfAMoment:
    """The calls of a recording."""
    return calls_of(transcript(name), configuration_for(name))


def text() -> str:
    """All answers."""
    return "".join(f"{line}\n" for name in recordings() for line in _of(name))


def _of(name: str) -> Iterator[str]:
    yield f"== {name}"
    yield from (line.rstrip() for line in lines_for_people(calls_in(name).explain_all()))
    yield ""


def main() -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    ANSWERS.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
