"""What tests do on a machine that lacks something: CI must have it all, others do without the test."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

IN_CI = bool(os.environ.get("CI"))


def lacking(words: str) -> NoReturn:
    """Fail in CI, skip elsewhere; `words` say what is missing."""
    if IN_CI:
        pytest.fail(words)
    pytest.skip(words)
