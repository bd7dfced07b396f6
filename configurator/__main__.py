"""`python -m configurator`."""

from configurator.cli import main

main()
