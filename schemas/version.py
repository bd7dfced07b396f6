"""The distribution's version, shared by the three programs and read by setup.cfg."""

VERSION = "0.1.0"
DATE = "2026-11-28"
"""Of this version, as manual pages have it."""
