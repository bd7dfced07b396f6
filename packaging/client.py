"""Where the bundled client begins."""

import os
import sys

from astcti_client.cli import main, window_main

# The bundle has its libraries by now; the programs that the client starts have their own.
if before := os.environ.pop("LD_LIBRARY_PATH_ORIG", ""):
    os.environ["LD_LIBRARY_PATH"] = before
elif getattr(sys, "frozen", False) and sys.platform == "linux":
    os.environ.pop("LD_LIBRARY_PATH", None)

if sys.stdout is None:  # started without a terminal, as on Windows
    window_main()
else:
    main(prog_name="astcti-client")
