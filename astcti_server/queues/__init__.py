"""Who is a member of which queue, and who is in pause: desired, compared with Asterisk, and repaired.

Everything here runs on the AMI thread, so nothing is locked; only the state file is written by a thread
of its own (`state_writer`). `reconciler.QueueReconciler` is what the rest of the server uses.
"""
