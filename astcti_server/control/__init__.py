"""The control socket: on its own machine the server is asked what it does, and told to stop."""
