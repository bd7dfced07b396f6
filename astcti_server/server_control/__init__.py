"""What the running server answers on its control socket: one module for each group of commands.

To add one: a function that takes `ServerParts` and the line, in a module here, and its entry in `handlers`.
"""
