"""Thousands of sockets need more file descriptors than a process has by default."""

from __future__ import annotations

import resource


def raise_limit() -> None:
    """As many as the system allows; processes started from now on inherit it."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
