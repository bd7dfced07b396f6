"""How the run talks to the processes beside it: orders and answers are lines of JSON on their pipes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ANSWER_WITHIN = 60.0  # seconds


class HelperProcess:
    """One process; `ask` it one thing at a time. Any thread."""

    def __init__(
        self, module: str, *arguments: str, log: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environ,
            )
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def ask(self, order: str, **more: object) -> Any:
        """Have it do something; its answer. Raises ConnectionError if it is gone."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._lock:
            try:
                self._process.stdin.write(json.dumps({"order": order, **more}).encode() + b"\n")
                self._process.stdin.flush()
                line = self._process.stdout.readline()
            except (OSError, ValueError):
                line = b""
        if not line:
            raise ConnectionError(f"{self._process.args!r} is gone")
        return json.loads(line)

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """As a crash or the kernel would."""
        self.end(signal.SIGKILL)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal, wait for the end, and let go of the pipes."""
        assert self._process.stdin is not None and self._process.stdout is not None
        if self.running:
            self._process.send_signal(number)
        try:
            self._process.wait(ANSWER_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                pipe.close()
            except OSError:
                pass  # nobody was there to take what was left


def serve_orders(orders: dict[str, Callable[..., object]]) -> None:
    """Carry out what is asked until nobody asks any more. The process's main thread."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = orders[order.pop("order")](**order)
        print(json.dumps(answer), flush=True)
