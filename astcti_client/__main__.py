"""`astcti-client`, and `python -m astcti_client`."""

from __future__ import annotations

import sys
from functools import partial

from schemas.program_ends import missing, run_program


def main() -> None:
    """Run the command line."""
    try:
        from astcti_client.cli import main as run
    except ModuleNotFoundError as error:
        sys.exit(missing("astcti-client", "client", error))
    run_program("astcti-client", partial(run, prog_name="astcti-client"))


if __name__ == "__main__":
    main()
