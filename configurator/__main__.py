"""`astcti-configurator`, and `python -m configurator`."""

from __future__ import annotations

import sys

from schemas.program_ends import missing, run_program


def main() -> None:
    """Run the command line."""
    try:
        from configurator.cli import main as run
    except ModuleNotFoundError as error:
        sys.exit(missing("astcti-configurator", "configurator", error))
    run_program("astcti-configurator", run)


if __name__ == "__main__":
    main()
