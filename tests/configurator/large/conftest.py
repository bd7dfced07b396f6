"""Configurations of two sizes, and what the programs did with them: queries and calls are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from tests.configurator.conftest import post_import

SMALL, LARGE = (20, 4), (400, 80)


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    found: list[str] = []

    def execute(go_on: Callable[..., Any], sql: str, *more: Any) -> Any:
        found.append(sql)
        return go_on(sql, *more)

    with ExitStack() as wrapped:
        for connection in connections.all():
            wrapped.enter_context(connection.execute_wrapper(execute))
        yield found


def told_of_calls(patch: pytest.MonkeyPatch, module: Any, name: str) -> list[Any]:
    """The arguments of each call from now on, without those that are named."""
    calls: list[Any] = []
    real = getattr(module, name)

    def told(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return real(*arguments, **named)

    patch.setattr(module, name, told)
    return calls


def upload(client: Client, what: str, data: bytes, store: str) -> dict[str, Any]:
    found: dict[str, Any] = post_import(client, what, data, store).context["result"]
    return found
