"""Addresses of static files with a mark of their content, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


class VersionedStaticFiles(StaticFilesStorage):
    """Serves what the packages contain; nothing has to be collected first."""

    def url(self, name: str | None) -> str:
        """The address of a file, `?v=` and a few digits of its hash behind it."""
        return f"{super().url(name)}{_mark(name or '')}"


@lru_cache(maxsize=256)
def _mark(name: str) -> str:
    found = finders.find(name)
    if not isinstance(found, str):
        return ""
    return f"?v={hashlib.sha256(Path(found).read_bytes()).hexdigest()[:12]}"
