"""The last of what Asterisk said, kept in memory, and reports made of it: an archive that can be replayed."""
