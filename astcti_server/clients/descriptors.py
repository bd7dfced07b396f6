"""How many clients the process has file descriptors for."""

from __future__ import annotations

import logging
import resource

PER_CLIENT = 2
"""Its socket, and what wakes its thread."""
RESERVED = 100
"""For everything else: logs, configuration, Asterisk, the watcher."""
ENOUGH = 1_048_576
"""Where the hard limit is endless: more than there can be clients."""

logger = logging.getLogger(__name__)


def raise_limit() -> int:
    """Raise the soft limit of open files to the hard one. Returns how many clients there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (ValueError, OSError) as error:
            logger.warning("the limit of open files stays at %d: %s", soft, error)
    files = ENOUGH if soft == resource.RLIM_INFINITY else soft
    return max(1, (files - RESERVED) // PER_CLIENT)
