"""How many clients there may be, altogether and from one address. Any thread."""

from __future__ import annotations

import logging
import resource
import threading
from collections import Counter
from collections.abc import Callable

from schemas.protocol import Refusal
from schemas.server.settings import ClientSettings

DESCRIPTORS_PER_CLIENT = 2
"""Its socket, and what wakes its thread."""
DESCRIPTORS_RESERVED = 100
"""For everything else: logs, configuration, Asterisk, the watcher."""
ENDLESS = 1_048_576
"""Where the hard limit is endless: more descriptors than there can be clients for."""
CALM = 0.95
"""Below this part of a limit it counts as over, so that one who comes and goes does not fill the log."""

logger = logging.getLogger(__name__)


class Admission:
    """Counts who is in, and refuses above the limits; says so in the log once on the way in and once out."""

    def __init__(self, limits: Callable[[], ClientSettings], descriptors: int) -> None:
        """`descriptors` is how many clients this process has file descriptors for."""
        self._limits = limits
        self._descriptors = descriptors
        self._lock = threading.Lock()
        self._total = 0
        self._present: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()  # by address; the empty one stands for all

    def admit(self, address: str) -> str:
        """Let a client in: an empty text, or why not. What was let in has to `leave`."""
        limits = self._limits()
        with self._lock:
            full = self._total >= min(limits.max, self._descriptors)
            crowded = self._present[address] >= limits.max_per_address
            if not full and not crowded:
                self._total += 1
                self._present[address] += 1
                return ""
            who = "" if full else address
            self._refused[who] += 1
            first = self._refused[who] == 1
            count = self._total if full else self._present[address]
        if first:
            logger.warning("refusing clients%s: %d are connected", f" from {who}" if who else "", count)
        return (Refusal.TOO_MANY_FROM_ADDRESS if who else Refusal.TOO_MANY_CLIENTS).text()

    def leave(self, address: str) -> None:
        """A client that was let in is gone."""
        limits = self._limits()
        with self._lock:
            self._total -= 1
            self._present[address] -= 1
            here = self._present[address]
            if not here:
                del self._present[address]
            over = []
            if here < limits.max_per_address * CALM and address in self._refused:
                over.append((f" from {address}", self._refused.pop(address)))
            if self._total < min(limits.max, self._descriptors) * CALM and "" in self._refused:
                over.append(("", self._refused.pop("")))
        for who, refused in over:
            logger.warning("accepting clients%s again, after %d were refused", who, refused)


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one. Returns how many clients there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENDLESS if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (ValueError, OSError) as error:
            logger.warning("the limit of open files stays at %d: %s", soft, error)
    files = ENDLESS if soft == resource.RLIM_INFINITY else soft
    return max(1, (files - DESCRIPTORS_RESERVED) // DESCRIPTORS_PER_CLIENT)
