"""Logs a test's client in by SCRAM."""

from __future__ import annotations

from schemas.scram import ScramClient, derive_secret
from tests.fake.line_client import LineClient, md5


def speaker(username: str, password: str) -> ScramClient:
    """The client's side of one exchange."""
    return ScramClient(username, lambda salt, iterations: derive_secret(md5(password), salt, iterations))


def server_first(client: LineClient, by: ScramClient) -> str:
    """Send the first message; the server's, in base64."""
    answer = client.ask(f"SCRAM {by.first()}")
    assert answer.startswith("106 SCRAM "), answer
    return answer.removeprefix("106 SCRAM ")


def log_in_by_scram(client: LineClient, username: str, password: str) -> str:
    """After the welcome, up to the answer to the final message: `102 OK` once the server proved itself, too."""
    by = speaker(username, password)
    answer = client.ask(f"SCRAM {by.final(server_first(client, by))}")
    if answer.startswith("102 OK "):
        assert by.server_proved(answer.removeprefix("102 OK "))
        return "102 OK"
    return answer
