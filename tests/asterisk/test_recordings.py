"""The tables of tests/fixtures/ami/README.md are true: a naive reading of each recording finds its pairs."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asterisk.ami_session import Message
from tests.asterisk.scenes import SCENES

FIXTURES = Path(__file__).parents[1] / "fixtures/ami"
OWN_TABLES = (FIXTURES / "less-plain", FIXTURES / "other-order")  # with what is right
EVENTS_THAT_CONNECT = {"BridgeEnter", "Bridge", "Link", "Rename"}

Pair = tuple[str, str]


def listed_pairs() -> dict[str, list[Pair]]:
    """What the tables say: file name without .ami -> pairs of devices, each in alphabetical order."""
    found = {}
    for line in (FIXTURES / "README.md").read_text(encoding="utf-8").splitlines():
        if row := re.fullmatch(r"\| `([^`]+)` \|.*\|([^|]*)\|", line):
            found[row[1]] = [
                ordered(*re.findall(r"`([^`]+)`", pair)) for pair in row[2].split(";") if "`" in pair
            ]
    return found


def ordered(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def device(channel: str) -> str:
    """SIP/201-0000002a is a call of SIP/201."""
    return channel.rpartition("-")[0]


def is_live(channel: str) -> bool:
    """Not one that is just being swapped for another (before Asterisk 12)."""
    return not channel.endswith(("<MASQ>", "<ZOMBIE>"))


class Wires:
    """Which channels are wired together now, after each message of one recording."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # by Uniqueid
        self.bridges: dict[str, set[str]] = {}  # Uniqueids by bridge; before Asterisk 12 a bridge is a pair

    def hear(self, message: Message) -> None:
        event, uniqueid = message.get("Event"), message.get("Uniqueid", "")
        if event == "Newchannel":
            self.names[uniqueid] = message["Channel"]
        elif event == "Rename":
            self.names[uniqueid] = message["Newname"]
        elif event == "Hangup":
            self.names.pop(uniqueid, None)
        elif event == "BridgeEnter":
            members = self.bridges.setdefault(message["BridgeUniqueid"], set())
            members.discard(message.get("SwapUniqueid", ""))
            members.add(uniqueid)
        elif event == "BridgeLeave":
            self.bridges[message["BridgeUniqueid"]].discard(uniqueid)
        elif event in ("Link", "Unlink", "Bridge") and "Uniqueid1" in message:
            pair = {message["Uniqueid1"], message["Uniqueid2"]}
            linked = event == "Link" or message.get("Bridgestate") == "Link"
            self.bridges["+".join(sorted(pair))] = pair if linked else set()

    def connected(self) -> Iterator[Pair]:
        """The pairs of telephones' channels that a voice gets through between."""
        phones = [name for name in self.names.values() if not name.startswith("Local/") and is_live(name)]
        for one, other in itertools.combinations(sorted(phones), 2):
            if other in self._reached_from(one):
                yield one, other

    def _reached_from(self, name: str) -> set[str]:
        reached, new = set(), {name}
        while new:
            reached |= new
            beside = {n for name in new for n in self._beside(name)}
            new = beside - reached
        return reached

    def _beside(self, name: str) -> Iterator[str]:
        if name.startswith("Local/"):
            yield name[:-1] + ("2" if name[-1] == "1" else "1")
        for members in self.bridges.values():
            present = {self.names[uniqueid] for uniqueid in members if uniqueid in self.names}
            if name in present:
                yield from filter(is_live, present)


def connected_pairs(recording: bytes) -> list[Pair]:
    """The pairs of devices that got connected, in order; a pair of channels counts once."""
    wires, seen = Wires(), set()
    pairs = []
    for block in recording.split(b"\r\n\r\n"):
        message = Message.parse(block.removeprefix(b"\n"))
        wires.hear(message)
        if message.get("Event") in EVENTS_THAT_CONNECT:
            for channels in wires.connected():
                if channels not in seen:
                    seen.add(channels)
                    pairs.append(ordered(device(channels[0]), device(channels[1])))
    return pairs


@pytest.mark.parametrize("name", sorted(listed_pairs()))
def test_a_recording_connects_the_pairs_that_the_table_lists(name: str) -> None:
    assert connected_pairs((FIXTURES / f"{name}.ami").read_bytes()) == listed_pairs()[name]


def test_the_table_lists_every_recording_and_nothing_else() -> None:
    recordings = (file for file in FIXTURES.rglob("*.ami") if file.parent not in OWN_TABLES)
    files = {str(file.relative_to(FIXTURES).with_suffix("")) for file in recordings}
    assert set(listed_pairs()) == files


@pytest.mark.parametrize(("version", "technology"), [("16", "SIP"), ("22", "PJSIP")])
def test_the_table_agrees_with_the_scenes_that_were_recorded(version: str, technology: str) -> None:
    told = listed_pairs()
    for scene in SCENES.values():
        expected = [ordered(f"{technology}/{one}", f"{technology}/{other}") for one, other in scene.pairs]
        assert told[f"{version}-{scene.name}"] == expected, scene.name


@pytest.mark.parametrize("file", sorted(FIXTURES.rglob("*.ami")), ids=lambda file: file.stem)
def test_a_recording_holds_whole_blocks_and_no_secret(file: Path) -> None:
    data = file.read_bytes()
    assert data.startswith(b"Asterisk Call Manager/")
    assert data.endswith(b"\r\n\r\n")
    assert not re.search(rb"(?i)^(secret|key|password):", data, re.MULTILINE)
