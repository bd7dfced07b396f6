"""Kept bytes filled by a test, and the report made of them, without a server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astcti_server.calls.notification import Notification
from astcti_server.kept_ami.archive import ReportArchive, write_archive
from astcti_server.kept_ami.kept_bytes import KeptAmi
from astcti_server.kept_ami.marks import ConfiguredMark, LinkUpMark, UnreadMark
from astcti_server.kept_ami.report import ReportMaker, ReportRange
from astcti_server.recent_log import RecentLog
from astcti_server.report_replay import ReportReplay
from schemas.configuration.model import Configuration
from schemas.server.settings import KeptAmiSettings

EVER = ReportRange(0.0, float("inf"))


class KeptByTest:
    """What a server with this configuration keeps; time goes by as `now` says."""

    def __init__(
        self,
        configuration: Configuration,
        seated: Mapping[str, str],
        *,
        all_calls: bool = False,
        settings: KeptAmiSettings | None = None,
    ) -> None:
        self.now = 1_800_000_000.0
        self.seated = seated
        self.kept = KeptAmi(settings or KeptAmiSettings(), lambda: self.seated, clock=lambda: self.now)
        self.log = RecentLog("%(message)s")
        self.kept.mark(ConfiguredMark(configuration, all_calls, "cp1252", 30.0))

    def link_up(self, banner_version: str) -> None:
        """With no list of channels: a recording has none."""
        self.kept.write(b"Asterisk Call Manager/%s\r\n" % banner_version.encode())
        self.kept.mark(LinkUpMark(banner_version))
        self.kept.mark(UnreadMark())

    def write(self, data: bytes, size: int = 65536) -> None:
        """In reads of so many bytes."""
        for start in range(0, len(data), size):
            self.kept.write(data[start : start + size])

    def document(self, found: ReportRange = EVER, *, mask: bool = False) -> dict[str, Any]:
        window = self.kept.window()
        if found is EVER:
            found = ReportRange(0.0, self.now + 1)
        return ReportMaker(window).make(found, {"report": 1}, self.log, (), mask=mask)


def replayed(path: Path) -> list[Notification]:
    """What a report's file tells the seats."""
    told: list[Notification] = []
    with path.open("rb") as file:
        archive = ReportArchive(file)
        player = ReportReplay(archive.configurations, told.append)
        for piece in archive.pieces():
            if isinstance(piece, bytes):
                player.feed(piece)
            else:
                player.mark(piece)
    return told


def report_of(kept: KeptByTest, path: Path, *, mask: bool = False) -> list[Notification]:
    """Write a report of everything and play it."""
    write_archive(path, kept.document(mask=mask))
    return replayed(path)
