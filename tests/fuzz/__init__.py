"""Inputs that nobody meant, a million for each parser: `make fuzz`. `docs/security.md` says what came out."""
