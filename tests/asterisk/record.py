"""Record the scenes as raw AMI sessions: python -m tests.asterisk.record [22|16] [SCENE...]

Writes tests/fixtures/ami/VERSION-SCENE.ami: exactly the bytes that Asterisk sent to a user with the rights of
the manager.conf here. What we sent is not in it, so neither are secrets.
"""

import io
import sys
from pathlib import Path

from tests.asterisk.ami_session import AmiSession
from tests.asterisk.rig import TECHNOLOGIES, Asterisk
from tests.asterisk.scenes import SCENES, Scene

FIXTURES = Path(__file__).parents[1] / "fixtures/ami"


def record(asterisk: Asterisk, scene: Scene) -> bytes:
    """Play the scene; return what an AMI session of it read, from the banner to the goodbye."""
    asterisk.reset()
    heard = io.BytesIO()
    with AmiSession(asterisk.ami_port, tap=heard) as ami:
        ami.wait_for("FullyBooted")
        scene.play(asterisk, ami)
        asterisk.reset()
        # Events caused by an earlier action may follow its response; they cannot follow the next one's.
        for _ in range(3):
            ami.action("Ping")
        ami.action("Logoff")
    return heard.getvalue()


def main(arguments: list[str]) -> None:
    """Record what the arguments name: versions, scenes, or everything."""
    versions = [int(word) for word in arguments if word.isdigit()] or sorted(TECHNOLOGIES)
    names = [word for word in arguments if not word.isdigit()] or list(SCENES)
    for version in versions:
        with Asterisk(version) as asterisk:
            for name in names:
                data = record(asterisk, SCENES[name])
                (FIXTURES / f"{version}-{name}.ami").write_bytes(data)
                print(f"{version}-{name}: {data.count(b'Event: ')} events, {len(data)} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
