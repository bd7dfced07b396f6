"""Passwords that take long to check: the threads that compute them, in which order, and the keys of SCRAM."""
