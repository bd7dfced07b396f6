"""The server's secret for SCRAM in its state directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from astcti_server.login_key import NAME, SIZE, read_login_key


def test_it_is_made_once_and_for_the_server_alone(tmp_path: Path) -> None:
    key = read_login_key(tmp_path)
    assert len(key) == SIZE
    assert read_login_key(tmp_path) == key
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_what_a_crash_left_half_written_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"half")
    key = read_login_key(tmp_path)
    assert len(key) == SIZE
    assert read_login_key(tmp_path) == key


def test_a_key_that_cannot_be_kept_is_used_for_this_run_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = [read_login_key(tmp_path / "missing") for _ in range(2)]
    assert keys[0] != keys[1]
    assert "does not outlast this run" in caplog.text


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    assert len(read_login_key(tmp_path)) == SIZE
    assert not (tmp_path / "elsewhere").exists()
