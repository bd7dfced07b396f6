"""The distribution's version, shared by the three programs and read by setup.cfg."""

VERSION = "0.1.0"
