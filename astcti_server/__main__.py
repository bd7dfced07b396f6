"""`astcti-server`, and `python -m astcti_server`."""

from __future__ import annotations

import sys

from schemas import extras


def main() -> None:
    """Run the command line."""
    try:
        from astcti_server.cli.program import main as run
    except ModuleNotFoundError as error:
        sys.exit(extras.missing("astcti-server", "server", error))
    run()


if __name__ == "__main__":
    main()
