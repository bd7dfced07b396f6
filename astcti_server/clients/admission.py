"""How many clients there may be, altogether and from one address, and who makes room. Any thread."""

from __future__ import annotations

import logging
import resource
import threading
from collections import Counter
from collections.abc import Callable

from astcti_server.clients import addresses, replies
from astcti_server.clients.session import Session
from schemas.protocol import Refusal
from schemas.server.settings import ClientSettings

DESCRIPTORS_PER_CLIENT = 2
"""Its socket, and what wakes its thread."""
MOST_LEAVING = 50
"""Clients that were pushed out and whose threads have not ended yet; while there are more nobody else is."""
DESCRIPTORS_RESERVED = 200
"""Half of them for those, half for everything else: logs, configuration, Asterisk, the watcher."""
ENDLESS = 1_048_576
"""Where the hard limit is endless: more descriptors than there can be clients for."""
CALM = 0.95
"""Below this part of a limit it counts as over, so that one who comes and goes does not fill the log."""

logger = logging.getLogger(__name__)


class NotAdmitted(Exception):
    """A client is not let in; the text is for it."""


class Place:
    """What a client that was let in has until it `leaves`; whoever serves it says so with `begin`."""

    __slots__ = ("_session", "network")

    def __init__(self, network: str) -> None:
        self.network = network
        self._session: Session | None = None

    def served(self, session: Session) -> None:
        """The client has a session now. `Admission` alone."""
        self._session = session

    @property
    def logged_in(self) -> bool:
        """Whether its client is; never undone."""
        return self._session is not None and self._session.username != ""

    def push_out(self, reason: Refusal) -> None:
        """End the session, if there is one already. `Admission` alone, not under its lock."""
        if self._session is not None:
            text = reason.text()
            self._session.close(f"{text}, and it had not logged in", replies.refused(text), at_once=True)


class Admission:
    """Counts who is in. Above the limits the oldest client that has not logged in makes room for a new one.

    It is taken from the address that has most of these, so that many connections from a few addresses do not
    shut everybody else out. Where all are logged in the new one is refused. Both are logged once on the way
    in and once out. An IPv6 address stands for its /64.
    """

    def __init__(self, limits: Callable[[], ClientSettings], descriptors: int) -> None:
        """`descriptors` is how many clients this process has file descriptors for."""
        self._limits = limits
        self._descriptors = descriptors
        self._lock = threading.Lock()
        self._total = 0
        self._present: Counter[str] = Counter()
        self._strangers: dict[str, dict[Place, None]] = {}  # by network, the oldest first
        self._leaving: set[Place] = set()  # pushed out, but not gone yet: their descriptors are reserved ones
        self._refused: Counter[str] = Counter()  # by network; the empty one stands for all
        self._pushed_out: Counter[str] = Counter()

    def admit(self, address: str) -> Place:
        """Let a client in. Raises NotAdmitted. What was let in has to `leave`."""
        network = addresses.network(address)
        limits = self._limits()
        with self._lock:
            crowded = self._present[network] >= limits.max_per_address
            if not crowded and self._total < min(limits.max, self._descriptors):
                return self._let_in(network)
            who = network if crowded else ""
            count = self._present[network] if crowded else self._total
            oldest = self._oldest_stranger(who)
            counted = self._refused if oldest is None else self._pushed_out
            counted[who] += 1
            first = counted[who] == 1
            place = None if oldest is None else self._exchange(oldest, network)
        where = f" from {who}" if who else ""
        reason = Refusal.TOO_MANY_FROM_ADDRESS if who else Refusal.TOO_MANY_CLIENTS
        if oldest is None or place is None:
            if first:
                logger.warning("refusing clients%s: %d are connected", where, count)
            raise NotAdmitted(reason.text())
        if first:
            logger.warning("clients%s that do not log in make room: %d are connected", where, count)
        oldest.push_out(reason)
        return place

    def begin(self, place: Place, session: Session) -> None:
        """A client that was let in is served now. It is ended at once if it was pushed out meanwhile."""
        with self._lock:
            place.served(session)
            late = place in self._leaving
        if late:
            place.push_out(Refusal.TOO_MANY_CLIENTS)

    def leave(self, place: Place) -> None:
        """A client that was let in is gone."""
        limits = self._limits()
        network = place.network
        with self._lock:
            if place in self._leaving:
                self._leaving.remove(place)
            else:
                self._remove(place)
            over = []
            if self._present[network] < limits.max_per_address * CALM:
                over.append(network)
            if self._total < min(limits.max, self._descriptors) * CALM:
                over.append("")
            if not self._present[network]:
                del self._present[network]
            told = [(who, self._refused.pop(who, 0), self._pushed_out.pop(who, 0)) for who in over]
        for who, refused, pushed_out in told:
            where = f" from {who}" if who else ""
            if refused:
                logger.warning("accepting clients%s again, after %d were refused", where, refused)
            if pushed_out:
                logger.warning("clients%s need no more room, after %d had to make it", where, pushed_out)

    # -- under the lock ------------------------------------------------------------------------------------

    def _let_in(self, network: str) -> Place:
        place = Place(network)
        self._total += 1
        self._present[network] += 1
        self._strangers.setdefault(network, {})[place] = None
        return place

    def _exchange(self, oldest: Place, network: str) -> Place:
        self._remove(oldest)
        self._leaving.add(oldest)
        return self._let_in(network)

    def _remove(self, place: Place) -> None:
        self._total -= 1
        self._present[place.network] -= 1
        strangers = self._strangers.get(place.network, {})
        strangers.pop(place, None)
        if not strangers:
            self._strangers.pop(place.network, None)

    def _oldest_stranger(self, network: str) -> Place | None:
        """Who makes room: of this network, or if that is empty of the one that has most. None if nobody."""
        if len(self._leaving) >= MOST_LEAVING:
            return None
        while self._strangers:
            most = network or max(self._strangers, key=lambda found: len(self._strangers[found]))
            strangers = self._strangers.get(most, {})
            waiting = {place: None for place in strangers if not place.logged_in}
            if len(waiting) == len(strangers):
                return next(iter(waiting), None)
            if waiting:  # fewer than we thought: is it still the network that has most?
                self._strangers[most] = waiting
            else:
                del self._strangers[most]
        return None


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
