"""What was found once is not there any more: each input is tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import findings_kept
from tests.fuzz.shard import processes, run_one
from tests.fuzz.targets import TARGETS

FOUND = list(findings_kept.kept())
BY_NAME = {target.name: target for target in TARGETS}


def test_findings_are_of_parsers_that_there_are() -> None:
    assert FOUND
    assert {name for name, _path in FOUND} <= BY_NAME.keys()


@pytest.mark.parametrize(("name", "path"), FOUND, ids=[path.name for _name, path in FOUND])
def test_an_input_that_was_once_too_much_is_not_any_more(name: str, path: Path) -> None:
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=run_one, args=(BY_NAME[name], path.read_bytes(), sender))
    process.start()
    sender.close()
    try:
        assert receiver.poll(120), "it hangs"
        outcome = receiver.recv()
    finally:
        process.kill()
        process.join()
        receiver.close()
    assert outcome is None, outcome[1]
