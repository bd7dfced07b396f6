"""Where the bundled client begins."""

import sys

from astcti_client.cli import main, window_main

if sys.stdout is None:  # started without a terminal, as on Windows
    window_main()
else:
    main(prog_name="astcti-client")
