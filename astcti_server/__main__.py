"""`astcti-server`, and `python -m astcti_server`."""

from __future__ import annotations

import gc
import sys

from schemas.program_ends import missing, run_program


def main() -> None:
    """Run the command line."""
    # What modules are made of stays to the end: looked through again and again while they are loaded, it
    # costs a tenth of the start.
    gc.disable()
    try:
        from astcti_server.cli.program import main as run
    except ModuleNotFoundError as error:
        sys.exit(missing("astcti-server", "server", error))
    gc.freeze()
    gc.enable()
    run_program("astcti-server", run)


if __name__ == "__main__":
    main()
