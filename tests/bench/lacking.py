"""What this machine lacks for a scenario: it is left out then, and the run goes on."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable


class Lacking(Exception):
    """A scenario cannot be measured here; the text says what is missing and what to install."""


def require_modules(modules: Iterable[str], extra: str) -> None:
    """Raises Lacking if a module is missing that one of the project's extras brings."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise Lacking(
            f"missing: {', '.join(missing)}; install them with .venv-bench/bin/pip install '.[{extra}]', "
            "or remove .venv-bench and let make bench make it again"
        )
