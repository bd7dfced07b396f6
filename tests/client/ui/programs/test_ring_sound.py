"""The sound while the phone rings: which program plays it, and that none does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from astcti_client.ui.desktop.ring_sound import SYSTEM, RingSound, sound_command
from tests.fake.patience import until


@pytest.mark.parametrize(
    ("sound", "there", "platform", "command"),
    [
        (
            SYSTEM,
            {"canberra-gtk-play", "paplay"},
            "linux",
            ["canberra-gtk-play", "--id", "phone-incoming-call"],
        ),
        ("/a/ring.ogg", {"paplay", "aplay"}, "linux", ["paplay", "/a/ring.ogg"]),
        ("/a/ring.wav", {"aplay"}, "linux", ["aplay", "/a/ring.wav"]),
        ("/a/ring.ogg", {"aplay"}, "linux", []),  # it would be noise
        ("/a/ring.ogg", set(), "linux", []),
        ("/a/ring.aiff", {"afplay"}, "darwin", ["afplay", "/a/ring.aiff"]),
        (SYSTEM, set(), "darwin", []),
    ],
)
def test_what_the_system_has_plays_the_sound(
    sound: str, there: set[str], platform: str, command: list[str]
) -> None:
    assert sound_command(sound, lambda name: name if name in there else None, platform) == command


def test_a_sound_is_begun_once_and_ends_with_the_ring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player, log = tmp_path / "paplay", tmp_path / "log"
    player.write_text(f"#!/bin/sh\necho $$ >> {log}\nexec sleep 60\n")
    player.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    ring = RingSound()
    assert ring.play("/a/ring.ogg")
    assert ring.play("/a/ring.ogg"), "another call rings"
    until(lambda: log.exists() and log.read_text(), "the player runs")
    (process,) = log.read_text().split()
    ring.stop()
    until(lambda: not _goes_on(process), "the player is ended")
    ring.stop()


def _goes_on(process: str) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_where_nothing_plays_it_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ring = RingSound()
    assert not ring.play("/a/ring.ogg")
    ring.stop()
    broken = tmp_path / "paplay"
    broken.write_text("no program")
    broken.chmod(0o755)
    assert not ring.play("/a/ring.ogg")
