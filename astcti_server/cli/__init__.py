"""The command line of the server: one module for each group of commands, put together in `program`.

To add a command: write it with click in a module here, and name it in `program.COMMANDS`. If it asks the
running server: a word in `schemas.protocol.ControlCommand`, what that does in `astcti_server.server_control`,
and `asking.ask` here. Manual pages and completion are made from what `--help` says.
"""
