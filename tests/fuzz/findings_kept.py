"""The files of `findings/`: inputs that were once too much. `test_findings.py` tries them again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "findings"


def keep(target_name: str, data: bytes, folder: Path = FOLDER) -> Path:
    """Save an input. The name says the target."""
    path = folder / f"{target_name}--{hashlib.sha256(data).hexdigest()[:10]}.input"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def kept(folder: Path = FOLDER) -> Iterator[tuple[str, Path]]:
    """Every file, with its target's name."""
    for path in sorted(folder.glob("*.input")):
        yield path.name.partition("--")[0], path
