"""The PBX as a process that can be killed.

`python -m tests.endurance.programs.pbx_process PORT SEATS GROUPS SEED RATE FILE`
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from astcti_server.demo.calls.engine import Engine
from astcti_server.demo.pbx import DemoPbx
from tests.endurance.history import HistoryWriter
from tests.endurance.office import Office
from tests.endurance.programs.orders import serve_orders
from tests.endurance.programs.people import People, furnish


def members(engine: Engine) -> dict[str, dict[str, tuple[int, bool]]]:
    """Who is a member of each queue: by phone, with penalty and pause."""
    return {
        queue.name: {member.interface: (member.penalty, member.paused) for member in queue.members.values()}
        for queue in engine.queues.by_name.values()
        if queue.members
    }


def main() -> None:
    port, seats, groups, seed, rate, file = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING)
    office, history = Office(int(seats), int(groups)), HistoryWriter(Path(file))
    with DemoPbx(port=int(port), seed=int(seed)) as pbx:

        def begin(engine: Engine) -> People:
            furnish(engine, office)
            return People(engine, office, history)

        people = pbx.do(begin)
        people.rate = float(rate)

        def call(rate: float) -> float:
            people.rate = rate
            return people.late

        history.write("started")
        serve_orders(
            {
                "call": lambda rate: pbx.do(lambda _engine: call(rate)),
                "late": lambda: people.late,
                "channels": lambda: pbx.do(lambda engine: len(engine.channels)),
                "members": lambda: pbx.do(members),
            }
        )


if __name__ == "__main__":
    main()
