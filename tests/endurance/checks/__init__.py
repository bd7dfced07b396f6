"""What is right: compares what the PBX and the seats wrote down. Knows nothing of the server."""
