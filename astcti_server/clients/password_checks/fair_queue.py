"""A queue in which nobody's many entries delay somebody's one. No locks: whoever shares it has one."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final, Generic, TypeVar

Entry = TypeVar("Entry")


SHARE_OF_SUSPECTS: Final = 4
"""Every how manyth turn goes to those who come last, if others wait, too: nobody waits for ever."""


class FairQueue(Generic[Entry]):
    """Entries of two kinds: those of suspects come last, whose address had wrong passwords lately.

    However many addresses guess, they take one turn of four together, and leave the others to the rest.
    """

    def __init__(self) -> None:
        self._others: _Turns[Entry] = _Turns()
        self._suspects: _Turns[Entry] = _Turns()
        self._turn = 0

    def __len__(self) -> int:
        return len(self._others) + len(self._suspects)

    def put(self, address: str, name: str, entry: Entry, *, suspect: bool = False) -> None:
        """Add an entry: the last of its name."""
        (self._suspects if suspect else self._others).put(address, name, entry)

    def take(self) -> Entry:
        """Remove and return the entry whose turn it is. Raises LookupError if there is none."""
        if not self._suspects or not self._others:
            return (self._others or self._suspects).take()
        self._turn += 1
        return (self._others if self._turn % SHARE_OF_SUSPECTS else self._suspects).take()

    def remove(self, address: str, name: str, entry: Entry) -> bool:
        """Remove an entry before its turn. False if it is not there any more."""
        return self._others.remove(address, name, entry) or self._suspects.remove(address, name, entry)


class _Turns(Generic[Entry]):
    """Entries by address, and by user name below it.

    Addresses take turns, and so do the names of one address: a flood from one address delays another address
    by one entry at a time, and a flood with one name delays the other names behind the same router likewise.
    """

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, OrderedDict[str, deque[Entry]]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, address: str, name: str, entry: Entry) -> None:
        """Add an entry: the last of its name."""
        names = self._addresses.setdefault(address, OrderedDict())
        names.setdefault(name, deque()).append(entry)
        self._length += 1

    def take(self) -> Entry:
        """Remove and return the entry whose turn it is. Raises LookupError if there is none."""
        if not self._length:
            raise LookupError("the queue is empty")
        address, names = next(iter(self._addresses.items()))
        name, entries = next(iter(names.items()))
        entry = entries.popleft()
        self._length -= 1
        names.move_to_end(name)
        self._addresses.move_to_end(address)
        self._forget_empty(address, name)
        return entry

    def remove(self, address: str, name: str, entry: Entry) -> bool:
        """Remove an entry before its turn. False if it is not there any more."""
        names = self._addresses.get(address)
        if names is None or entry not in names.get(name, ()):
            return False
        names[name].remove(entry)
        self._length -= 1
        self._forget_empty(address, name)
        return True

    def _forget_empty(self, address: str, name: str) -> None:
        names = self._addresses[address]
        if not names[name]:
            del names[name]
        if not names:
            del self._addresses[address]
