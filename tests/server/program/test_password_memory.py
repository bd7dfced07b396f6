"""What passwords stored with scrypt leave behind in the server's process."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

SCRIPT = textwrap.dedent(
    """
    import hashlib, sys, threading
    from pathlib import Path
    from astcti_server.clients.password_checks.pool import PasswordPool
    from schemas.web.large_blocks import give_large_blocks_back

    def resident():
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    if "as-it-is" not in sys.argv:
        assert give_large_blocks_back()
    done = threading.Semaphore(0)
    pool = PasswordPool(threads=4)
    pool.start()
    before = resident()
    def work():
        return hashlib.scrypt(b"x", salt=b"saltsalt", n=1 << 14, r=8, p=1, maxmem=1 << 28)
    for number in range(12):
        pool.compute("10.0.0.1", f"user{number}", work, done.release)
    for number in range(12):
        done.acquire()
    print(resident() - before)
    pool.stop()
    """
)


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is that of the GNU C library")
def test_scrypt_leaves_no_memory_behind() -> None:
    """Both ways: by itself the C library keeps 16 MiB for each thread that ever computed one."""
    kept = [
        int(subprocess.run([sys.executable, "-c", SCRIPT, *words], capture_output=True, check=True).stdout)
        for words in ([], ["as-it-is"])
    ]
    assert kept[0] < 8 * 1024  # kB
    assert kept[1] > 30 * 1024
