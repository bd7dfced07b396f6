"""Who is a member of which queue, and who is in pause: wanted, compared with Asterisk, and repaired.

Everything here runs on the AMI thread, so nothing is locked. `keeper.QueueKeeper` is what the rest uses.
"""
