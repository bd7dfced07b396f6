"""Who did what, and when: JSON lines in a file, for those who have to answer for it later."""
