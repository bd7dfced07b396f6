"""Makes a finding's input as small as it gets while it stays the same finding."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection

from tests.fuzz.shard import begin_process, key_of, once
from tests.fuzz.target import FuzzTarget

SECONDS = 10.0


def run_minimising(target: FuzzTarget, data: bytes, key: str, answer: Connection) -> None:
    """The body of the process. It tells each smaller input that it finds: a crash loses only the last."""
    begin_process()
    attempt = target.prepare()
    until = time.monotonic() + SECONDS

    def same(smaller: bytes) -> bool:
        _, error, _ = once(target, attempt, smaller)
        return error is not None and key_of(error) == key

    if not same(data):
        answer.send(None)
        return
    answer.send(data)
    size = max(1, len(data) // 2)
    while size and time.monotonic() < until:
        at, shorter = 0, False
        while at < len(data) and time.monotonic() < until:
            smaller = data[:at] + data[at + size :]
            if same(smaller):
                data, shorter = smaller, True
                answer.send(data)
            else:
                at += size
        if not shorter or size > len(data):
            size //= 2
    answer.send(None)
