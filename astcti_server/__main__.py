"""`python -m astcti_server` is `astcti-server`."""

from astcti_server.cli import main

main()
