"""`astcti-server doctor`: says what to change in the installation, Asterisk and the configuration.

Facts are gathered first (`gather_*`), then judged by pure functions (`check_*`). Nothing is changed.
"""
