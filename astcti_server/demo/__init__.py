"""A small PBX inside the server: an AMI server on loopback with real state, for trying out and for tests."""
