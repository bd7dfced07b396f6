"""The memory of this process."""

from __future__ import annotations

from typing import Final

from schemas.web.freed_memory import FreedMemory

freed_memory: Final = FreedMemory()
"""Of the one process that serves all pages."""
